"""Lots and what the ledger says of them."""

from functools import cache

from sqlalchemy import bindparam, delete, func, insert, or_, select

from controller.adapters.store import commons_tables, tables
from controller.adapters.store.prepared import Query, one_of
from controller.adapters.store.rows import Room, as_row, to_row
from controller.commons.records import OrderDiscrepancy
from controller.values import STOCK_KINDS, Balance, EconomicEvent, Json, Lot, LotBalance

_lot = tables.lot
_balance = tables.balance
_event = tables.economic_event
_doubt = commons_tables.order_discrepancy


_HELD = (_balance.c.mass_mg.label("held_mg"), _balance.c.pieces.label("held_n"))
_JOINED = select(_lot, *_HELD).join_from(_lot, _balance, _balance.c.lot == _lot.c.id, isouter=True)
_ONE = _JOINED.where(_lot.c.id == bindparam("lot"))
_ON = _JOINED.where(_lot.c.machine == bindparam("machine")).order_by(_lot.c.ch)
_ON_HAND = _JOINED.where(
    one_of(_lot.c.kind, STOCK_KINDS),
    or_(_balance.c.mass_mg > 0, _balance.c.pieces > 0, _lot.c.machine.is_not(None)),
).order_by(_lot.c.id)
_OF_ORDER = select(_event).where(_event.c.order_id == bindparam("order")).order_by(_event.c.id)
_OF_NEED = select(_event).where(_event.c.need == bindparam("need")).order_by(_event.c.id)


@cache
def _of_kinds(kinds: tuple[str, ...]) -> Query:
    """Lots with balances of some kinds of our own; of all when none is named."""
    return (_JOINED.where(one_of(_lot.c.kind, kinds)) if kinds else _JOINED).order_by(_lot.c.id)


class LotRoom(Room):
    """Lots of material and parts."""

    def get(self, lot: str) -> Lot | None:
        """One lot, or None."""
        return self._by(Lot, _lot, id=lot)

    def loaded(self, machine: str, ch: int) -> Lot | None:
        """The lot loaded in a machine's channel, or None."""
        return self._by(Lot, _lot, machine=machine, ch=ch)

    def with_balance(self, lot: str) -> LotBalance | None:
        """One lot with its balance, or None."""
        found = self._balances(_ONE, lot=lot)
        return found[0] if found else None

    def balances(self, *kinds: str) -> list[LotBalance]:
        """Lots with balances, by id; optionally only of some kinds."""
        return self._balances(_of_kinds(kinds))

    def on_hand(self) -> list[LotBalance]:
        """Lots to draw from that hold something or are loaded in a machine, by id."""
        return self._balances(_ON_HAND)

    def on(self, machine: str) -> list[LotBalance]:
        """Lots loaded in a machine, by channel."""
        return self._balances(_ON, machine=machine)

    def add(self, lot: Lot) -> None:
        """Store a new lot."""
        self._put(_lot, as_row(_lot, lot))

    def change(self, lot: str, **changes: object) -> None:
        """Change fields of one lot."""
        self._change(_lot, {"id": lot}, to_row(_lot, changes))

    def place(self, lot: str, machine: str, ch: int) -> bool:
        """Load a lot in a machine's channel, unloading what was there; False when it was there."""
        before = self.loaded(machine, ch)
        if before is not None and before.id == lot:
            return False
        self.take_out(machine, ch)
        self.change(lot, machine=machine, ch=ch)
        return True

    def take_out(self, machine: str, ch: int) -> Lot | None:
        """Empty a machine's channel; return the lot that was in it."""
        before = self.loaded(machine, ch)
        if before is not None:
            self.change(before.id, machine=None, ch=None)
        return before

    def _balances(self, statement: Query, **values: object) -> list[LotBalance]:
        rows = self._rows(statement, **values)
        lots = self._values_of(Lot, statement, rows)
        return [
            LotBalance(lot, row[-2] or 0, row[-1] or 0) for lot, row in zip(lots, rows, strict=True)
        ]


