"""Starts the firmware on whatever runs this: a board, MicroPython on a PC, CPython."""

import asyncio
import os
import sys
from binascii import hexlify

from firmware import config as settings
from firmware.app import App, Platform
from firmware.flash import Flash
from protocols.errors import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

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
    return App(config, Flash(config["flash"]), driver, platform)


def run(path: str, platform: Platform) -> int:
    """Run the machine of a settings file until interrupted; return an exit code."""
    try:
        config = settings.load(path)
    except WireError as error:
        sys.stderr.write("firmware: " + str(error) + "\n")
        return 2
    try:
        asyncio.run(app(config, platform).run())
    except (KeyboardInterrupt, asyncio.CancelledError):
        pass
    return 0
