"""Run a module's `main` once it may: `python -m embedded.box.gate FD MODULE ARGUMENT…`.

The module is imported at once, which takes longer than all the rest of its start; `main` runs when
the other end of the pipe FD is closed. So components that need each other to run load side by side.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys

_ALLOCATIONS = 20_000


def main() -> int:
    """Wait, and run; returns the exit code of the module."""
    _, descriptor, name, *arguments = sys.argv
    module = importlib.import_module(f"{name}.__main__")
    while os.read(int(descriptor), 1):
        """Nothing is ever written: this waits for the end."""
    os.close(int(descriptor))
    # What is loaded stays; and trees of JSON, most of what comes, go without a collector.
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS)
    sys.argv = [name, *arguments]
    code: int = module.main()
    return code


if __name__ == "__main__":
    sys.exit(main())
