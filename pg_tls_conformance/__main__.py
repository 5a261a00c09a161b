"""The command, where it is not on PATH: `python -m pg_tls_conformance`."""

import sys

from pg_tls_conformance.cli import main

if __name__ == "__main__":
    sys.exit(main())
