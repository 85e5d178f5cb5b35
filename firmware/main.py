"""Starts the firmware on a board; copied to the top of its flash."""

from firmware import config as settings
from firmware import start

CONFIG = "config.json"


def main() -> int:
    """Run the machine of /config.json; return an exit code."""
    from firmware.board.platform import platform

    return start.run(CONFIG, platform(settings.load(CONFIG)))


if __name__ == "__main__":
    main()