class LedgerRoom(Room):
    """The ledger's lines and the balances kept beside them."""

    def by_key(self, key: str) -> EconomicEvent | None:
        """The line posted under an idempotency key, or None."""
        return self._by(EconomicEvent, _event, key=key)

    def get(self, event: int) -> EconomicEvent | None:
        """One line, or None."""
        return self._by(EconomicEvent, _event, id=event)

    def all(self) -> list[EconomicEvent]:
        """Every line in the order posted."""
        return self._all(EconomicEvent, select(_event).order_by(_event.c.id))

    def page(self, limit: int) -> list[EconomicEvent]:
        """The newest lines, newest first."""
        return self._all(EconomicEvent, select(_event).order_by(_event.c.id.desc()).limit(limit))

    def of_order(self, order: str) -> list[EconomicEvent]:
        """Lines of one job order in the order posted."""
        return self._each(EconomicEvent, _OF_ORDER, order=order)

    def of_need(self, need: str) -> list[EconomicEvent]:
        """Lines of one need in the order posted."""
        return self._each(EconomicEvent, _OF_NEED, need=need)

    def append(self, event: EconomicEvent) -> int | None:
        """Append one line; return its number, None when its key was posted before."""
        return self._put_once(_event, as_row(_event, event), "id", "key")

    def balance(self, lot: str) -> Balance:
        """What a lot holds by the balance kept beside the lines."""
        found = self._by(Balance, _balance, lot=lot)
        return found if found is not None else Balance(lot)

    def put_balance(self, balance: Balance) -> None:
        """Store what a lot holds."""
        row = as_row(_balance, balance)
        if self._change(_balance, {"lot": balance.lot}, row) == 0:
            self._put(_balance, row)

    def add_to_balance(self, lot: str, mass_mg: int, pieces: int) -> None:
        """A lot holds so much more."""
        more: Json = {"mass_mg": mass_mg, "pieces": pieces}
        if not self._increase(_balance, "lot", lot, more):
            self._put(_balance, {"lot": lot, **more})

    def balances(self) -> dict[str, Balance]:
        """Kept balances by lot."""
        return {b.lot: b for b in self._all(Balance, select(_balance))}

    def sums(self) -> list[tuple[str, str | None, str | None, int, int]]:
        """Sums of mass and pieces by (action, lot, to_lot)."""
        rows = self._conn.execute(
            select(
                _event.c.action,
                _event.c.lot,
                _event.c.to_lot,
                func.sum(_event.c.mass_mg),
                func.sum(_event.c.pieces),
            ).group_by(_event.c.action, _event.c.lot, _event.c.to_lot)
        )
        return [(r[0], r[1], r[2], int(r[3]), int(r[4])) for r in rows]

    def put_discrepancy(self, found: OrderDiscrepancy) -> None:
        """Open or change a discrepancy of an order."""
        where = (_doubt.c.order_id == found.order_id, _doubt.c.kind == found.kind)
        self._run(delete(_doubt).where(*where))
        self._run(insert(_doubt).values(as_row(_doubt, found)))

    def discrepancies(self, order: str = "", *, only_open: bool = True) -> list[OrderDiscrepancy]:
        """Discrepancies, oldest first; of one order when named, resolved ones when asked."""
        query = select(_doubt).order_by("opened_at", "order_id", "kind")
        if order:
            query = query.where(_doubt.c.order_id == order)
        if only_open:
            query = query.where(_doubt.c.resolved_at.is_(None))
        return self._all(OrderDiscrepancy, query)

    def after(self, event: int, limit: int) -> list[EconomicEvent]:
        """Lines after a number, oldest first."""
        query = select(_event).where(_event.c.id > event).order_by(_event.c.id).limit(limit)
        return self._all(EconomicEvent, query)

    def order_sums(self) -> list[tuple[str, str, str, int]]:
        """Sums of mass by (order, action, measure) over lines that belong to an order."""
        rows = self._conn.execute(
            select(_event.c.order_id, _event.c.action, _event.c.measure, func.sum(_event.c.mass_mg))
            .where(_event.c.order_id.is_not(None))
            .group_by(_event.c.order_id, _event.c.action, _event.c.measure)
        )
        return [(r[0], r[1], r[2], int(r[3])) for r in rows]
