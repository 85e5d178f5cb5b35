"""``/main.py`` of a board, and ``micropython main.py ROOT`` on a PC: starts the firmware of a slot.

With ``slots.py`` and ``flash.py`` beside it, it is the only code an update never touches; keep it
small. ROOT (the top of flash on a board) holds the slots ``a`` and ``b`` and ``config.json``.
Ends with RESTART on a PC when it is to be started again; a board resets itself.
"""

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

RESTART = 64
_RESTART_S = 2  # time for a person at the USB port to interrupt a loop of restarts


def _load(root: str, slot: str) -> "Any":
    """The slot's main function."""
    sys.path.insert(0, root + "/" + slot)
    if sys.platform in ("linux", "darwin"):
        import firmware.__main__ as entry

        sys.argv[1:] = [root + "/config.json"]
    else:
        import firmware.main as entry
    return entry.main


def _restart() -> None:
    time.sleep(_RESTART_S)
    try:
        reset: "Any" = getattr(__import__("machine"), "reset", None)
    except ImportError:
        reset = None
    if reset is None:
        sys.exit(RESTART)
    reset()


def _tell(error: BaseException) -> None:
    show: "Any" = getattr(sys, "print_exception", None)
    if show is not None:
        show(error)
    else:
        sys.stderr.write(repr(error) + "\n")


def run(root: str, slots: "Any", flash: "Any") -> int:
    """Choose a slot, run it; return its exit code, or restart when it failed."""

    def has_slot(slot: str) -> bool:
        try:
            os.stat(root + "/" + slot + "/manifest")
            return True
        except OSError:
            return False

    try:
        main = _load(root, slots.choose(flash))
    except (ImportError, SyntaxError, MemoryError, AttributeError, NameError, TypeError) as error:
        _tell(error)
        slots.fall_back(flash, has_slot)
        _restart()
        return RESTART
    try:
        return main()
    except Exception as error:  # noqa: BLE001  (top of the firmware: told, then started again)
        _tell(error)
        _restart()
        return RESTART


def main() -> int:
    """Run from the folder this file is in, or the one named."""
    root = sys.argv[1] if len(sys.argv) > 1 else ""
    sys.path.insert(0, root or "/")
    import slots  # type: ignore[import-not-found]  # beside this file on flash
    from flash import Flash  # type: ignore[import-not-found]

    chosen: "Any" = slots
    store: "Any" = Flash(root)
    sys.path.pop(0)
    return run(root, chosen, store)


if __name__ == "__main__":
    sys.exit(main())
