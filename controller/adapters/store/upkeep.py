"""Keeping the floor fit: machines out of use, maintenance done and due, thresholds of material."""

from sqlalchemy import Column, ForeignKey, Table, delete, func, insert, select

from controller.adapters.store import prepared, tables
from controller.adapters.store.rows import Room, as_row
from controller.adapters.store.tables import INTEGER, TEXT
from controller.upkept import MachineOut, Threshold, Upkeep, UpkeepRule
from controller.values import JobOrder

_order = tables.job_order
_event = tables.economic_event

_out = Table(
    "machine_out",
    tables.metadata,
    Column("machine", TEXT, ForeignKey("machine.id"), primary_key=True),
    Column("who", TEXT, nullable=False),
    Column("why", TEXT, nullable=False),
    Column("since_at", INTEGER, nullable=False),
)
_upkeep = Table(
    "upkeep",
    tables.metadata,
    Column("id", INTEGER, primary_key=True, autoincrement=True),
    Column("key", TEXT, nullable=False, unique=True),
    Column("machine", TEXT, ForeignKey("machine.id"), nullable=False, index=True),
    Column("what", TEXT, nullable=False),
    Column("who", TEXT, nullable=False),
    Column("note", TEXT, nullable=False),
    Column("at", INTEGER, nullable=False),
    Column("run_ms", INTEGER, nullable=False),
)
_rule = Table(
    "upkeep_rule",
    tables.metadata,
    Column("machine", TEXT, ForeignKey("machine.id"), primary_key=True),
    Column("what", TEXT, primary_key=True),
    Column("every_ms", INTEGER, nullable=False),
)
_threshold = Table(
    "material_threshold",
    tables.metadata,
    Column("material", TEXT, primary_key=True),
    Column("low_mg", INTEGER, nullable=False),
    Column("who", TEXT, nullable=False),
    Column("at", INTEGER, nullable=False),
)


_OUT = select(_out)


class UpkeepRoom(Room):
    """What people note to keep the floor fit."""

    def out(self) -> dict[str, MachineOut]:
        """Machines a person took out of use, by id."""
        return {found.machine: found for found in self._each(MachineOut, _OUT)}

    def take_out(self, out: MachineOut) -> None:
        """Note that a machine is out of use."""
        self._run(insert(_out).values(as_row(_out, out)))

    def put_back(self, machine: str) -> bool:
        """Note that a machine is in use again; False when it was."""
        return self._run(delete(_out).where(_out.c.machine == machine)).rowcount > 0

    def log(self, machine: str, limit: int) -> list[Upkeep]:
        """Maintenance done on a machine, newest first."""
        query = select(_upkeep).where(_upkeep.c.machine == machine)
        return self._all(Upkeep, query.order_by(_upkeep.c.id.desc()).limit(limit))

    def last(self, machine: str, what: str) -> Upkeep | None:
        """When this was last done to a machine, or None."""
        query = select(_upkeep).where(_upkeep.c.machine == machine, _upkeep.c.what == what)
        return self._one(Upkeep, query.order_by(_upkeep.c.id.desc()).limit(1))

    def add(self, done: Upkeep) -> bool:
        """Note maintenance that was done; False when its key was noted before."""
        statement = (
            prepared.upsert(self._dialect, _upkeep)
            .values(as_row(_upkeep, done))
            .on_conflict_do_nothing()
        )
        return self._run(statement).rowcount > 0

    def rules(self, machine: str) -> list[UpkeepRule]:
        """What is due on a machine every so many hours of running."""
        query = select(_rule).where(_rule.c.machine == machine).order_by(_rule.c.what)
        return self._all(UpkeepRule, query)

    def put_rule(self, rule: UpkeepRule) -> None:
        """Store a rule, in place of the one of the same name."""
        statement = prepared.upsert(self._dialect, _rule).values(as_row(_rule, rule))
        self._run(
            statement.on_conflict_do_update(
                index_elements=["machine", "what"], set_={"every_ms": rule.every_ms}
            )
        )

    def run_ms(self, machine: str) -> int:
        """How long a machine ran for orders in all, ms of floor time."""
        query = select(func.sum(_order.c.run_ms)).where(_order.c.machine == machine)
        return self._scalar(query) or 0

    def orders(self, machine: str, limit: int) -> list[JobOrder]:
        """Orders of a machine, newest first."""
        query = select(_order).where(_order.c.machine == machine)
        return self._all(JobOrder, query.order_by(_order.c.ep.desc()).limit(limit))

    def orders_since(self, at: int, limit: int) -> list[JobOrder]:
        """Orders that ran after ``at`` or run now, newest first."""
        ran = _order.c.started_at.is_not(None)
        late = _order.c.ended_at.is_(None) | (_order.c.ended_at >= at)
        query = select(_order).where(ran, late).order_by(_order.c.ep.desc())
        return self._all(JobOrder, query.limit(limit))

    def moved_at(self) -> dict[str, int]:
        """When each lot last moved by the ledger, ms UTC."""
        query = select(_event.c.lot, func.max(_event.c.happened_at)).group_by(_event.c.lot)
        return {row[0]: row[1] for row in self._conn.execute(query) if row[0]}

    def uncertain_mg(self) -> dict[str, int]:
        """Mass drawn from each lot that no machine could vouch for since it was last weighed."""
        weighed = (
            select(_event.c.lot.label("lot"), func.max(_event.c.id).label("id"))
            .where(_event.c.note == "weighed")
            .group_by(_event.c.lot)
            .subquery()
        )
        query = (
            select(_event.c.lot, func.sum(_event.c.mass_mg))
            .join_from(_event, weighed, weighed.c.lot == _event.c.lot, isouter=True)
            .where(_event.c.action == "consume", _event.c.measure == "uncertain")
            .where(_event.c.id > func.coalesce(weighed.c.id, 0))
            .group_by(_event.c.lot)
        )
        return {row[0]: row[1] for row in self._conn.execute(query) if row[1]}

    def thresholds(self) -> dict[str, Threshold]:
        """Below how much people want to be told, by material."""
        return {found.material: found for found in self._all(Threshold, select(_threshold))}

    def put_threshold(self, threshold: Threshold) -> None:
        """Store a threshold, in place of the one before."""
        row = as_row(_threshold, threshold)
        statement = prepared.upsert(self._dialect, _threshold).values(row)
        self._run(statement.on_conflict_do_update(index_elements=["material"], set_=row))
