"""Starts the firmware on whatever runs this: a board, MicroPython on a PC, CPython."""

import asyncio
import os
import sys
from binascii import hexlify

from firmware.app import App, Platform
from firmware.flash import Flash
from firmware.overlay import forget
from protocols.errors import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from protocols.records import Record


def new_id() -> str:
    """Random id of 12 hexadecimal digits."""
    return hexlify(os.urandom(6)).decode()


def new_driver(dialect: str) -> "Any":
    """Driver of a dialect; only the one needed is loaded, memory is dear on a board."""
    if dialect == "grbl":
        from firmware.drivers.grbl import Grbl

        return Grbl()
    from firmware.drivers.marlin import Marlin

    return Marlin()


def app(config: "Record", platform: Platform) -> App:
    """Firmware of one machine."""
    driver = new_driver(config["dialect"])
    flash: "Any" = Flash(config["flash"])
    if platform.wrap_flash is not None:
        flash = platform.wrap_flash(flash)
    made = App(config, flash, driver, platform)
    if "update" in config:
        add_update(made, config["update"], platform)
    return made


def add_update(made: App, settings: "Record", platform: Platform) -> None:
    """Let a machine whose firmware was started from a slot be updated; raise WireError."""
    from firmware import slots, update

    root = settings["root"]
    key = update.key_of(settings["key"])
    running = [slot for slot in slots.SLOTS if root + "/" + slot in sys.path]
    if not running:  # started by hand: nobody would start the other slot
        return

    def installer(note: "Callable[[str], None]") -> "Any":
        from firmware.fetch import download
        from firmware.installer import Installer, SlotFlash

        return Installer(SlotFlash(root + "/" + slots.other(running[0])), key, download, note)

    made.update = update.Update(
        made.agent,
        Flash(root),
        running[0],
        installer,
        platform.restart,
    )
    made.update.healthy_s = settings.get("healthy_s", update.HEALTHY_S)


def run(path: str, platform: Platform) -> int:
    """Run the machine of a settings file until interrupted; return an exit code."""
    from firmware import config as settings  # needed once

    try:
        made = app(settings.load(path), platform)
    except WireError as error:
        sys.stderr.write("firmware: " + str(error) + "\n")
        return 2
    del settings
    forget("firmware.config")
    try:
        asyncio.run(made.run())
    except (KeyboardInterrupt, asyncio.CancelledError):
        made.leave()  # MicroPython's asyncio runs no finally then
    return 0
