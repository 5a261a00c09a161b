"""run.json: a judged run for machines, under the JSON Schema in `reports/schema`."""

import json
from pathlib import Path
from typing import Any

from reports.events import SCHEMA
from reports.run import Run

FILE = "run.json"
SCHEMA_FILE = Path(__file__).parents[1] / "schema" / f"run-{SCHEMA}.json"


def render(run: Run) -> str:
    """Return the text of run.json."""
    return run.model_dump_json(indent=2) + "\n"


def read(path: Path) -> Run:
    """Read a run.json. Raises OSError, or ValueError where it is not one of this suite."""
    try:
        return Run.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:  # of bytes, of JSON, of the form
        first = str(error).splitlines()[0]
        raise ValueError(
            f"{path}: not a run.json of this suite: {first};"
            f" make it anew with `python -m reports {path.parent}`."
        ) from error


def schema() -> dict[str, Any]:
    """Return the JSON Schema, as the models define it; the published file is a copy of this."""
    generated = Run.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **generated}


def main() -> None:
    """Write the published schema anew: `python -m reports.renderers.run_json`."""
    SCHEMA_FILE.write_text(json.dumps(schema(), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
