"""What happened on the floor between two plans, in words: the reasons a plan has to change."""

from collections.abc import Iterable, Iterator

from controller.joints.changeovers import why_down
from controller.picture import FloorPicture
from controller.values import STOCK_KINDS, Machine

LATE_MS = 60_000
MOST = 3


def happened(before: FloorPicture, now: FloorPicture) -> list[str]:
    """Sentences about what changed, most telling first."""
    return [
        *_machines(before.machines, now.machines),
        *_operations(before, now),
        *_needs(before, now),
        *_lots(before, now),
        *_late(before, now),
    ]


def in_short(sentences: Iterable[str]) -> str:
    """The first few of them as one line."""
    said = list(sentences)
    more = f" and {len(said) - MOST} more" if len(said) > MOST else ""
    return "; ".join(said[:MOST]) + more


def _machines(before: Iterable[Machine], now: Iterable[Machine]) -> Iterator[str]:
    was = {machine.id: why_down(machine) for machine in before}
    for machine in now:
        down = why_down(machine)
        if machine.id not in was:
            yield f"{machine.name} joined the floor"
        elif down and down != was[machine.id]:
            yield f"{machine.name} {down}"
        elif was[machine.id] and not down:
            yield f"{machine.name} is back"


def _operations(before: FloorPicture, now: FloorPicture) -> Iterator[str]:
    was = {op.id: op for op in before.operations}
    for op in now.operations:
        known = was.get(op.id)
        if known is not None and op.attempts > known.attempts:
            yield f"{op.step} {op.id} failed"
        elif known is not None and op.state == "ready" and known.state == "ordered":
            yield f"{op.step} {op.id} was not taken"


def _needs(before: FloorPicture, now: FloorPicture) -> Iterator[str]:
    was = {need.id: need.state for need in before.needs}
    here = {need.id for need in now.needs}
    for need in now.needs:
        if need.state != "stated" and was.get(need.id, "stated") == "stated":
            yield f"need {need.id} was accepted"
    made = {op.need for op in now.operations}
    for need_id in was:
        if need_id not in here and need_id not in made and not _finished(before, need_id):
            yield f"need {need_id} was withdrawn"


def _finished(before: FloorPicture, need: str) -> bool:
    """Whether what was left of a need was being done: it ended, it was not taken back."""
    left = [op for op in before.operations if op.need == need]
    return all(op.state in ("running", "inspecting", "ordered") for op in left)


def _lots(before: FloorPicture, now: FloorPicture) -> Iterator[str]:
    was = {held.lot.id: held for held in before.lots}
    for held in now.lots:
        known = was.get(held.lot.id)
        if held.lot.kind not in STOCK_KINDS:
            continue
        if known is None:
            yield f"{held.lot.material} came in ({held.lot.id})"
        elif (held.lot.machine, held.lot.ch) != (known.lot.machine, known.lot.ch):
            where = f"was loaded in {held.lot.machine}" if held.lot.machine else "was taken out"
            yield f"{held.lot.id} {where}"
        elif held.mass_mg > known.mass_mg or held.pieces > known.pieces:
            yield f"more {held.lot.material} on {held.lot.id}"
        elif _empty(held.mass_mg, held.pieces) and not _empty(known.mass_mg, known.pieces):
            yield f"{held.lot.id} is empty"


def _empty(mass_mg: int, pieces: int) -> bool:
    return mass_mg <= 0 and pieces <= 0


def _late(before: FloorPicture, now: FloorPicture) -> Iterator[str]:
    """Operations under way past their planned end, said once each minute they grow."""
    was = before.at
    for op in now.operations:
        if op.state in ("running", "inspecting") and op.planned_end_at is not None:
            late_ms = now.at - op.planned_end_at
            if late_ms >= LATE_MS and late_ms // LATE_MS > (was - op.planned_end_at) // LATE_MS:
                yield f"{op.step} {op.id} runs {late_ms // 60_000} min late"
