"""Operations, their precedence and job orders in the store."""

from collections.abc import Iterable

from sqlalchemy import bindparam, func, insert, select

from controller.adapters.store import tables
from controller.adapters.store.prepared import one_of
from controller.adapters.store.rows import Room, as_row, to_row
from controller.values import OPERATION_STATES, JobOrder, Operation
from protocols.orders import FINAL, ORDER_STATES

_operation = tables.operation
_link = tables.operation_link
_order = tables.job_order
# named one by one, so that the index on states finds them however long the history is
OPEN_OPERATIONS = tuple(s for s in OPERATION_STATES if s not in ("done", "cancelled"))
OPEN_ORDERS = tuple(s for s in ORDER_STATES if s not in FINAL)
_OPEN = one_of(_operation.c.state, OPEN_OPERATIONS)
_OF_NEED = (
    select(_operation).where(_operation.c.need == bindparam("need")).order_by(_operation.c.seq)
)
_OPERATIONS = select(_operation).where(_OPEN).order_by(_operation.c.seq)
_LINKS = select(_link.c.before, _link.c.after).where(
    _link.c.after.in_(select(_operation.c.id).where(_OPEN))
)
_BEFORE = (
    select(_operation)
    .where(_operation.c.id.in_(select(_link.c.before).where(_link.c.after == bindparam("of"))))
    .order_by(_operation.c.seq)
)
_AFTER = (
    select(_operation)
    .where(_operation.c.id.in_(select(_link.c.after).where(_link.c.before == bindparam("of"))))
    .order_by(_operation.c.seq)
)
_INPUTS = (
    select(_link.c.before, _link.c.pieces)
    .where(_link.c.after == bindparam("of"), _link.c.pieces > 0)
    .order_by(_link.c.before)
)
_ATTEMPTS = select(_order).where(_order.c.operation == bindparam("operation")).order_by(_order.c.ep)
_OPEN_ON = (
    select(_order)
    .where(_order.c.machine == bindparam("machine"), one_of(_order.c.state, OPEN_ORDERS))
    .order_by((_order.c.ep + 0).desc())  # the few that are open are sorted; not all walked by ep
    .limit(1)
)
_ORDERS = select(_order).where(one_of(_order.c.state, OPEN_ORDERS)).order_by(_order.c.ep)
_NEWEST_ON = (
    select(_order)
    .where(_order.c.machine == bindparam("machine"))
    .order_by(_order.c.ep.desc())
    .limit(1)
)
_UNSETTLED = (
    select(_order)
    .where(_order.c.state == "SUCCEEDED", _order.c.settled_at.is_(None))
    .order_by(_order.c.ep)
)
_UNSETTLED_ON = _UNSETTLED.where(_order.c.machine == bindparam("machine")).limit(1)


class OperationRoom(Room):
    """Operations of accepted needs and their precedence."""

    def get(self, operation: str) -> Operation | None:
        """One operation, or None."""
        return self._by(Operation, _operation, id=operation)

    def of_need(self, need: str) -> list[Operation]:
        """Operations of one need in routing order."""
        return self._each(Operation, _OF_NEED, need=need)

    def open(self) -> list[Operation]:
        """Operations neither done nor cancelled, oldest need first."""
        return self._each(Operation, _OPERATIONS)

    def of_needs(self, needs: Iterable[str]) -> list[Operation]:
        """Operations of several needs in routing order."""
        return self._all(
            Operation,
            select(_operation).where(_operation.c.need.in_(needs)).order_by(_operation.c.seq),
        )

    def in_state(self, *states: str) -> list[Operation]:
        """Operations in one of the states, oldest first."""
        return self._all(
            Operation,
            select(_operation).where(_operation.c.state.in_(states)).order_by(_operation.c.seq),
        )

    def links(self) -> list[tuple[str, str]]:
        """Precedence (before, after) among operations that are not all closed."""
        return [(row[0], row[1]) for row in self._rows(_LINKS)]

    def before(self, operation: str) -> list[Operation]:
        """Operations that must be done before this one."""
        return self._each(Operation, _BEFORE, of=operation)

    def after(self, operation: str) -> list[Operation]:
        """Operations that wait for this one."""
        return self._each(Operation, _AFTER, of=operation)

    def count_by_state(self) -> dict[str, int]:
        """How many operations are in each state."""
        rows = self._conn.execute(
            select(_operation.c.state, func.count()).group_by(_operation.c.state)
        )
        return {row[0]: row[1] for row in rows}

    def inputs(self, operation: str) -> list[tuple[str, int]]:
        """Operations whose output this one uses up, with the pieces taken of each."""
        return [(row[0], row[1]) for row in self._rows(_INPUTS, of=operation)]

    def add(self, operations: Iterable[Operation], links: Iterable[tuple[str, str, int]]) -> None:
        """Store the operations of a need and links (before, after, pieces handed on)."""
        last = self._last_seq(_operation)
        rows = [
            as_row(_operation, op) | {"seq": seq} for seq, op in enumerate(operations, last + 1)
        ]
        if rows:
            self._conn.execute(insert(_operation), rows)
        pairs = [{"before": b, "after": a, "pieces": pieces} for b, a, pieces in links]
        if pairs:
            self._conn.execute(insert(_link), pairs)

    def change(self, operation: str, **changes: object) -> None:
        """Change fields of one operation."""
        self._change(_operation, {"id": operation}, to_row(_operation, changes))


class OrderRoom(Room):
    """Job orders: attempts of operations, fenced by epochs."""

    def get(self, order: str) -> JobOrder | None:
        """One job order, or None."""
        return self._by(JobOrder, _order, id=order)

    def of_operation(self, operation: str) -> list[JobOrder]:
        """Attempts of one operation, oldest first."""
        return self._each(JobOrder, _ATTEMPTS, operation=operation)

    def open(self) -> list[JobOrder]:
        """Orders that are not final, oldest epoch first."""
        return self._each(JobOrder, _ORDERS)

    def open_on(self, machine: str) -> JobOrder | None:
        """The order a machine holds or is offered (the newest that is not final), or None."""
        return self._first(JobOrder, _OPEN_ON, machine=machine)

    def newest_on(self, machine: str) -> JobOrder | None:
        """The order a machine was offered last, or None."""
        return self._first(JobOrder, _NEWEST_ON, machine=machine)

    def unsettled_on(self, machine: str) -> JobOrder | None:
        """The oldest finished order on a machine whose result no person recorded yet, or None."""
        return self._first(JobOrder, _UNSETTLED_ON, machine=machine)

    def unsettled(self) -> list[JobOrder]:
        """Finished orders whose result no person recorded yet."""
        return self._each(JobOrder, _UNSETTLED)

    def page(self, limit: int) -> list[JobOrder]:
        """The newest orders, newest first."""
        return self._all(JobOrder, select(_order).order_by(_order.c.ep.desc()).limit(limit))

    def all(self) -> list[JobOrder]:
        """Every order, oldest epoch first."""
        return self._all(JobOrder, select(_order).order_by(_order.c.ep))

    def count_by_state(self) -> dict[str, int]:
        """How many orders are in each state."""
        rows = self._conn.execute(select(_order.c.state, func.count()).group_by(_order.c.state))
        return {row[0]: row[1] for row in rows}

    def add(self, order: JobOrder) -> None:
        """Store a new order."""
        self._put(_order, as_row(_order, order))

    def change(self, order: str, **changes: object) -> None:
        """Change fields of one order."""
        self._change(_order, {"id": order}, to_row(_order, changes))
