"""What a cell's job list means for a job order: pure tables, no connection, no store.

The adapter looks at the cell and compares what it sees with the order as the store has it, inside
the transaction that will hold the result. Events are the difference. So they need no journal in
the cell: seen again after a crash, the same sight gives the same events, and once they are
committed it gives none.
"""

from typing import Any, NamedTuple

from controller.adapters.opcua.condition import Condition
from protocols import isa95
from protocols.isa95 import JobState

Json = dict[str, Any]


class Part(NamedTuple):
    """Equal pieces the order draws of a lot: channel, lot, mass of one, how many."""

    ch: int
    lot: str
    piece_mg: int
    pieces: int = 1

    @property
    def whole_mg(self) -> int:
        """Mass of all of them."""
        return self.piece_mg * self.pieces


class Held(NamedTuple):
    """The machine's order as the store has it; counted = cumulative mg by (ch, lot)."""

    order: str
    ep: int
    state: str
    run: str
    begun: bool
    stop_asked: bool
    sha: str
    parts: tuple[Part, ...]
    counted: dict[tuple[int, str], int]


class Amount(NamedTuple):
    """Consumed of one lot: pieces, or a mass when the cell weighs (mass_mg >= 0)."""

    pieces: int
    mass_mg: int = -1


class SeenJob(NamedTuple):
    """A job as the cell lists and reports it; times are the cell's own, 0 = not given."""

    state: JobState
    answered: bool = False  # a job response exists
    result: int = isa95.RESULT_UNKNOWN
    reason: str = ""
    started_ms: int = 0
    ended_ms: int = 0
    consumed: tuple[tuple[str, Amount], ...] = ()


class Seen(NamedTuple):
    """A cell looked at: ``run`` names the run of its server, ``unfit`` why it takes no order."""

    run: str
    jobs: dict[str, SeenJob]
    unfit: str = ""
    condition: Condition = Condition()


# How a job looks, seen from the order that asked for it.
ABSENT = "absent"  # not listed, and the cell's server runs since the claim: it never arrived
LOST = "lost"  # not listed, but the server was restarted since: it may have been begun
WAITING = "waiting"
RUNNING = "running"
HELD = "held"
ENDED = "ended"
UNBEGUN = "unbegun"  # ended without ever being started

_BROKEN = ("uncertain", "interrupted")
_DONE = ("material", "finished")
# state of the order: how the job looks -> events, in order. "uncertain" is material of unknown use.
EVENTS: dict[str, dict[str, tuple[str, ...]]] = {
    "GRANTED": {
        LOST: _BROKEN,
        RUNNING: ("started", "material"),
        HELD: ("started", "material", "paused"),
        ENDED: ("started", *_DONE),
        UNBEGUN: ("declined",),
    },
    "RUNNING": {
        ABSENT: _BROKEN,
        LOST: _BROKEN,
        RUNNING: ("material",),
        HELD: ("material", "paused"),
        ENDED: _DONE,
        UNBEGUN: _DONE,
    },
    "PAUSED": {
        ABSENT: _BROKEN,
        LOST: _BROKEN,
        RUNNING: ("material", "resumed"),
        HELD: ("material",),
        ENDED: _DONE,
        UNBEGUN: _DONE,
    },
    "UNKNOWN": {ENDED: _DONE},
}
_DOUBT_BEGUN: dict[str, tuple[str, ...]] = {
    ABSENT: _BROKEN,
    LOST: _BROKEN,
    RUNNING: ("material", "resumed"),
    HELD: ("material", "paused"),
    ENDED: _DONE,
    UNBEGUN: _DONE,
}


def look_of(held: Held, seen: Seen) -> str:
    """How the order's job looks in the cell."""
    job = seen.jobs.get(isa95.format_job_id(held.order, held.ep))
    if job is None:
        return ABSENT if held.run == seen.run else LOST
    number = job.state.number
    if number in (isa95.NOT_ALLOWED, isa95.ALLOWED):
        return WAITING
    if number in isa95.FINAL:
        return UNBEGUN if job.answered and not job.started_ms else ENDED
    return RUNNING if number == isa95.RUNNING else HELD


