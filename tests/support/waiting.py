"""Waiting for a condition: the only way a test lets time pass."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any


def until(condition: Callable[[], Any], limit_s: float = 120.0, what: str = "") -> Any:
    """The condition's value once it is true; fail after ``limit_s`` of real time."""
    pause = threading.Event()
    end = time.monotonic() + limit_s
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {limit_s} s: {what or condition}")
        pause.wait(0.02)
    return value
