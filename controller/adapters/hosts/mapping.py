"""What a reading of a machine means for a job order: pure tables, no connection, no store.

Events are the difference between the order as the store has it and the machine as it is seen, so
they need no journal at the machine: the same sight again gives the same events until they are
committed, and none afterwards. What cannot be known ends the order unknown.
"""

from typing import Any, NamedTuple

from controller.adapters.hosts.contract import BROKEN, ENDED, PAUSED, RUNNING, WAITING, Job, Reading

Json = dict[str, Any]
MATERIAL_STEP_MG = 1000


class Part(NamedTuple):
    """What an order draws of a lot: filament (ug_per_m, planned mass) or pieces of piece_mg."""

    ch: int
    lot: str
    ug_per_m: int = 0
    planned_mg: int = 0
    piece_mg: int = 0


class Asked(NamedTuple):
    """The start that was asked of a machine, durable before it was: file name, its life then."""

    name: str
    run: str


class Held(NamedTuple):
    """The machine's order as the store has it; counted = cumulative mg by (ch, lot).

    takes: why the machine cannot take it whatever it says of itself, "" when it can.
    """

    order: str
    ep: int
    state: str
    name: str
    begun: bool
    stop_asked: bool
    sha: str
    done_ppm: int
    parts: tuple[Part, ...]
    counted: dict[tuple[int, str], int]
    asked: Asked | None = None
    cannot: str = ""


class Known(NamedTuple):
    """What is known of our own calls for the order.

    sure: none can still be under way. refused: why the machine did not begin it, "" if not.
    proven: that refusal answered the only start ever asked.
    """

    sure: bool
    refused: str = ""
    proven: bool = False


# How an order's job looks besides the contract's own words.
BLIND = "blind"
NEVER = "never"  # not told, and that proves that it never began
GONE = "gone"  # not told, and it may have begun

_BROKEN = ("uncertain", "interrupted")
_END = ("material", "finished")
_LOST = {look: _BROKEN for look in (BROKEN, GONE, NEVER, WAITING)}
_GRANTED: dict[str, tuple[str, ...]] = {
    RUNNING: ("started", "material"),
    PAUSED: ("started", "material", "paused"),
    ENDED: ("started", *_END),
    BROKEN: ("started", *_BROKEN),
    GONE: _BROKEN,
}
# state of the order: how its job looks -> events in order
EVENTS: dict[str, dict[str, tuple[str, ...]]] = {
    "GRANTED": _GRANTED,
    "RUNNING": {
        RUNNING: ("material",),
        PAUSED: ("material", "paused"),
        ENDED: _END,
        **_LOST,
    },
    "PAUSED": {
        RUNNING: ("material", "resumed"),
        PAUSED: ("material",),
        ENDED: _END,
        **_LOST,
    },
    "UNKNOWN": {ENDED: _END},
}
_DOUBT: dict[str, tuple[str, ...]] = {
    RUNNING: ("material", "resumed"),
    PAUSED: ("material", "paused"),
    ENDED: _END,
    **_LOST,
}


def look_of(held: Held, seen: Reading, known: Known) -> str:
    """How the order's job looks at the machine."""
    job = seen.jobs.get(held.name)
    if job is not None:
        return job.state
    if seen.blind:
        return BLIND
    asked = held.asked
    if asked is None or asked.name != held.name or known.proven:
        return NEVER
    return NEVER if asked.run and asked.run == seen.run else GONE


def derive(held: Held, seen: Reading, known: Known) -> list[Json]:
    """Events that bring the order up to what is seen."""
    look = look_of(held, seen, known)
    if held.state == "OFFERED":
        return [_offered(held, seen)]
    if held.state not in EVENTS and held.state != "IN_DOUBT":
        return []
    begun = held.begun or held.state not in ("GRANTED", "IN_DOUBT")
    if not begun and look in (NEVER, WAITING):
        why = known.refused or ("stopped before it began" if held.stop_asked else "")
        return [_declined(held, why)] if why and known.sure else []
    if look == GONE and not known.sure:
        return []
    table = EVENTS.get(held.state) or (_DOUBT if begun else _GRANTED)
    job = seen.jobs.get(held.name, Job(look))
    return [event for kind in table.get(look, ()) for event in _EVENT[kind](held, job)]


def next_call(held: Held, seen: Reading, known: Known) -> str:
    """What to ask of the machine for the order now: start, cancel, or "" for nothing."""
    look = look_of(held, seen, known)
    if held.stop_asked:
        wanted = held.state in ("GRANTED", "RUNNING", "PAUSED", "IN_DOUBT")
        return "cancel" if wanted and look in (RUNNING, PAUSED) else ""
    if held.begun or held.state not in ("GRANTED", "IN_DOUBT"):
        return ""
    return "start" if look in (NEVER, WAITING) and known.sure else ""


