"""Waiting for a condition: the only way a test lets time pass."""

from __future__ import annotations

import threading
from collections.abc import Callable


def until(condition: Callable[[], bool], limit_s: float) -> None:
    """Return once the condition holds; fail after the limit."""
    pause = threading.Event()
    for _ in range(int(limit_s / 0.05)):
        if condition():
            return
        pause.wait(0.05)
    raise AssertionError(f"not within {limit_s} s")
