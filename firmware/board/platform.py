"""What a board offers the firmware: Wi-Fi, UART, watchdog, cause of the start."""

import time

import machine
import network

from firmware.app import Platform
from firmware.board.serial import opener
from firmware.clock import Ticks
from firmware.start import new_id
from firmware.wifi import Wifi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from protocols.records import Record

WATCHDOG_MS = 8000  # RP2040 takes at most 8388
# names a port may lack; ESP32 tells a brown-out as power on
_CAUSES = (
    ("PWRON_RESET", "power on"),
    ("HARD_RESET", "hard reset"),
    ("WDT_RESET", "watchdog"),
    ("DEEPSLEEP_RESET", "deep sleep"),
    ("SOFT_RESET", "soft reset"),
    ("BROWNOUT_RESET", "brown-out"),
)


def boot_cause() -> str:
    """Why this life began, as far as the board can tell."""
    cause = machine.reset_cause()
    for name, words in _CAUSES:
        if getattr(machine, name, None) == cause:
            return words
    return "unknown"


def platform(config: "Record") -> Platform:
    """Platform of this board; a loop that hangs or loses a task for 8 s restarts it."""
    station: "Any" = network.WLAN(network.STA_IF)
    wifi = Wifi(station, config["wifi"])
    clock: "Any" = time
    ticks = Ticks(clock.ticks_ms, clock.ticks_diff)
    wifi.tick(ticks.now_ms(), False)
    watchdog = machine.WDT(timeout=WATCHDOG_MS)

    def care(now_ms: int, well: bool, broker_up: bool) -> None:
        if well:
            watchdog.feed()
        wifi.tick(now_ms, broker_up)

    serial = opener(config["pins"])
    return Platform(ticks.now_ms, new_id, serial, boot_cause(), machine.reset, care)
