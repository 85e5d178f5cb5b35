"""What MicroPython's unix port offers the firmware."""

import time

from firmware.app import Platform
from firmware.clock import Ticks
from firmware.start import new_id
from firmware.unix.faultflash import arm
from firmware.unix.serial import open_serial

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def platform() -> Platform:
    """Platform of MicroPython on a PC."""
    clock: "Any" = time
    ticks = Ticks(clock.ticks_ms, clock.ticks_diff)
    made = Platform(ticks.now_ms, new_id, open_serial, "process started")
    arm(made)
    return made
