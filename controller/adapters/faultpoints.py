"""Fault points: named places where a fault campaign stops or starves this process. Off by default.

``FABCOMMONS_FAULT=writer.committed:17`` ends the process at the 17th pass of that point as kill -9
would; ``writer.ran:5:full:8`` makes passes 5 to 12 fail as on a full disk. Without the variable
there is no function to call. The firmware's are in ``firmware/unix/faultflash.py``.
"""

import errno
import os
import signal
from collections.abc import Callable, Mapping

VARIABLE = "FABCOMMONS_FAULT"
WRITER = (
    "writer.ran",  # every item ran, nothing is committed
    "writer.settled",  # and the desired documents are rebuilt
    "writer.committed",  # committed; nobody was told
    "writer.acknowledged",  # the broker got its acknowledgements
    "writer.released",  # machines were sent what follows; who asked has no answer yet
)
Reach = Callable[[str], None]


def from_environment(environment: Mapping[str, str]) -> Reach | None:
    """The function to call with the name of each point passed; None when no fault is asked for."""
    text = environment.get(VARIABLE, "")
    return _armed(text) if text else None


def _armed(text: str) -> Reach:
    point, number, *rest = text.split(":")
    if point not in WRITER:
        raise ValueError(f"{VARIABLE}: no such point {point!r} (known: {', '.join(WRITER)})")
    first = int(number)
    passes = int(rest[1]) if rest[:1] == ["full"] else 0
    if passes and point not in WRITER[:2]:
        raise ValueError(f"{VARIABLE}: a disk is full only before the commit, not at {point}")
    seen = 0

    def reach(name: str) -> None:
        nonlocal seen
        if name != point:
            return
        seen += 1
        if passes and first <= seen < first + passes:
            raise OSError(errno.ENOSPC, "no space left on device (a fault that was asked for)")
        if not passes and seen == first:
            os.kill(os.getpid(), signal.SIGKILL)

    return reach
