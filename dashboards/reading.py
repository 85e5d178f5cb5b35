"""Store to rows: the queries behind the pages, each bounded."""

from collections.abc import Iterable

from controller.adapters.store import Tx
from controller.draining import DRAIN
from controller.joints import handovers
from controller.values import STOCK_KINDS, DesignRow, JobOrder, Need, Operation, Reading
from dashboards.rows import Rows

OPEN = ("stated", "accepted", "making")
ENDED_SHOWN = 12
NEEDS_SHOWN = 300
NOTICES_SHOWN = 30
REFUSED_SHOWN = 5
ORDERS_SHOWN = 100
MOVING = ("RUNNING", "PAUSED")


def read_rows(tx: Tx, dropped: int = 0) -> Rows:
    """All a floor page is made of."""
    needs = _needs(tx)
    orders = _orders(tx)
    readings = tx.telemetry.last()
    names = [need.id for need in needs]
    machines = tuple(tx.machines.all())
    return Rows(
        at=tx.now_ms,
        machines=machines,
        orders=orders,
        operations=_operations(tx, needs),
        needs=needs,
        lots=tuple(tx.lots.balances(*STOCK_KINDS)),
        notices=tuple(tx.notice_room.page(NOTICES_SHOWN)),
        dead_letters=tuple(tx.dead.page(REFUSED_SHOWN)),
        dead_letter_count=tx.dead.count(),
        dropped=dropped,
        unsent_events=sum(r.value for r in readings if r.name == "journal_n"),
        progress=_progress(orders, readings),
        communities=tuple(tx.communities.all()),
        designs=tuple((d.id, d.title, parts_of(d)) for d in tx.designs.all()),
        out=tx.upkeep.out(),
        homes=tx.peers.homes(names),
        holders=tx.peers.holders(names),
        beds=handovers.beds(tx, machines),
        drained_by=tx.site.get(DRAIN) or "",
    )


def _progress(orders: Iterable[JobOrder], readings: Iterable[Reading]) -> dict[str, int]:
    told = {r.machine: r for r in readings if r.name == "done_ppm"}
    found: dict[str, int] = {}
    for order in orders:
        reading = told.get(order.machine)
        if reading is None or order.state not in MOVING or not order.started_at:
            continue
        if reading.at >= order.started_at:  # an older reading speaks of the order before
            found[order.id] = reading.value
    return found


def parts_of(design: DesignRow) -> tuple[str, ...]:
    """Parts a design's production profile makes."""
    part = design.profile.get("part")
    return (str(part),) if part else ()


def _needs(tx: Tx) -> tuple[Need, ...]:
    recent = tx.needs.page(ENDED_SHOWN, ("delivered", "refused", "withdrawn"))
    return (*tx.needs.open()[:NEEDS_SHOWN], *recent)


def _orders(tx: Tx) -> tuple[JobOrder, ...]:
    found = {o.id: o for o in tx.orders.page(ORDERS_SHOWN)}
    found.update((o.id, o) for o in tx.orders.unsettled())
    found.update((o.id, o) for o in tx.orders.open())
    return tuple(found.values())


def _operations(tx: Tx, needs: tuple[Need, ...]) -> tuple[Operation, ...]:
    return tuple(tx.operations.of_needs([n.id for n in needs if n.state in OPEN]))
