"""What is asked for wrongly is said before anything is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.__main__ import main
from tests.bench.ground import Subject


@pytest.mark.parametrize("part", ["operator", "chapters"])
def test_parts_of_an_operator_want_its_name(part: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--only", part])
    assert f"{part}: name the operator" in capsys.readouterr().err


def test_subject_that_is_not_there_is_told_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "none.yaml"
    asked = ["--operator-bundle", str(file), "--json", str(tmp_path / "bench.json")]
    assert main(asked) == 4
    assert capsys.readouterr().err.startswith(f"bench: --operator-bundle: there is no {file}; ")


def test_subject_is_named_as_to_the_suite() -> None:
    subject = Subject(bundle="bundle.yaml", image_sources=["a/b=recipe"])
    assert subject.named
    assert subject.arguments() == ["--image-source=a/b=recipe", "--operator-bundle=bundle.yaml"]
    assert not Subject().named
