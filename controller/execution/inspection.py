"""Inspection: what a person found at the end of an order becomes a verdict; limits decide alone."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller.execution import people
from controller.execution.outcome import Verdict
from controller.execution.steps import operation_of
from controller.routed import SignOff
from controller.values import JobOrder, Json, Operation, Refused

if TYPE_CHECKING:
    from controller.adapters.store import Tx

MAX_NOTE = 500
LARGEST = 10**12


@dataclass(frozen=True, slots=True)
class Findings:
    """What a person says: good, bad or rework; ticks, values in whole units, a note."""

    who: str
    result: str
    pieces: int | None = None
    checks: tuple[str, ...] = ()
    values: dict[str, int] = field(default_factory=dict[str, int])
    note: str = ""


def judge(tx: "Tx", order: JobOrder, found: Findings) -> Verdict:
    """Verdict from findings; raise Refused naming what is missing or cannot be."""
    operation = operation_of(tx, order)
    if found.result not in people.RESULTS:
        raise Refused("bad-result", "result", "must be good, bad or rework")
    if len(found.note) > MAX_NOTE:
        raise Refused("too-long", "note", f"must be at most {MAX_NOTE} characters")
    outside = _outside(operation.work.get("measures", ()), found)
    if found.result == "good" and not outside:
        _complete(tx, order, operation, found)
        return Verdict(good=True, who=found.who, pieces=found.pieces)
    why = "; ".join(outside) or found.note
    return Verdict(good=False, who=found.who, mend=found.result != "bad", why=why)


def _outside(measures: list[Json], found: Findings) -> list[str]:
    """Values outside their limits, in words; raise Refused for values nobody asked for."""
    asked = {measure["name"]: measure for measure in measures}
    outside: list[str] = []
    for name, value in sorted(found.values.items()):
        if name not in asked:
            known = ", ".join(asked) or "none"
            raise Refused(
                "unknown-value", f"values.{name}", f"is not asked for here; asked: {known}"
            )
        if abs(value) > LARGEST:
            raise Refused("bad-value", f"values.{name}", "is out of bounds")
        measure = asked[name]
        if not measure["low"] <= value <= measure["high"]:
            limits = f"{measure['low']} to {measure['high']}"
            outside.append(f"{name} is {value} {measure['unit']}, not {limits}")
    return outside


def _complete(tx: "Tx", order: JobOrder, operation: Operation, found: Findings) -> None:
    """Raise Refused when something is missing for good."""
    work = operation.work
    for measure in work.get("measures", ()):
        if measure["name"] not in found.values:
            title = measure.get("title") or measure["name"]
            raise Refused("missing", f"values.{measure['name']}", f"measure it first: {title}")
    for words in work.get("checks", ()):
        if words not in found.checks:
            raise Refused("missing", "checks", f"not ticked: {words}")
    if work.get("photo") and not tx.routes.photos(order.id):
        raise Refused("missing", "photo", "take a photo first")
    left_s = timer_left_s(tx, order, operation)
    if left_s:
        raise Refused("too-early", "timer", f"wait {left_s} s more")


def timer_left_s(tx: "Tx", order: JobOrder, operation: Operation) -> int:
    """Seconds until an operation may be signed off; 0 when it may."""
    wait_s = int(operation.work.get("timer_s", 0))
    if not wait_s or order.started_at is None:
        return wait_s
    return max(0, -(-(order.started_at + wait_s * 1000 - tx.now_ms) // 1000))


def sign_off(tx: "Tx", order: JobOrder, found: Findings) -> SignOff:
    """Record findings and settle the order by them; raise Refused and change nothing."""
    verdict = judge(tx, order, found)
    photos = [photo.sha for photo in tx.routes.photos(order.id)]
    signed = SignOff(
        order_id=order.id,
        operation=order.operation,
        who=found.who,
        at=tx.now_ms,
        result="good" if verdict.good else "rework" if verdict.mend else "bad",
        checks=list(found.checks),
        values=dict(found.values),
        photos=photos,
        note=found.note,
        why=verdict.why,
    )
    tx.routes.sign(signed)
    people.settle_now(tx, order, verdict)
    return signed
