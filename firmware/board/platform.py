"""What a board offers the firmware: Wi-Fi, UART, watchdog, cause of the start."""

import time

import machine
import network

from firmware.app import Platform
from firmware.board.serial import opener
from firmware.clock import Ticks
from firmware.start import new_id

WATCHDOG_MS = 8000  # RP2040 takes at most 8388
_CAUSES = {
    getattr(machine, "PWRON_RESET", -1): "power on",
    getattr(machine, "HARD_RESET", -2): "hard reset",
    getattr(machine, "WDT_RESET", -3): "watchdog",
    getattr(machine, "DEEPSLEEP_RESET", -4): "deep sleep",
    getattr(machine, "SOFT_RESET", -5): "soft reset",
}


def join(wifi):
    """Ask the radio to join a network and stay; the link waits until it has."""
    station = network.WLAN(network.STA_IF)
    station.active(True)
    if not station.isconnected():
        station.connect(wifi["ssid"], wifi["password"])


def platform(config: "dict[str, object]") -> Platform:
    """Platform of this board; from here on a loop that hangs for 8 s restarts it."""
    join(config["wifi"])
    watchdog = machine.WDT(timeout=WATCHDOG_MS)
    ticks = Ticks(time.ticks_ms, time.ticks_diff)

    def now_ms():
        watchdog.feed()  # asked for by every turn of the loop, by nothing else
        return ticks.now_ms()

    cause = _CAUSES.get(machine.reset_cause(), "unknown")
    return Platform(now_ms, new_id, opener(config["pins"]), cause, machine.reset)
