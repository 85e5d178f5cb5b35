"""What a machine is, the order it holds and what may become of either: journalled, then done.

``firmware.agent`` has the theory and the inputs; ``wants``, ``commands`` and ``update`` act here.
"""

from firmware.journal import CLAIM, FINAL, PROGRESS, JournalFull
from protocols.records import cut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from firmware.clock import FloorTime
    from firmware.journal import Journal
    from firmware.meter import Meter
    from protocols.records import Record


class Core:
    """One machine. ``now_ms`` is real time; ``changed`` says that up/state should be told."""

    def __init__(
        self,
        journal: "Journal",
        meter: "Meter",
        floor: "FloorTime",
        config: "Record",
        boot: "tuple[str, str]",
    ) -> None:
        self.journal = journal
        self.memory = journal.memory
        self.meter = meter
        self.floor = floor
        self.config = config  # its settings, see ``firmware.config``
        self.bn, self.boot_cause = boot
        self.actions: "list[tuple[Any, ...]]" = []
        self.changed = True
        self.dropped_n = 0  # faults the journal had no room for
        self.done_ppm = 0
        self.answers: "list[tuple[str, str, str]]" = []  # id, code, words of the last commands
        self.asked: "tuple[Any, ...]" = ()  # id of the command whose line is on the machine, since
        self.identity: "Record" = {}  # what the machine says it is
        self.now_ms = 0
        self.online = False  # the driver talks with its machine
        self.fault = self.need = ""
        self.upkeep = ""  # what is done to the machine itself; it takes no orders meanwhile
        self.why_no_update: "Callable[[], str] | None" = None  # where there are slots
        self.stopped = False
        self.want: "Record" = {"ph": "idle"}
        self.want_key = (-1, -1)  # its term and revision
        self.fetching: "Record | None" = None  # offer whose program is being fetched
        self.claimed: "Record" = {}  # offer that was claimed in this life
        self._started_ms = 0
        self.ending: "tuple[str, Record] | None" = None  # end of an order that found no room yet
        self._certain = True
        self._cancelled = False

    @property
    def state(self) -> str:
        """State of the machine, one of ``protocols.messages.MACHINE_STATES``."""
        if self.memory.order_state in ("running", "paused"):
            return "paused" if self.memory.order_state == "paused" else "busy"
        if self.stopped:
            return "stopped"
        if self.fault:
            return "fault"
        if self.upkeep:
            return "maintenance"
        return "idle" if self.online else "off"

    # order ---------------------------------------------------------------------------------------
    def is_free(self) -> bool:
        """Say whether an offer can be taken now."""
        return (
            self.state == "idle"
            and self.memory.ready
            and self.memory.order is None
            and self.ending is None
            and not self.asked
            and self.journal.has_room(CLAIM)
        )

    def decline(self, order: "Record", why: str) -> None:
        """Journal that an order {order, ep} is not taken, or given back before it started."""
        body = {"order": order["order"], "ep": order["ep"], "why": cut(why, 160)}
        self.tell("declined", body, FINAL)

    def start(self, want: "Record") -> None:
        """Make ``started`` durable, then run."""
        body = {"order": want["order"], "ep": want["ep"], "sha": want["prog"]["sha"]}
        if not self.tell("started", body, FINAL):
            return
        self._started_ms = self.now_ms
        self._certain = True
        self._cancelled = False
        lots = want.get("lots", [])
        self.meter.begin(body, lots, self._g90_sets_e(), self.now_ms)
        self.actions.append(("run", want))

    def _g90_sets_e(self) -> bool:
        """Say whether G90 and G91 switch E: set, or as the machine's firmware does."""
        said = self.identity.get("dialect", "marlin") == "marlin"
        return self.config.get("g90_sets_e", said)

    def cancel(self) -> None:
        """Ask the driver to end the order running; it ends when the machine did."""
        if not self._cancelled:
            self._cancelled = True
            self.actions.append(("cancel",))

    def stop(self) -> None:
        """Software emergency stop: a convenience, never a safety function."""
        self.stopped = True
        self._cancelled = True
        self._certain = False
        self.actions.append(("stop",))

    def clear(self) -> None:
        """A person confirmed that bed or fixture is clear and the machine is fit."""
        self.stopped = False
        self.fault = ""
        if self.online:  # else it says what the machine lacks, until it answers
            self.need = ""
        self.actions.append(("recover",))

    def paused(self, why: str) -> None:
        """The machine stands still in the order."""
        if self.memory.order_state == "running":
            self._tell_of_order("paused", {"why": cut(why, 160)})

    def resumed(self) -> None:
        """The machine goes on with the order."""
        self.need = ""
        if self.memory.order_state == "paused":
            self._tell_of_order("resumed", {}, FINAL)

    def ended(self, ok: bool, why: str, certain: bool) -> None:
        """The machine ended the order; certain = it did all that it acknowledged."""
        self._certain = self._certain and certain
        body: "Record" = {
            "ok": ok,
            "cancelled": self._cancelled and not ok,
            "len_um": self.meter.used_um(),
            "run_ms": (self.now_ms - self._started_ms) * self.floor.rate,
        }
        if why:
            body["why"] = cut(why, 160)
        self.ending = ("finished", body)
        self.end()

    def lost(self, why: str) -> None:
        """Nobody knows how far the machine came with the order."""
        self._certain = False
        self.ending = ("interrupted", {"why": cut(why, 160)})
        self.end()

    def end(self) -> None:
        """Journal the end of the order, after its material; tried again until there is room."""
        order, ending = self.memory.order, self.ending
        if order is None or ending is None:
            self.ending = None
            return
        try:
            self.meter.end(self._certain)
            self.meter.recover(order)
        except JournalFull:
            return
        ty, body = ending
        body["lines"] = max(self.meter.lines, order["lines"])
        if not self._tell_of_order(ty, body, FINAL):
            return
        self.ending = None
        if self.config["auto_ready"] and body.get("ok"):
            self.tell("op", {"who": "automatic", "act": "clear"}, FINAL)

    def _tell_of_order(self, ty: str, body: "Record", level: int = PROGRESS) -> bool:
        order = self.memory.order or {}
        body["order"], body["ep"] = order["order"], order["ep"]
        return self.tell(ty, body, level)

    # journal -------------------------------------------------------------------------------------
    def tell(self, ty: str, body: "Record", level: int = PROGRESS) -> bool:
        """Journal an event; False when there was no room and nothing happened."""
        event: "Record" = {"ty": ty}
        event.update(self.floor.stamp(self.now_ms))
        event.update(body)
        try:
            self.journal.append(event, None, level)
        except JournalFull:
            return False
        self.changed = True
        return True

    def note(self, command: "Record") -> bool:
        """Journal who did what; False when there is no room."""
        return self.tell("op", {"who": command["who"], "act": command["do"], "id": command["id"]})

    def tell_fault(self, code: str, text: str) -> None:
        """Journal a fault; a machine that tells one a second wears no flash out."""
        event: "Record" = {"ty": "fault", "code": code, "msg": cut(text, 160)}
        event.update(self.floor.stamp(self.now_ms))
        try:
            self.journal.gather(event, None, self.now_ms)
        except JournalFull:
            self.dropped_n += 1
        self.changed = True
