"""Small drum passages for hypothesis."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

BAR = 8


def hits(bars=4):
    """Bool [8 * bars, 9]."""
    return arrays.arrays(np.bool_, (BAR * bars, 9))


def first_steps(bars=4):
    """The bars of ``hits``."""
    return np.arange(bars + 1) * BAR


def samples(low=-1.0, high=1.0, least=1, most=30):
    """float64 [n]."""
    return arrays.arrays(np.float64, st.integers(least, most), elements=st.floats(low, high))
