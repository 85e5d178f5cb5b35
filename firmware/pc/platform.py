"""What CPython on a PC offers the firmware."""

import signal
import threading
import time

from firmware.app import Platform
from firmware.pc.serial import open_serial
from firmware.start import new_id
from firmware.unix.faultflash import arm


def _now_ms() -> int:
    return time.monotonic_ns() // 1000000


def platform() -> Platform:
    """Platform of CPython on a PC; told to terminate, it makes its machine safe first."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    made = Platform(_now_ms, new_id, open_serial, "process started")
    arm(made)
    return made
