"""palabra-agent: the simultaneous interpreter that every LiveKit room can call."""

import os

# before numpy is imported: after each product of arrays the other threads of its OpenBLAS wait for
# the next one at full speed, on as many cores as there are, for 0.1 s
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__version__ = "0.1.0"
