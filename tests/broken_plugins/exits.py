"""Ends the process on import, or would."""

import sys

sys.exit(3)
