"""Needs: what communities state that they want made."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from controller.places import room_of
from controller.plates import hand_over
from controller.routed import RoutedNeed
from controller.values import (
    NEED_CLASSES,
    DesignRow,
    Need,
    NeedRequest,
    Operation,
    Refused,
)

if TYPE_CHECKING:
    from controller.adapters.store import Tx

MAX_TEXT = 500
MAX_KEY = 120
MAX_QUANTITY = 10_000
MAX_BATCH = 1_000
MAX_AT = 253_402_300_799_999  # the last millisecond of the year 9999
_ENDED = ("done", "cancelled")
Router = Callable[[DesignRow, int], RoutedNeed]


@dataclass(frozen=True, slots=True)
class Line:
    """Outcome of one line of a batch: the need, or why it was refused."""

    line: int
    need: Need | None
    refused: Refused | None


def state(tx: "Tx", request: NeedRequest, router: Router) -> Need:
    """Store a need and its operations; the same key and content gives the same need.

    Raises Refused naming the field; code ``conflict`` when the key was used for another need.
    """
    request = _named(tx, request)
    _check_text(request)
    known = tx.needs.by_key(request.key)
    if known is not None:
        return _same(known, request)
    design = _check_content(tx, request)
    routing = router(design, request.quantity)
    need = Need(
        **asdict(request),
        id=f"n{tx.site.next('need')}",
        state="stated",
        reason="waits to be shared out",
        created_at=tx.now_ms,
    )
    tx.needs.add(need)
    _add_operations(tx, need, routing)
    too_large = room_of(tx, [need.id]).too_large()
    if too_large:
        raise Refused("no-room", "quantity", too_large)
    tx.notice("need", need.id, f"{request.community} needs {request.quantity} x {request.part}")
    tx.effects.replan = True
    return need


def state_batch(
    tx: "Tx", requests: Sequence[NeedRequest], router: Router, *, all_or_nothing: bool = False
) -> list[Line]:
    """State many needs; per-line outcomes, or Refused for the first bad line and nothing stored."""
    if len(requests) > MAX_BATCH:
        raise Refused("too-many", "", f"{len(requests)} needs at once, at most {MAX_BATCH}")
    lines: list[Line] = []
    for number, request in enumerate(requests, 1):
        try:
            with tx.savepoint():
                lines.append(Line(number, state(tx, request, router), None))
        except Refused as refused:
            if all_or_nothing:
                message = f"line {number}: {refused.message}"
                raise Refused(refused.code, refused.field, message) from refused
            lines.append(Line(number, None, refused))
    return lines


def withdraw(tx: "Tx", need: str, who: str) -> Need:
    """Take a need back: what has not begun is cancelled, what runs is let end; raise Refused."""
    found = tx.needs.get(need)
    if found is None:
        raise Refused("unknown-need", "need", f"there is no need {need}")
    if found.state == "withdrawn":
        return found
    if found.state in ("delivered", "refused"):
        raise Refused("too-late", "need", f"{need} is {found.state} already")
    for operation in tx.operations.of_need(need):
        if hand_over(tx, operation):
            continue
        if operation.state in ("waiting", "ready", "planned", "held"):
            tx.operations.change(
                operation.id, state="cancelled", reason=f"need withdrawn by {who}", machine=None
            )
        elif operation.state == "ordered":
            _take_back(tx, operation, who)
    _give_room_back(tx, need)
    tx.needs.change(need, state="withdrawn", reason=f"withdrawn by {who}")
    tx.notice("need", need, f"{need} was withdrawn by {who}")
    tx.effects.replan = True
    changed = tx.needs.get(need)
    assert changed is not None
    return changed


def _give_room_back(tx: "Tx", need: str) -> None:
    """Slots are free again; what lies there is spare from now on, and somebody must take it."""
    lying = [op for op in tx.operations.of_need(need) if op.place and op.state in _ENDED]
    for operation in lying:
        tx.operations.change(operation.id, place=None)
    if lying:
        places = ", ".join(sorted({op.place or "" for op in lying}))
        tx.notice("attention", need, f"take what was made for {need} out of {places}: it is spare")


def _take_back(tx: "Tx", operation: Operation, who: str) -> None:
    """Ask the machine to give an order back; before the grant that is done at once."""
    if operation.machine is None:
        return
    order = tx.orders.open_on(operation.machine)
    if order is None or order.operation != operation.id:
        return
    tx.orders.change(order.id, stop_asked_by=who)
    tx.touch(operation.machine)


def _named(tx: "Tx", request: NeedRequest) -> NeedRequest:
    """The request with the part that its design makes, where it names none."""
    design = None if request.part else tx.designs.get(request.design)
    return request if design is None else replace(request, part=str(design.profile.get("part", "")))


def _check_text(request: NeedRequest) -> None:
    if not request.key or len(request.key) > MAX_KEY:
        raise Refused("bad-key", "key", f"must be 1 to {MAX_KEY} characters")
    for field in ("note", "stated_by"):
        if len(getattr(request, field)) > MAX_TEXT:
            raise Refused("too-long", field, f"must be at most {MAX_TEXT} characters")


def _check_content(tx: "Tx", request: NeedRequest) -> DesignRow:
    if not 1 <= request.quantity <= MAX_QUANTITY:
        raise Refused("bad-quantity", "quantity", f"must be between 1 and {MAX_QUANTITY}")
    if request.need_class not in NEED_CLASSES:
        raise Refused("bad-class", "need_class", f"must be one of {', '.join(NEED_CLASSES)}")
    if request.due_at is not None and not 0 < request.due_at <= MAX_AT:
        raise Refused("bad-due", "due_at", "must be ms of UTC since 1970")
    if tx.communities.get(request.community) is None:
        known = ", ".join(c.id for c in tx.communities.all()) or "none yet"
        raise Refused(
            "unknown-community", "community", f"{request.community} is not known; known: {known}"
        )
    design = tx.designs.get(request.design)
    if design is None:
        known = ", ".join(d.id for d in tx.designs.all()) or "none yet"
        raise Refused("unknown-design", "design", f"{request.design} is not known; known: {known}")
    part = design.profile.get("part")
    if request.part != part:
        raise Refused("unknown-part", "part", f"design {design.id} makes {part}")
    return design


def _same(known: Need, request: NeedRequest) -> Need:
    different = [name for name, value in asdict(request).items() if getattr(known, name) != value]
    if different:
        message = f"this key was used for {known.id}, which differs in {', '.join(different)}"
        raise Refused("conflict", different[0], message + ": use a new key for a new need")
    return known


def _add_operations(tx: "Tx", need: Need, routing: RoutedNeed) -> None:
    waits = {after for _, after, _ in routing.links}
    names = [f"{need.id}-{number}" for number in range(1, len(routing.operations) + 1)]
    operations = [
        Operation(
            **asdict(routed),
            id=names[place],
            need=need.id,
            state="waiting" if place in waits else "ready",
            reason=_first_reason(routing, place),
        )
        for place, routed in enumerate(routing.operations)
    ]
    links = [(names[before], names[after], pieces) for before, after, pieces in routing.links]
    tx.operations.add(operations, links)


def _first_reason(routing: RoutedNeed, place: int) -> str:
    steps = sorted({routing.operations[b].step for b, after, _ in routing.links if after == place})
    return f"waits for {' and '.join(steps)}" if steps else "not planned yet"
