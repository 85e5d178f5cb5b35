"""What MicroPython's unix port offers the firmware."""

import os
import time

from firmware.app import Platform
from firmware.clock import Ticks
from firmware.start import new_id
from firmware.unix.serial import open_serial

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


FAULT_VARIABLE = "FABCOMMONS_FAULT"


def platform() -> Platform:
    """Platform of MicroPython on a PC."""
    clock: "Any" = time
    ticks = Ticks(clock.ticks_ms, clock.ticks_diff)
    made = Platform(ticks.now_ms, new_id, open_serial, "process started")
    if os.getenv(FAULT_VARIABLE):
        from firmware.unix.faultflash import arm  # only then: a board has none of it

        arm(made)
    return made
