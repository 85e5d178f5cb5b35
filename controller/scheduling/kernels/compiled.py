"""One typed door to numba, so that the rest of the kernels read as plain Python."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """The function as machine code, compiled at first call and kept on disk."""
    jit = cast("Callable[..., Callable[[Callable[P, R]], Callable[P, R]]]", numba.njit)
    return jit(cache=True, nogil=True, error_model="numpy", _nrt=False)(function)
