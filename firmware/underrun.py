"""What a machine does when a streamed program stays away: stand still, park, cool down, give up.

The policy is the machine's (``underrun`` in its settings). A pause that a person asked for is the
person's to end; one that began here ends here, when the program is ahead again.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from protocols.records import Record

UNDERRUN_FIELDS = (
    ("park", ("text", 160), False, "lines to park with, separated by |; none when absent"),
    ("back", ("text", 160), False, "lines that undo park"),
    ("heat", ("word", ("keep", "drop")), False, "of the nozzle; keep when absent"),
    ("drop_s", ("int", 0, 86400), False, "heat is dropped after so long; 60 when absent"),
    ("timeout_s", ("int", 10, 604800), False, "the order is given up after; 1800 when absent"),
)
GRACE_MS = 2000  # a machine's own planner holds as much
WHY = "program does not come from the network"


class Underrun:
    """Watches one order. modes() tells the lines that restore the program's modes."""

    def __init__(
        self, settings: "Record", driver: "Any", ring: "Any", modes: "Callable[[], list[str]]"
    ) -> None:
        self._settings = settings
        self._driver = driver
        self._ring = ring
        self._modes = modes
        self._starved_ms = -1  # since when
        self._paused = False
        self._parked = False
        self._hot_mc = 0  # what was dropped

    def tick(self, starved: bool, now_ms: int) -> None:
        """Call several times a second."""
        if self._ring.failed:
            self._give_up(self._ring.failed)
        elif self._paused:
            self._wait(now_ms)
        elif not starved or self._driver.state not in ("running", "checking"):
            self._starved_ms = -1
        elif self._starved_ms < 0:
            self._starved_ms = now_ms
        elif now_ms - self._starved_ms > GRACE_MS and self._driver.state == "running":
            self._paused = True
            self._driver.pause(WHY)
        elif now_ms - self._starved_ms > self._timeout_ms():
            self._give_up(WHY)

    def _timeout_ms(self) -> int:
        return self._settings.get("timeout_s", 1800) * 1000

    def _give_up(self, why: str) -> None:
        self._paused = False
        self._starved_ms = -1
        self._driver.give_up(why)

    def _wait(self, now_ms: int) -> None:
        if self._driver.state == "running":  # a person went on before
            self._paused = self._parked = False
        elif self._ring.is_ahead():
            self._go_on()
        elif now_ms - self._starved_ms > self._timeout_ms():
            self._give_up(WHY)
        elif self._driver.state == "paused":
            self._stand(now_ms)

    def _stand(self, now_ms: int) -> None:
        if not self._parked:
            self._parked = True
            self._insert(self._lines("park"))
        late_s = (now_ms - self._starved_ms) // 1000
        if self._settings.get("heat") == "drop" and late_s >= self._settings.get("drop_s", 60):
            set_mc = self._driver.values.get("nozzle_set_mc", 0)
            if set_mc and not self._hot_mc:
                self._hot_mc = set_mc
                self._insert(["M104 S0"])

    def _go_on(self) -> None:
        if self._driver.state != "paused":  # it does not stand yet
            return
        lines = ["M109 S{}".format(self._hot_mc // 1000)] if self._hot_mc else []
        if self._parked:
            lines += self._lines("back")
        self._insert(lines)
        self._paused = self._parked = False
        self._starved_ms = -1
        self._hot_mc = 0
        self._driver.resume()

    def _lines(self, name: str) -> "list[str]":
        lines = [line.strip() for line in self._settings.get(name, "").split("|")]
        lines = [line for line in lines if line]
        return lines + self._modes() if lines else []

    def _insert(self, lines: "list[str]") -> None:
        self._driver.insert(lines)