class Known(NamedTuple):
    """What the adapter knows of its own calls for the order.

    sure: no call for it can still be under way. refused: why the cell did not take it, "" if not.
    """

    sure: bool
    refused: str = ""


def derive(held: Held, seen: Seen, known: Known) -> list[Json]:
    """Events that bring the order up to what is seen."""
    look = look_of(held, seen)
    if held.state == "OFFERED":
        return [_offer_event(held, seen)]
    if held.state == "GRANTED" and look == ABSENT:
        why = "stopped before it began" if held.stop_asked else known.refused
        return [_declined(held, why)] if why and known.sure else []
    if held.state == "IN_DOUBT":
        kinds = (_DOUBT_BEGUN if held.begun else EVENTS["GRANTED"]).get(look, ())
    else:
        kinds = EVENTS.get(held.state, {}).get(look, ())
    job = seen.jobs.get(isa95.format_job_id(held.order, held.ep))
    return [event for kind in kinds for event in _EVENT[kind](held, job, seen)]


def next_call(held: Held, seen: Seen, known: Known) -> str:
    """Method to call for the order now; "" for none. Judged after the events are applied."""
    look = look_of(held, seen)
    job = seen.jobs.get(isa95.format_job_id(held.order, held.ep))
    if held.stop_asked and held.state in ("GRANTED", "RUNNING", "PAUSED", "IN_DOUBT"):
        return {WAITING: "Cancel", RUNNING: "Stop", HELD: "Stop"}.get(look, "")
    if held.state not in ("GRANTED", "IN_DOUBT") or held.begun:
        return ""
    if look == ABSENT and known.sure:
        return "StoreAndStart"
    not_allowed = job is not None and job.state.number == isa95.NOT_ALLOWED
    return "Start" if not_allowed else ""


def stale_call(job: SeenJob) -> str:
    """Method that ends a job whose order the site has closed."""
    waits = job.state.number in (isa95.NOT_ALLOWED, isa95.ALLOWED)
    return "Cancel" if waits else "Abort"


def done_ppm(held: Held, job: SeenJob | None) -> int:
    """Share of the order's pieces that the cell has taken."""
    if job is None or not held.parts:
        return 0
    taken = sum(1 for part, mass in _drawn(held.parts, job) if mass >= part.whole_mg)
    return taken * 1_000_000 // len(held.parts)


def progress(seen: Seen) -> dict[str, int]:
    """Telemetry of a cell's job list: how many jobs it lists, how many it has in hand."""
    at_work = [j for j in seen.jobs.values() if j.state.number in isa95.AT_WORK]
    return {"jobs_n": len(seen.jobs), "running_n": len(at_work)}


class Difference(NamedTuple):
    """Pieces of a lot that a job was planned to take, and what the cell says it took."""

    lot: str
    planned: int
    taken: int


def differences(planned: tuple[tuple[str, int], ...], job: SeenJob) -> list[Difference]:
    """Where an ended job took other pieces than planned, by the cell's own account.

    What it gives in mass is the ledger's business; a lot that nobody planned counts as 0 planned.
    """
    if not job.answered:
        return []
    taken = {lot: amount.pieces for lot, amount in job.consumed if amount.mass_mg < 0}
    weighed = {lot for lot, amount in job.consumed if amount.mass_mg >= 0}
    wanted = dict(planned)
    lots = sorted((taken.keys() | wanted.keys()) - weighed)
    found = [Difference(lot, wanted.get(lot, 0), taken.get(lot, 0)) for lot in lots]
    return [one for one in found if one.planned != one.taken]


def words(text: str) -> str:
    """Text of a cell as a reason on the wire: one line of at most 150 bytes."""
    line = "".join(c if c.isprintable() else " " for c in text).strip()
    while len(line.encode()) > 150:
        line = line[:-1]
    return line


def _base(held: Held, kind: str) -> Json:
    return {"ty": kind, "order": held.order, "ep": held.ep}


