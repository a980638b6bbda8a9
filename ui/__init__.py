"""Streamlit code that the pages share."""

import os

# OpenBLAS reads this when NumPy is loaded. Its threads go on spinning for some 25 ms after every operation: on two
# cores a click on a new place cost the server 0.14 instead of 0.07 processor seconds, and nobody waited less.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