def unfit(seen: Reading) -> str:
    """Why a machine takes no order now, in words; "" when it does."""
    foreign = [name for name, job in sorted(seen.jobs.items()) if job.state in (RUNNING, PAUSED)]
    if seen.fault:
        return seen.fault
    if foreign:
        return f"busy with {foreign[0]}"
    if seen.need:
        return seen.need
    return "" if seen.state == "idle" and not seen.blind else f"is {seen.state}"


def words(text: str) -> str:
    """Text of a machine as a reason on the wire: one line of at most 150 bytes."""
    line = "".join(c if c.isprintable() else " " for c in text).strip()
    return line.encode()[:150].decode("utf-8", "ignore")


def _base(held: Held, kind: str) -> Json:
    return {"ty": kind, "order": held.order, "ep": held.ep}


def _declined(held: Held, why: str) -> Json:
    return {**_base(held, "declined"), "why": words(why)}


def _offered(held: Held, seen: Reading) -> Json:
    known = "the machine already knows a job of this name" if held.name in seen.jobs else ""
    why = held.cannot or known or unfit(seen)
    return _declined(held, why) if why else _base(held, "claim")


def _started(held: Held, job: Job) -> list[Json]:
    return [{**_base(held, "started"), "sha": held.sha}]


def _paused(held: Held, job: Job) -> list[Json]:
    return [{**_base(held, "paused"), "why": words(job.why) or "paused at the machine"}]


def _resumed(held: Held, job: Job) -> list[Json]:
    return [_base(held, "resumed")]


def _finished(held: Held, job: Job) -> list[Json]:
    lengths = [] if job.estimated or job.used_um is None else list(job.used_um)
    event: Json = {**_base(held, "finished"), "ok": job.ok, "lines": 0, "len_um": lengths}
    event["run_ms"] = job.run_ms
    if not job.ok:
        event["why"] = words(job.why) or "ended early at the machine"
        event["cancelled"] = held.stop_asked
    return [event]


def _interrupted(held: Held, job: Job) -> list[Json]:
    asked = "it was asked to start and does not tell whether it did"
    why = words(job.why) or ("the machine no longer tells of it" if held.begun else asked)
    return [{**_base(held, "interrupted"), "lines": 0, "why": why}]


def _material(held: Held, job: Job) -> list[Json]:
    """Counters that grew by a step, or at all once the job does not run any more."""
    step = MATERIAL_STEP_MG if job.state in (RUNNING, PAUSED) else 1
    found: list[Json] = []
    for at, part in enumerate(held.parts):
        before = held.counted.get((part.ch, part.lot), 0)
        cum_mg, unc_mg, source = _drawn(held, job, at)
        if cum_mg - before >= step:
            found.append(_counter(held, part, (cum_mg, unc_mg, source)))
    return found


def _drawn(held: Held, job: Job, at: int) -> tuple[int, int, str]:
    """Mass drawn of a part, how much of it is uncertain, and by which source."""
    part, used = held.parts[at], job.used_um
    if part.piece_mg:
        return part.planned_mg, 0, "piece"
    source = "estimate" if job.estimated else "host"
    by_tool = used is not None and (len(used) > 1 or len(held.parts) == 1)
    if used is not None and by_tool and part.ug_per_m and len(used) > part.ch:
        return used[part.ch] * part.ug_per_m // 1_000_000_000, 0, source
    planned = part.planned_mg * max(job.done_ppm, held.done_ppm) // 1_000_000
    if job.state == ENDED and job.ok:
        planned = part.planned_mg
    return planned, planned, "estimate"


def _uncertain(held: Held, job: Job) -> list[Json]:
    """All that was planned may have been drawn: what was not counted yet is declared uncertain."""
    found: list[Json] = []
    for part in held.parts:
        before = held.counted.get((part.ch, part.lot), 0)
        if before < part.planned_mg:
            rest = (part.planned_mg, part.planned_mg - before, "estimate")
            found.append(_counter(held, part, rest))
    return found


def _counter(held: Held, part: Part, drawn: tuple[int, int, str]) -> Json:
    cum_mg, unc_mg, source = drawn
    event = {**_base(held, "material"), "ch": part.ch, "lot": part.lot}
    return {**event, "cum_mg": cum_mg, "unc_mg": unc_mg, "src": source}


_EVENT = {
    "started": _started,
    "paused": _paused,
    "resumed": _resumed,
    "finished": _finished,
    "interrupted": _interrupted,
    "material": _material,
    "uncertain": _uncertain,
}