def _offer_event(held: Held, seen: Seen) -> Json:
    listed = isa95.format_job_id(held.order, held.ep) in seen.jobs
    why = "the cell already lists this order" if listed else seen.unfit
    return _declined(held, why) if why else _base(held, "claim")


def _declined(held: Held, why: str) -> Json:
    return {**_base(held, "declined"), "why": words(why)}


def _started(held: Held, job: SeenJob | None, seen: Seen) -> list[Json]:
    return [{**_base(held, "started"), "sha": held.sha}]


def _unbegun(held: Held, job: SeenJob | None, seen: Seen) -> list[Json]:
    reason = job.reason if job else ""
    return [_declined(held, reason or "ended at the cell before it began")]


def _paused(held: Held, job: SeenJob | None, seen: Seen) -> list[Json]:
    assert job is not None
    why = "protective stop" if seen.condition.protective_stop else job.reason
    return [{**_base(held, "paused"), "why": words(why) or isa95.state_words(job.state)}]


def _resumed(held: Held, job: SeenJob | None, seen: Seen) -> list[Json]:
    return [_base(held, "resumed")]


def _finished(held: Held, job: SeenJob | None, seen: Seen) -> list[Json]:
    assert job is not None
    ended = job.state.number == isa95.ENDED
    plain = job.result == isa95.RESULT_UNKNOWN and not held.stop_asked
    ok = ended and (job.result == isa95.RESULT_SUCCESSFUL or plain)
    took = job.ended_ms - job.started_ms if job.started_ms and job.ended_ms else 0
    event: Json = {**_base(held, "finished"), "ok": ok, "lines": 0, "len_um": []}
    event["run_ms"] = max(0, took)
    if not ok:
        event["why"] = words(job.reason) or isa95.state_words(job.state)
        event["cancelled"] = held.stop_asked
    return [event]


def _interrupted(held: Held, job: SeenJob | None, seen: Seen) -> list[Json]:
    restarted = held.run != seen.run
    why = "the cell restarted and lost its job list" if restarted else "the cell lost the job"
    return [{**_base(held, "interrupted"), "lines": 0, "why": why}]


def _material(held: Held, job: SeenJob | None, seen: Seen) -> list[Json]:
    assert job is not None
    return [
        _counter(held, part, mass, 0)
        for part, mass in _drawn(held.parts, job)
        if mass > held.counted.get((part.ch, part.lot), 0)
    ]


def _uncertain(held: Held, job: SeenJob | None, seen: Seen) -> list[Json]:
    """Every piece may have been taken: what was not counted yet is declared uncertain."""
    events: list[Json] = []
    for part in held.parts:
        known = held.counted.get((part.ch, part.lot), 0)
        if known < part.whole_mg:
            events.append(_counter(held, part, part.whole_mg, part.whole_mg - known))
    return events


def _counter(held: Held, part: Part, cum_mg: int, unc_mg: int) -> Json:
    return {
        **_base(held, "material"),
        "ch": part.ch,
        "lot": part.lot,
        "cum_mg": cum_mg,
        "unc_mg": unc_mg,
        "src": "piece",
    }


def _drawn(parts: tuple[Part, ...], job: SeenJob) -> list[tuple[Part, int]]:
    """Mass drawn of each part: what the cell consumed of a lot fills its parts in turn."""
    left = dict(job.consumed)
    drawn: list[tuple[Part, int]] = []
    for part in parts:
        amount = left.get(part.lot, Amount(0))
        if amount.mass_mg >= 0:
            mass = min(part.whole_mg, amount.mass_mg)
            left[part.lot] = Amount(0, amount.mass_mg - mass)
        else:
            taken = min(part.pieces, amount.pieces)
            mass = part.piece_mg * taken
            left[part.lot] = Amount(amount.pieces - taken)
        drawn.append((part, mass))
    return drawn


_EVENT = {
    "started": _started,
    "declined": _unbegun,
    "paused": _paused,
    "resumed": _resumed,
    "finished": _finished,
    "interrupted": _interrupted,
    "material": _material,
    "uncertain": _uncertain,
}
