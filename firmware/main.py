"""Starts the firmware on a board, and on a PC: ``micropython firmware/main.py CONFIG.json``."""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CONFIG = "config.json"
WINDOW_S = 3  # after a start a person at the USB port can still interrupt; then no more


def _close_prompt() -> None:
    """Let nothing on the USB port interrupt the firmware any more: no prompt in production."""
    import time

    time.sleep(WINDOW_S)
    board: "Any" = __import__("micropython")
    board.kbd_intr(-1)


def main() -> int:
    """Run the machine of /config.json or of the file named; return an exit code."""
    if sys.platform in ("linux", "darwin"):
        import firmware.__main__ as entry

        return entry.main()
    from firmware import config as settings
    from firmware import start
    from firmware.board.platform import platform

    config = settings.load(CONFIG)
    if not config["prompt"]:
        _close_prompt()
    return start.run(CONFIG, platform(config))


if __name__ == "__main__":
    sys.path.insert(0, sys.path[0] + "/.." if sys.path and sys.path[0] else ".")
    sys.exit(main())
