"""The machine's side of the order protocol: runs each order at most once. No I/O but the journal.

Theory. The controller tells what it wants (``dn/want``: idle, offer, grant, stop), retained and
repeated; the agent pursues the last want it heard whenever anything changes. What the machine is
about to do is journalled before it does it:

    offer --fetch, verify--> claim --grant quoting the claim--> started --motion--> finished

- An offer is taken only with an epoch above every epoch seen; the epoch is durable with the claim.
- A grant counts only when it quotes this journal's own claim, and the claim is gone with the first
  ``started``: so an epoch starts at most once, whatever arrives twice, late or out of order.
- ``started`` is durable before the first byte that can cause motion. A start of the firmware that
  finds an order running does not resume it: it reports ``interrupted`` and a person decides.
- READY is not IDLE: motion takes readiness away, only a person (or a sensor) gives it back.
- A message of a lower controller term than seen is ignored.

Inputs are method calls; what to do comes out of ``actions``, tuples for the app to carry out:

    ("fetch", ep, program)          get and verify a program, then call ``fetched``
    ("run", want)                   start streaming: ``started`` is durable
    ("pause",) ("resume",) ("cancel",) ("stop",) ("identify",)   for the driver
    ("console", line)               for the driver, which tells ("answered", lines, why)
    ("note", command)               journal a stop, now that its bytes are out: call ``noted``
    ("recover",)                    a person cleared the machine: try to take it up again
    ("update", release)             install a firmware release
    ("say", leaf, message)          publish
"""

from firmware.commands import CONSOLE_MS, answer, answered, note
from firmware.journal import CLAIM, FINAL, PROGRESS, JournalFull
from firmware.reports import cut, hello
from firmware.wants import PHASES, take

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from firmware.clock import FloorTime
    from firmware.journal import Journal
    from firmware.meter import Meter
    from firmware.update import Update
    from protocols.records import Record

LOUD_CAUSES = ("failed", "watchdog", "brown-out")  # of a start: journalled, for people to see


class Options:
    """What kind of machine this is."""

    def __init__(
        self, dialect: str, auto_ready: bool = False, g90_sets_e: "bool | None" = None
    ) -> None:
        self.dialect = dialect
        self.auto_ready = auto_ready
        self.g90_sets_e = g90_sets_e


