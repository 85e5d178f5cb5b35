"""One typed door to numba, so that the rest of the kernels read as plain Python."""

from collections.abc import Callable
from typing import ParamSpec, Protocol, TypeVar, cast, overload

import numba
import numpy as np
from numpy.typing import NDArray


class Ints(Protocol):
    """An int64 array as the kernels see it: indices in, plain integers out."""

    def __len__(self) -> int:
        """Number of rows."""
        ...

    @overload
    def __getitem__(self, at: int | tuple[int, ...], /) -> int: ...
    @overload
    def __getitem__(self, at: slice, /) -> "Ints": ...
    def __setitem__(self, at: int | slice, value: int, /) -> None:
        """Write one element or fill a slice."""
        ...

    def tolist(self) -> list[int]:
        """Plain integers."""
        ...

    def copy(self) -> "Ints":
        """The same numbers elsewhere."""
        ...


class Floats(Protocol):
    """A float64 array as the kernels see it."""

    def __len__(self) -> int:
        """Number of rows."""
        ...

    def __getitem__(self, at: int, /) -> float:
        """One element."""
        ...

    def __setitem__(self, at: int, value: float, /) -> None:
        """Write one element."""
        ...


def ints(values: object) -> Ints:
    """An int64 array of numbers."""
    return cast("Ints", np.array(values, np.int64))


def zeros(size: int) -> Ints:
    """An int64 array of zeros."""
    return cast("Ints", np.zeros(size, np.int64))


def floats(values: object) -> Floats:
    """A float64 array of numbers."""
    return cast("Floats", np.array(values, np.float64))


def array(numbers: Ints | Floats) -> NDArray[np.int64]:
    """The same array for numpy's own operations."""
    return cast("NDArray[np.int64]", numbers)


P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """The function as machine code, compiled at first call and kept on disk."""
    jit = cast("Callable[..., Callable[[Callable[P, R]], Callable[P, R]]]", numba.njit)
    # _nrt=False: no reference counting of arrays (25 times faster calls); kernels never allocate
    return jit(cache=True, nogil=True, error_model="numpy", _nrt=False)(function)
