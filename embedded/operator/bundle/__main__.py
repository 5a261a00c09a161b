"""`python -m embedded.operator.bundle`: print the bundle."""

import sys

from embedded.operator.bundle.render import render

sys.stdout.write(render())
