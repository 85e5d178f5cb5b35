"""Material: cumulative counters of machines become lines of the ledger, exactly once."""

from dataclasses import replace
from typing import TYPE_CHECKING

from controller.ledger.post import need_lot, post
from controller.values import Counter, EconomicEvent, JobOrder, Json, Lot, Machine

if TYPE_CHECKING:
    from controller.adapters.store import Tx

_RELEASED = -2  # less what was known: cum_mg of a counter that a person released from quarantine


class CounterFell(Exception):
    """A cumulative counter came back lower than before. Attributes: before, now."""

    def __init__(self, before: int, now: int) -> None:
        super().__init__(before, now)
        self.before = before
        self.now = now


def take_material(tx: "Tx", machine: Machine, event: Json, order: JobOrder | None) -> None:
    """Post what was drawn since the last report; raise CounterFell and change nothing."""
    jid, ch, lot = event["jid"], event["ch"], event["lot"]
    counter = Counter(machine.id, jid, ch, lot, event["cum_mg"], event["unc_mg"])
    before = tx.machines.counter(machine.id, jid, ch, lot)
    base = before if before is not None else Counter(machine.id, jid, ch, lot, 0, 0)
    if base.cum_mg < 0:
        base = _released(base, counter)
    drawn = counter.cum_mg - base.cum_mg
    if drawn < 0:
        raise CounterFell(base.cum_mg, counter.cum_mg)
    uncertain = counter.unc_mg - base.unc_mg
    tx.machines.put_counter(counter)
    known = _known_lot(tx, lot, machine.id)
    certain = "estimated" if event["src"] == "estimate" else "measured"
    for measure, mass_mg in ((certain, drawn - uncertain), ("uncertain", uncertain)):
        if mass_mg:
            _draw(tx, Draw(machine, event, order, known), measure, mass_mg)


def settle_counters(tx: "Tx", machine: Machine, hello: Json) -> None:
    """Post what a machine counted and no report of it tells of any more.

    So it is when the store was set back behind reports the machine has trimmed since. Only for a
    hello whose journal holds nothing that is still to come.
    """
    jid = hello["jid"]
    for told in hello["ctr"]:
        ch, lot, mass_mg = told["ch"], told["lot"], told["cum_mg"]
        known = tx.machines.counter(machine.id, jid, ch, lot) or Counter(
            machine.id, jid, ch, lot, 0, 0
        )
        if known.cum_mg < 0 or mass_mg <= known.cum_mg or told["unc_mg"] < known.unc_mg:
            continue
        text = f"{machine.id} drew {mass_mg - known.cum_mg} mg of {lot} that no report tells of"
        tx.notice("attention", machine.id, text)
        event = {**told, "jid": jid, "s": f"hello-{ch}-{lot}-{mass_mg}", "src": "lines"}
        take_material(tx, machine, event, None)


def _released(base: Counter, counter: Counter) -> Counter:
    """Where counting goes on: at what was known, anew when the counter stands below it."""
    known = replace(base, cum_mg=_RELEASED - base.cum_mg)
    fell = known.cum_mg < 0 or counter.cum_mg < known.cum_mg or counter.unc_mg < known.unc_mg
    return counter if fell else known


class Draw:
    """Where a draw comes from: machine, event, order if any, lot."""

    def __init__(self, machine: Machine, event: Json, order: JobOrder | None, lot: Lot) -> None:
        self.machine = machine
        self.event = event
        self.order = order
        self.lot = lot


def begin_anew(tx: "Tx", machine: str) -> None:
    """Let every counter of a machine go on at its next report, or begin there if it fell."""
    for counter in tx.machines.counters(machine):
        if counter.cum_mg >= 0:
            tx.machines.put_counter(replace(counter, cum_mg=_RELEASED - counter.cum_mg))


def scrap_lot(tx: "Tx", material: str) -> str:
    """The lot that collects scrap of a material."""
    lot = Lot(f"scrap-{material}"[:32], material, "scrap", created_at=tx.now_ms)
    return need_lot(tx, lot)


def _known_lot(tx: "Tx", lot: str, machine: str) -> Lot:
    known = tx.lots.get(lot)
    if known is None:
        note = f"reported by {machine}, never declared"
        known = Lot(lot, "unknown", "stock", created_at=tx.now_ms, note=note)
        tx.lots.add(known)
        tx.notice("attention", lot, f"{machine} draws from lot {lot}, which nobody declared")
    return known


def _draw(tx: "Tx", draw: Draw, measure: str, mass_mg: int) -> None:
    event, order, lot = draw.event, draw.order, draw.lot
    unit = lot.unit_mg_per_piece
    operation = tx.operations.get(order.operation) if order else None
    line = EconomicEvent(
        key=f"{draw.machine.id}:{event['jid']}:{event['s']}:{measure}",
        action="consume",
        provider=draw.machine.id,
        receiver=draw.machine.id,
        happened_at=event.get("t") or tx.now_ms,
        lot=lot.id,
        mass_mg=mass_mg,
        pieces=mass_mg // unit if unit else 0,
        order_id=order.id if order else None,
        need=operation.need if operation else None,
        operation=operation.id if operation else None,
        measure=measure,
    )
    post(tx, line)
    if order is None or order.settled_at is not None:
        _to_scrap(tx, line, lot.material, late=order is not None)


def _to_scrap(tx: "Tx", line: EconomicEvent, material: str, *, late: bool) -> None:
    post(
        tx,
        EconomicEvent(
            key=line.key + ":scrap",
            action="produce",
            provider=line.provider,
            receiver=line.receiver,
            happened_at=line.happened_at,
            lot=scrap_lot(tx, material),
            mass_mg=line.mass_mg,
            order_id=line.order_id,
            need=line.need,
            operation=line.operation,
            measure=line.measure,
            note="after the order was settled" if late else "drawn without an order",
        ),
    )
