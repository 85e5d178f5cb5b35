"""``python -m firmware CONFIG.json`` and the same with MicroPython on a PC."""

import sys

from firmware import start


def main() -> int:
    """Run the machine of the settings file named on the command line; return an exit code."""
    if len(sys.argv) != 2:
        sys.stderr.write("usage: python -m firmware CONFIG.json\n")
        return 2
    if sys.implementation.name == "micropython":
        from firmware.unix.platform import platform
    else:
        from firmware.pc.platform import platform
    return start.run(sys.argv[1], platform())


if __name__ == "__main__":
    sys.exit(main())
