"""What CPython on a PC offers the firmware."""

import signal
import threading
import time

from firmware.app import Platform
from firmware.pc.serial import open_serial
from firmware.start import new_id


def platform() -> Platform:
    """Platform of CPython on a PC; told to terminate, it makes its machine safe first."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    return Platform(lambda: time.monotonic_ns() // 1000000, new_id, open_serial, "process started")
