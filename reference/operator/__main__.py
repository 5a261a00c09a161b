"""`python -m reference.operator`: run in a Pod, or anywhere with KUBECONFIG."""

import sys

from reference.operator.contract import Contract
from reference.operator.program import main

if __name__ == "__main__":
    sys.exit(main(Contract()))