class Agent:
    """One machine. ``now_ms`` is real time; ``changed`` says that up/state should be told."""

    def __init__(
        self,
        journal: "Journal",
        meter: "Meter",
        floor: "FloorTime",
        options: Options,
        boot: "tuple[str, str]",
    ) -> None:
        self.journal = journal
        self.memory = journal.memory
        self.meter = meter
        self.floor = floor
        self.options = options
        self.bn, self.boot_cause = boot
        self.actions: "list[tuple[Any, ...]]" = []
        self.changed = True
        self.fenced_n = 0  # messages of an old term or revision, ignored
        self.dropped_n = 0  # faults the journal had no room for
        self.done_ppm = 0
        self.answers: "list[tuple[str, str, str]]" = []  # id, code, words of the last commands
        self.asked: "tuple[Any, ...]" = ()  # id of the command whose line is on the machine, since
        self.identity: "Record" = {}  # what the machine says it is
        self.now_ms = 0
        self.online = False  # the driver talks with its machine
        self.fault = self.need = ""
        self.upkeep = ""  # what is done to the machine itself; it takes no orders meanwhile
        self.update: "Update | None" = None  # where there are slots
        self.stopped = False
        self.want: "Record" = {"ph": "idle"}
        self._want_key = (-1, -1)
        self.fetching: "Record | None" = None  # offer whose program is being fetched
        self.claimed: "Record" = {}  # offer that was claimed in this life
        self._started_ms = 0
        self._ending: "Record | None" = None  # end of an order that found no room yet
        self._certain = True
        self._cancelled = False
        self._leaves: "dict[str, Callable[[Record], None]]" = {
            "dn/want": self._on_want,
            "dn/ack": self._on_ack,
            "dn/cmd": self._on_cmd,
            "dn/time": self._on_time,
        }
        self._drives: "dict[str, Callable[..., None]]" = {
            "online": self._on_online,
            "offline": self._on_offline,
            "paused": self._on_paused,
            "resumed": self._on_resumed,
            "ended": self._on_ended,
            "lost": self._on_lost,
            "fault": self._on_fault,
            "need": self._on_need,
            "identity": self._on_identity,
            "answered": self._on_answered,
        }

    # what the machine is -------------------------------------------------------------------------
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

    # inputs --------------------------------------------------------------------------------------
    def boot(self, now_ms: int) -> None:
        """First call of a life: say what became of the order that an earlier life held."""
        self.now_ms = now_ms
        if self.journal.damaged:
            self._tell_fault("journal-damaged", "flash lost part of the journal")
        if self.boot_cause.startswith(LOUD_CAUSES[0]) or self.boot_cause in LOUD_CAUSES:
            self._tell_fault("restarted", "last life ended: " + self.boot_cause)
        order = self.memory.order
        if order and order["st"] == "claimed":
            self.decline(order, "restarted before start")
        elif order:
            self._certain = False
            self._ending = {"ty": "interrupted", "why": "restarted: " + self.boot_cause}
            self._end()

    def receive(self, leaf: str, message: "Record", now_ms: int) -> None:
        """Take a decoded dn/ message."""
        self.now_ms = now_ms
        if self._is_fenced(message.get("term")):
            self.fenced_n += 1
            return
        self._leaves[leaf](message)
        self.pursue()

    def drive(self, event: "tuple[Any, ...]", now_ms: int) -> None:
        """Take an event of the driver."""
        self.now_ms = now_ms
        self._drives[event[0]](*event[1:])
        self.changed = True
        self.pursue()

    def fetched(self, ep: int, why: str, now_ms: int) -> None:
        """Take the end of a fetch: why is "" when the program is here and verified."""
        self.now_ms = now_ms
        offer = self.fetching
        if offer is None or offer["ep"] != ep:
            return
        self.fetching = None
        take(self, offer, why)
        self.pursue()

    def tick(self, now_ms: int) -> None:
        """Call several times a second."""
        self.now_ms = now_ms
        if self._ending:
            self._end()
            self.pursue()
        if self.asked and now_ms - self.asked[1] > CONSOLE_MS:
            self._on_answered([], "no answer in 30 s")
        self.journal.tick(now_ms)
        try:
            self.meter.tick(now_ms)
        except JournalFull:
            pass  # the counter is cumulative: told later

    def pursue(self) -> None:
        """Do what the last want asks for, as far as it can be done now."""
        PHASES[self.want["ph"]](self, self.want)

    # fences --------------------------------------------------------------------------------------
    def _is_fenced(self, term: "int | None") -> bool:
        if term is None or term == self.memory.term:
            return False
        if term < self.memory.term:
            return True
        try:
            self.journal.note({"term": term}, FINAL)
        except JournalFull:
            return True
        return False

    def _on_want(self, want: "Record") -> None:
        key = (want["term"], want["rev"])
        if key < self._want_key:
            self.fenced_n += 1
            return
        self._want_key, self.want = key, want

    def _on_ack(self, ack: "Record") -> None:
        if ack["jid"] == self.journal.jid:
            self.journal.ack(ack["s"])
            if ack["s"] < self.journal.acked:  # it has less than it said: an older store, say
                self.actions.append(("say", "up/hello", hello(self)))

    def _on_time(self, message: "Record") -> None:
        self.floor.hear(message["t"], message["rate"], self.now_ms)

    def _on_cmd(self, command: "Record") -> None:
        self._respond(answer(self, command))

    def _respond(self, body: "Record | None") -> None:
        if body is not None:
            self.actions.append(("say", "up/rsp", body))
        self.changed = True

    def noted(self, command: "Record") -> None:
        """Journal who gave a command that was done without waiting for flash."""
        note(self, command)

    def _on_answered(self, lines: "list[str]", why: str) -> None:
        self._respond(answered(self, lines, why))

    # order -----------------------------------------------------------------------------------
    def is_free(self) -> bool:
        """Say whether an offer can be taken now."""
        return (
            self.state == "idle"
            and self.memory.ready
            and self.memory.order is None
            and self._ending is None
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
        if self.options.g90_sets_e is not None:
            return self.options.g90_sets_e
        return self.identity.get("dialect", "marlin") == "marlin"

    # while an order runs ---------------------------------------------------------------------
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

    def _on_online(self) -> None:
        if not self.online:
            self.need = ""
        self.online = True

    def _on_identity(self, identity: "Record") -> None:
        if identity != self.identity:
            self.identity = identity
            self.actions.append(("say", "up/hello", hello(self)))

    def _on_offline(self, why: str) -> None:
        self.online = False
        self.need = why
        self._respond(answered(self, [], why))

    def _on_need(self, text: str) -> None:
        self.need = text

    def _on_fault(self, code: str, text: str) -> None:
        self.fault = text or code
        self._tell_fault(code, text)

    def _on_paused(self, why: str) -> None:
        if self.memory.order_state == "running":
            self.tell("paused", self._order_body({"why": cut(why, 160)}))

    def _on_resumed(self) -> None:
        self.need = ""
        if self.memory.order_state == "paused":
            self.tell("resumed", self._order_body({}), FINAL)

    def _on_ended(self, ok: bool, why: str, certain: bool) -> None:
        self._certain = self._certain and certain
        self._ending = {
            "ty": "finished",
            "ok": ok,
            "cancelled": self._cancelled and not ok,
            "len_um": self.meter.used_um(),
            "run_ms": (self.now_ms - self._started_ms) * self.floor.rate,
        }
        if why:
            self._ending["why"] = cut(why, 160)
        self._end()

    def _on_lost(self, why: str) -> None:
        self._certain = False
        self._ending = {"ty": "interrupted", "why": cut(why, 160)}
        self._end()

    # end of an order ---------------------------------------------------------------------------
    def _end(self) -> None:
        """Journal the end of the order, after its material; tried again until there is room."""
        order, ending = self.memory.order, self._ending
        if order is None or ending is None:
            self._ending = None
            return
        try:
            self.meter.end(self._certain)
            self.meter.recover(order)
            body = self._order_body(ending)
            body["lines"] = max(self.meter.lines, order["lines"])
            body.update(self.floor.stamp(self.now_ms))
            self.journal.append(body, None, FINAL)
        except JournalFull:
            return
        self._ending = None
        self.changed = True
        if self.options.auto_ready and ending.get("ok"):
            self.tell("op", {"who": "automatic", "act": "clear"}, FINAL)

    def _order_body(self, body: "Record") -> "Record":
        order = self.memory.order or {}
        value: "Record" = {"order": order["order"], "ep": order["ep"]}
        value.update(body)
        return value

    # journal ---------------------------------------------------------------------------------
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

    def _tell_fault(self, code: str, text: str) -> None:
        """Journal a fault; a machine that tells one a second wears no flash out."""
        event: "Record" = {"ty": "fault", "code": code, "msg": cut(text, 160)}
        event.update(self.floor.stamp(self.now_ms))
        try:
            self.journal.gather(event, None, self.now_ms)
        except JournalFull:
            self.dropped_n += 1
        self.changed = True
