"""What a machine must remember over a power cut: a fold over its journal.

Nothing else changes it: an event or a note is first durable in the journal, then folded in here.
Events are the wire's (``protocols.messages.EVENTS``); notes are the machine's own and never sent:

    {"term": n}                          highest controller term seen
    {"ctr": {ch, lot, cum_mg, hwm_mg, nm, back_nm, open_mg, ug_per_m}}    where a counter stands
    {"lines": n}                         program lines acknowledged so far

A counter belongs to one channel and one lot. ``cum_mg`` is the mass drawn, ``hwm_mg`` the mass
that may be drawn before the journal must be written again, ``open_mg`` the part of ``cum_mg``
whose lines were perhaps not executed yet, ``nm`` the filament length behind ``cum_mg``,
``back_nm`` the length pulled back when the last program ended (the next program pushes it forward
again, which draws nothing).
"""

from protocols.orders import machine_step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from protocols.records import Record

MAX_COUNTERS = 16  # as many as up/hello carries
_ORDER_EVENTS = ("claim", "started", "paused", "resumed", "finished", "interrupted")


def new_counter(ch: int, lot: str) -> "Record":
    """Counter of a lot never drawn from in this journal."""
    return {
        "ch": ch,
        "lot": lot,
        "cum_mg": 0,
        "unc_mg": 0,
        "hwm_mg": 0,
        "nm": 0,
        "back_nm": 0,
        "ug_per_m": 0,
    }


class Memory:
    """State folded from the journal; ``apply`` and ``note`` are called by the journal only."""

    def __init__(self) -> None:
        self.term = 0
        self.last_ep = 0
        self.ready = False
        self.order: "Record | None" = None  # order, ep, st, claim_s, sha, lines
        self.loaded: "dict[int, str]" = {}
        self.counters: "dict[tuple[int, str], Record]" = {}
        self._folds: "dict[str, Callable[[Record], None]]" = {
            "claim": self._claim,
            "declined": self._declined,
            "started": self._started,
            "paused": self._order_event,
            "resumed": self._order_event,
            "finished": self._order_event,
            "interrupted": self._order_event,
            "material": self._material,
            "load": self._load,
            "unload": self._unload,
            "op": self._op,
        }

    @property
    def order_state(self) -> str:
        """State of the order held, as in ``protocols.orders.MACHINE_ORDER``."""
        return self.order["st"] if self.order else "none"

    def counter(self, ch: int, lot: str) -> "Record":
        """Counter of a lot; a new one when it was never drawn from (not yet remembered)."""
        return self.counters.get((ch, lot)) or new_counter(ch, lot)

    # fold ----------------------------------------------------------------------------------------
    def check(self, event: "Record") -> None:
        """Raise IllegalEvent when an event cannot happen now; nothing changes."""
        if event["ty"] in _ORDER_EVENTS:
            machine_step(self.order_state, event["ty"])

    def apply(self, event: "Record") -> None:
        """Fold one event."""
        fold = self._folds.get(event["ty"])
        if fold is not None:
            fold(event)

    def note(self, note: "Record") -> None:
        """Fold one note."""
        self.term = max(self.term, note.get("term", 0))
        if self.order and "lines" in note:
            self.order["lines"] = note["lines"]
        if "ctr" in note:
            self._counter(note["ctr"]).update(note["ctr"])

    def _counter(self, value: "Record") -> "Record":
        key = (value["ch"], value["lot"])
        if key not in self.counters:
            self.counters[key] = new_counter(value["ch"], value["lot"])
        return self.counters[key]

    def _order_event(self, event: "Record") -> None:
        after = machine_step(self.order_state, event["ty"])
        if after == "none":
            self.order = None
        elif self.order:
            self.order["st"] = after

    def _claim(self, event: "Record") -> None:
        self.last_ep = max(self.last_ep, event["ep"])
        self.order = {
            "order": event["order"],
            "ep": event["ep"],
            "st": "claimed",
            "claim_s": event["s"],
            "sha": "",
            "lines": 0,
        }

    def _declined(self, event: "Record") -> None:
        self.last_ep = max(self.last_ep, event["ep"])
        if self.order and self.order["ep"] == event["ep"]:
            self._order_event(event)

    def _started(self, event: "Record") -> None:
        self._order_event(event)
        self.ready = False
        if self.order:
            self.order["sha"] = event["sha"]

    def _material(self, event: "Record") -> None:
        counter = self._counter(event)
        counter["cum_mg"] = max(counter["cum_mg"], event["cum_mg"])
        counter["unc_mg"] = event["unc_mg"]
        counter["hwm_mg"] = max(counter["hwm_mg"], event["cum_mg"])

    def _load(self, event: "Record") -> None:
        self.loaded[event["ch"]] = event["lot"]

    def _unload(self, event: "Record") -> None:
        self.loaded.pop(event["ch"], None)

    def _op(self, event: "Record") -> None:
        if event["act"] in ("clear", "console"):  # a line of a person may leave anything there
            self.ready = event["act"] == "clear"

    # snapshot ------------------------------------------------------------------------------------
    def snapshot(self) -> "Record":
        """Everything, as JSON values; the twin of ``restore``."""
        return {
            "term": self.term,
            "last_ep": self.last_ep,
            "ready": self.ready,
            "order": self.order,
            "loaded": [[ch, self.loaded[ch]] for ch in sorted(self.loaded)],
            "counters": [self.counters[key] for key in sorted(self.counters)],
        }

    def restore(self, value: "Record") -> None:
        """Become what a snapshot says."""
        self.term = value["term"]
        self.last_ep = value["last_ep"]
        self.ready = value["ready"]
        self.order = value["order"]
        self.loaded = {item[0]: item[1] for item in value["loaded"]}
        self.counters = {(c["ch"], c["lot"]): c for c in value["counters"]}

    def forget_counters(self) -> None:
        """Start all material counters anew; only together with a new journal id."""
        self.counters = {}

    def forget_ready(self) -> None:
        """Nobody can say any more that the machine was confirmed clear."""
        self.ready = False
