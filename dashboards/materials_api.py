"""Endpoints of the materials page: stock, lots, reservations, thresholds, what does not add up."""

from typing import Annotated, NotRequired

from fastapi import APIRouter, Header
from fastapi import Path as InPath
from pydantic import Field
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from controller import resources, upkeep
from controller.adapters.store import Tx
from controller.joints import picks
from controller.ledger import balance
from controller.values import STOCK_KINDS, LotBalance, Operation
from dashboards.asks import CommandAsk, Id
from dashboards.desk import Desk
from dashboards.gate import Who
from dashboards.page_models import LotDetail, MaterialsPage, PickView, StockView
from dashboards.present import present
from dashboards.problems import ERRORS
from dashboards.record_views import discrepancy_view
from dashboards.routing import add_rows
from dashboards.views import lot_view

InId = Annotated[str, InPath(max_length=64)]
Key = Annotated[str, Header(alias="Idempotency-Key", min_length=1, max_length=64)]
OPEN = ("waiting", "ready", "planned", "ordered", "running")


class WeighAsk(CommandAsk):
    """What the scale says of a lot, without its spool."""

    mass_mg: int = Field(ge=0, le=2**40)


class CountAsk(CommandAsk):
    """How many pieces of a lot a person counted."""

    lot: Id
    pieces: int = Field(ge=0, le=1_000_000)


class ThresholdAsk(CommandAsk):
    """Below how much of a material people want to be told."""

    material: Id
    low_mg: int = Field(ge=0, le=2**40)


class WeighedView(TypedDict):
    """How far the scale was from the ledger, mg (negative: less was there)."""

    lot: str
    difference_mg: int
    note: NotRequired[str]


class CountedView(TypedDict):
    """How far the count was from the ledger, pieces (negative: fewer were there)."""

    lot: str
    difference: int


class Materials:
    """Handlers of the materials page over one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def page(self) -> MaterialsPage:
        """Stock by material, every lot, and what does not add up."""
        with self._desk.read() as tx:
            return _page(tx)

    def weigh(self, lot: InId, ask: WeighAsk, caller: Who, key: Key) -> WeighedView:
        """Settle a lot to the mass on the scale; the same key weighs once."""
        name = f"weigh:{lot}:{key}"
        who = caller.named(ask.who)
        found = self._desk.submit(lambda tx: resources.weigh(tx, lot, ask.mass_mg, who, name))
        return {"lot": lot, "difference_mg": found}

    def count(self, order: InId, ask: CountAsk, caller: Who, key: Key) -> CountedView:
        """Settle a lot to the pieces a person counted after an order took others than planned."""
        name = f"count:{order}:{ask.lot}:{key}"
        who = caller.named(ask.who)

        def run(tx: Tx) -> int:
            picks.close(tx, order, ask.lot, who)
            return resources.count(tx, ask.lot, ask.pieces, who, name)

        return {"lot": ask.lot, "difference": self._desk.submit(run)}

    def threshold(self, ask: ThresholdAsk, caller: Who) -> StockView:
        """Say below how much of a material people want to be told."""

        def run(tx: Tx) -> StockView:
            upkeep.set_threshold(tx, ask.material, ask.low_mg, caller.named(ask.who))
            return _stock(tx, tx.lots.balances(*STOCK_KINDS))[ask.material]

        return self._desk.submit(run)


def _page(tx: Tx) -> MaterialsPage:
    lots = tx.lots.balances()
    return {
        "at": tx.now_ms,
        "stock": _stock(tx, [b for b in lots if b.lot.kind in STOCK_KINDS]),
        "lots": _lots(tx, lots),
        "mismatches": [
            {"subject": d.subject, "what": d.what, "kept": d.kept, "derived": d.derived}
            for d in balance.check(tx)
        ],
        "picks": [
            PickView(
                order=p["order"], lot=p["lot"], planned=p["planned"], taken=p["taken"], at=p["at"]
            )
            for p in picks.open_ones(tx)
        ],
        "discrepancies": [discrepancy_view(d) for d in tx.ledger.discrepancies()],
    }


def _stock(tx: Tx, lots: list[LotBalance]) -> dict[str, StockView]:
    reserved = _reserved(tx.operations.open())
    thresholds = tx.upkeep.thresholds()
    names = {b.lot.material for b in lots} | reserved.keys() | thresholds.keys()
    found: dict[str, StockView] = {}
    for name in sorted(names):
        own = [b for b in lots if b.lot.material == name]
        left_mg = sum(b.mass_mg for b in own)
        asked_mg, count = reserved.get(name, (0, 0))
        low = thresholds.get(name)
        view = present(
            StockView,
            material=name,
            left_mg=left_mg,
            pieces=sum(b.pieces for b in own),
            loaded_mg=sum(b.mass_mg for b in own if b.lot.machine),
            reserved_mg=asked_mg,
            operations=count,
            low_mg=low.low_mg if low else None,
        )
        if low is not None and left_mg - asked_mg < low.low_mg:
            view["low"] = True
        found[name] = view
    return found


def _reserved(operations: list[Operation]) -> dict[str, tuple[int, int]]:
    """Estimated mass open operations will take and their number, by material."""
    found: dict[str, tuple[int, int]] = {}
    for op in operations:
        for item in op.materials if op.state in OPEN else ():
            name = str(item["material"])
            mass_mg, count = found.get(name, (0, 0))
            pieces_mg = int(item.get("part_mg") or 0) * int(item.get("pieces") or 0)
            found[name] = (mass_mg + int(item.get("mass_mg") or pieces_mg), count + 1)
    return found


def _lots(tx: Tx, lots: list[LotBalance]) -> dict[str, LotDetail]:
    moved, uncertain = tx.upkeep.moved_at(), tx.upkeep.uncertain_mg()
    held = {
        str(item["lot"]): order.label or order.id
        for order in tx.orders.open()
        for item in order.lots
        if item.get("lot")
    }
    return {
        b.lot.id: present(
            LotDetail,
            **lot_view(b, 1),
            code=f"fab:lot:{b.lot.id}",
            moved_at=moved.get(b.lot.id),
            uncertain_mg=uncertain.get(b.lot.id),
            reserved_by=held.get(b.lot.id),
        )
        for b in lots
    }


def router(desk: Desk) -> APIRouter:
    """Routes of the materials page."""
    handlers = Materials(desk)
    routes = APIRouter(responses=ERRORS)
    add_rows(
        routes,
        ("GET", "/api/materials", handlers.page, MaterialsPage),
        ("POST", "/api/lots/{lot}/weigh", handlers.weigh, WeighedView),
        ("POST", "/api/picks/{order}", handlers.count, CountedView),
        ("POST", "/api/thresholds", handlers.threshold, StockView),
    )
    return routes
