"""Whether the firmware is well, and what is said and kept when it is not. Values in, values out.

The watchdog is fed by a turn of the main loop and only while every task lives and has been seen
turning. A task that fails ends the firmware: last words make the machine safe, the reason is kept
on flash for the next start to tell.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LATE_MS = 70000  # longest quiet turn of the link: a connect of 10 s and a pause of 45 s
LEAST_FREE_B = 3072  # of heap, below which an idle machine starts anew
_PANIC = "panic.txt"
_MAX_BYTES = 120
# cool and stand still, past every queue: unnumbered lines Marlin takes, GRBL's hold and reset
LAST_WORDS = {"marlin": b"\nM108\nM104 S0\nM140 S0\nM107\n", "grbl": b"!\x18"}


class Heartbeats:
    """Tasks by name, and when those that must turn were last seen turning."""

    def __init__(self) -> None:
        self._tasks: "dict[str, Any]" = {}
        self._seen_ms: "dict[str, int]" = {}

    def watch(self, name: str, task: "Any", now_ms: int = 0) -> None:
        """Watch a task; with a time, it must be seen turning too."""
        self._tasks[name] = task
        if now_ms:
            self._seen_ms[name] = now_ms

    def seen(self, name: str, now_ms: int) -> None:
        """A task turned."""
        self._seen_ms[name] = now_ms

    def missing(self, now_ms: int) -> str:
        """Name of a task that ended or hangs, "" when all are well."""
        for name in self._tasks:
            if self._tasks[name].done():
                return name
        for name in self._seen_ms:
            if now_ms - self._seen_ms[name] > LATE_MS:
                return name
        return ""


def keep_panic(flash: "Any", where: str, error: BaseException) -> str:
    """Keep why the firmware ends, as well as flash allows; return it."""
    text = "{}: {!r}".format(where, error)[:_MAX_BYTES]
    try:
        with flash.open(_PANIC, "wb") as file:
            file.write(text.encode())
            flash.sync(file)
    except OSError:
        pass
    return text


def take_panic(flash: "Any") -> str:
    """Why the last life ended by itself, "" when it did not; told once."""
    try:
        with flash.open(_PANIC, "rb") as file:
            kept = file.read()
        flash.remove(_PANIC)
    except (OSError, KeyError):  # none, or flash fails: the machine begins all the same
        return ""
    try:
        return kept.decode()
    except UnicodeError:
        return "of its words only part was kept"


def boot_cause(flash: "Any", board_says: str) -> str:
    """Why this life began: the failure that ended the last one, else what the board says."""
    failed = take_panic(flash)
    return "failed: " + failed if failed else board_says
