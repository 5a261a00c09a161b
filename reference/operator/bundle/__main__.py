"""`python -m reference.operator.bundle`: print the bundle."""

import sys

from reference.operator.bundle.render import render

sys.stdout.write(render())
