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
    ("note", command)               journal a stop, now that its bytes are out: call ``note``
    ("recover",)                    a person cleared the machine: try to take it up again
    ("update", release)             install a firmware release
    ("say", leaf, message)          publish
    ("hello",)                      publish who and how this machine is
"""

from firmware.commands import CONSOLE_MS, answer, answered
from firmware.core import Core
from firmware.journal import CLAIM, FINAL, JournalFull
from firmware.memory import MAX_COUNTERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from protocols.records import Record

LOUD_CAUSES = ("failed", "watchdog", "brown-out")  # of a start: journalled, for people to see


class Agent(Core):
    """One machine, by what it hears: from the controller and from its driver."""

    # inputs --------------------------------------------------------------------------------------
    def boot(self, now_ms: int) -> None:
        """First call of a life: say what became of the order that an earlier life held."""
        self.now_ms = now_ms
        if self.journal.damaged:
            self.tell_fault("journal-damaged", "flash lost part of the journal")
        if self.boot_cause.split(":")[0] in LOUD_CAUSES:
            self.tell_fault("restarted", "last life ended: " + self.boot_cause)
        order = self.memory.order
        if order and order["st"] == "claimed":
            self.decline(order, "restarted before start")
        elif order:
            self.lost("restarted: " + self.boot_cause)

    def receive(self, leaf: str, message: "Record", now_ms: int) -> None:
        """Take a decoded dn/ message."""
        self.now_ms = now_ms
        if self._is_fenced(message.get("term")):
            return
        _LEAVES[leaf](self, message)
        self.pursue()

    def drive(self, event: "tuple[Any, ...]", now_ms: int) -> None:
        """Take an event of the driver."""
        self.now_ms = now_ms
        _DRIVES[event[0]](self, *event[1:])
        self.changed = True
        self.pursue()

    def fetched(self, ep: int, why: str, now_ms: int) -> None:
        """Take the end of a fetch: why is "" when the program is here and verified."""
        self.now_ms = now_ms
        offer = self.fetching
        if offer is None or offer["ep"] != ep:
            return
        self.fetching = None
        _take(self, offer, why)
        self.pursue()

    def tick(self, now_ms: int) -> None:
        """Call several times a second."""
        self.now_ms = now_ms
        if self.ending:
            self.end()
            self.pursue()
        if self.asked and now_ms - self.asked[1] > CONSOLE_MS:
            _on_answered(self, [], "no answer in 30 s")
        self.journal.tick(now_ms)
        try:
            self.meter.tick(now_ms)
        except JournalFull:
            pass  # the counter is cumulative: told later

    def pursue(self) -> None:
        """Do what the last want asks for, as far as it can be done now."""
        _PHASES[self.want["ph"]](self, self.want)

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


# what is heard ---------------------------------------------------------------------------------


def _on_want(core: "Core", want: "Record") -> None:
    key = (want["term"], want["rev"])
    if key >= core.want_key:
        core.want_key, core.want = key, want


def _on_ack(core: "Core", ack: "Record") -> None:
    if ack["jid"] == core.journal.jid:
        core.journal.ack(ack["s"])
        if ack["s"] < core.journal.acked:  # it has less than it said: an older store, say
            core.actions.append(("hello",))


def _on_time(core: "Core", message: "Record") -> None:
    core.floor.hear(message["t"], message["rate"], core.now_ms)


def _on_cmd(core: "Core", command: "Record") -> None:
    _respond(core, answer(core, command))


def _respond(core: "Core", body: "Record | None") -> None:
    if body is not None:
        core.actions.append(("say", "up/rsp", body))
    core.changed = True


def _on_answered(core: "Core", lines: "list[str]", why: str) -> None:
    _respond(core, answered(core, lines, why))


def _on_online(core: "Core") -> None:
    if not core.online:
        core.need = ""
    core.online = True


def _on_identity(core: "Core", identity: "Record") -> None:
    if identity != core.identity:
        core.identity = identity
        core.actions.append(("hello",))


def _on_offline(core: "Core", why: str) -> None:
    core.online = False
    core.need = why
    _respond(core, answered(core, [], why))


def _on_need(core: "Core", text: str) -> None:
    core.need = text


def _on_fault(core: "Core", code: str, text: str) -> None:
    core.fault = text or code
    core.tell_fault(code, text)


# pursuing what the controller wants ------------------------------------------------------------
# One function per phase of dn/want. Each may be called at any time with the last want heard, and
# does nothing when nothing is left to do: repeated, late and foreign wants are harmless.


def _idle(core: "Core", want: "Record") -> None:
    order = core.memory.order
    if order and order["st"] == "claimed":
        core.decline(order, "withdrawn")


def _stop(core: "Core", want: "Record") -> None:
    order = core.memory.order
    if not order or not _names(want, order):
        return
    if order["st"] == "claimed":
        core.decline(order, "withdrawn")
    else:
        core.cancel()


def _offer(core: "Core", want: "Record") -> None:
    if want.get("ep", 0) <= core.memory.last_ep or "prog" not in want or "order" not in want:
        return
    _idle(core, want)  # an older claim is withdrawn by a newer offer
    if not core.is_free() or _lacks_counters(core, want):
        return
    why = _refusal(core, want)
    if why:
        core.decline(want, why)
    elif core.fetching is None or core.fetching["ep"] != want["ep"]:
        core.fetching = want
        core.actions.append(("fetch", want["ep"], want["prog"]))


def _take(core: "Core", offer: "Record", why: str) -> None:
    """Claim an offer whose program is here, or decline it when why says what is wrong."""
    if core.want["ph"] != "offer" or core.want.get("ep") != offer["ep"] or not core.is_free():
        return
    if why:
        core.decline(offer, why)
    elif core.tell("claim", {"order": offer["order"], "ep": offer["ep"], "bn": core.bn}, CLAIM):
        core.claimed = offer
        core.done_ppm = 0


def _grant(core: "Core", want: "Record") -> None:
    order = core.memory.order
    if not order or order["st"] != "claimed" or not _quotes_claim(core, want, order):
        return
    why = _grant_refusal(core, want)
    if why:
        core.decline(order, why)
    else:
        core.start(want)


def _names(want: "Record", order: "Record") -> bool:
    return want.get("order") == order["order"] and want.get("ep") == order["ep"]


def _quotes_claim(core: "Core", want: "Record", order: "Record") -> bool:
    claim: "Record" = want.get("claim", {})
    quoted = (claim.get("jid"), claim.get("s"))
    same_boot = claim.get("bn", core.bn) == core.bn  # a clone of the flash is another boot
    return _names(want, order) and same_boot and quoted == (core.journal.jid, order["claim_s"])


def _grant_refusal(core: "Core", want: "Record") -> str:
    if core.claimed.get("ep") != want["ep"] or "prog" not in want:
        return "program is not here"
    if want["prog"]["sha"] != core.claimed["prog"]["sha"]:
        return "grant names another program than the offer"
    if core.state != "idle":
        return "machine is " + core.state
    if not core.memory.ready:
        return "machine is not ready"
    if _lacks_counters(core, want):
        return "too many lots for one journal"
    return _refusal(core, want)


def _refusal(core: "Core", want: "Record") -> str:
    if want["prog"]["kind"] != core.config["dialect"]:
        return "program is for " + want["prog"]["kind"] + ", not " + core.config["dialect"]
    for lot in want.get("lots", ()):
        loaded = core.memory.loaded.get(lot["ch"])
        if loaded is not None and loaded != lot["lot"]:
            return "channel {} holds {}, not {}".format(lot["ch"], loaded, lot["lot"])
    return ""


def _lacks_counters(core: "Core", want: "Record") -> bool:
    """Say whether lots must wait for a counter; a journal begun anew has room for others."""
    keys = [(lot["ch"], lot["lot"]) for lot in want.get("lots", ())]
    new = [key for key in keys if key not in core.memory.counters]
    if len(core.memory.counters) + len(new) <= MAX_COUNTERS:
        return False
    if core.journal.acked == core.journal.hi and core.memory.order is None:
        core.journal.renew()
        core.actions.append(("hello",))
        return False
    return True


_PHASES: "dict[str, Callable[[Core, Record], None]]" = {
    "idle": _idle,
    "offer": _offer,
    "grant": _grant,
    "stop": _stop,
}
_LEAVES: "dict[str, Callable[[Core, Record], None]]" = {
    "dn/want": _on_want,
    "dn/ack": _on_ack,
    "dn/cmd": _on_cmd,
    "dn/time": _on_time,
}
_DRIVES: "dict[str, Callable[..., None]]" = {
    "online": _on_online,
    "offline": _on_offline,
    "paused": Core.paused,
    "resumed": Core.resumed,
    "ended": Core.ended,
    "lost": Core.lost,
    "fault": _on_fault,
    "need": _on_need,
    "identity": _on_identity,
    "answered": _on_answered,
}
