"""The ledger as JSON-LD in ValueFlows 1.0.0: events, and every resource, agent, plan they name.

Quantities are exact: decimal texts, never floats. A machine is a resource, not an agent: what it
did, the site did with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from controller.ledger.actions import ACTIONS
from controller.ledger.vocabulary import context
from controller.values import STOCK_KINDS, DesignRow, EconomicEvent, JobOrder, Lot, Need

if TYPE_CHECKING:
    from controller.adapters.store import Tx

Node = dict[str, Any]
SITE_NAMES = ("site", "set-up", "")


def export(tx: Tx, events: Iterable[EconomicEvent]) -> dict[str, Any]:
    """A document of these events and everything they name, in our own context."""
    return {"@context": context(), "@graph": _Graph(tx).of(events)}


def grams(mass_mg: int) -> Node:
    """A mass as a measure, exact to the milligram."""
    sign = "-" if mass_mg < 0 else ""
    return measure(f"{sign}{abs(mass_mg) // 1000}.{abs(mass_mg) % 1000:03d}", "gram")


def measure(value: str, unit: str) -> Node:
    """A quantity with its unit of OM 2."""
    return {"type": "Measure", "hasNumericalValue": value, "hasUnit": f"om2:{unit}"}


def moment(at_ms: int) -> str:
    """A moment as dateTimeStamp, UTC."""
    text = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


class _Graph:
    """Nodes by id, each made when it is first named."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._site = tx.site.get("name") or "site"
        self._machines = {machine.id for machine in tx.machines.all()}
        self._communities = {c.id: c.name for c in tx.communities.all()}
        self._nodes: dict[str, Node] = {}

    def of(self, events: Iterable[EconomicEvent]) -> list[Node]:
        """Every node, events first."""
        made = [self._event(event) for event in events]
        return [*made, *self._nodes.values()]

    def _id(self, kind: str, name: str) -> str:
        return f"urn:fabcommons:{quote(self._site)}:{kind}:{quote(name, safe='')}"

    def _put(self, kind: str, name: str, node: Node) -> str:
        found = self._id(kind, name)
        if found not in self._nodes:
            self._nodes[found] = {"id": found, **node}
        return found

    def _event(self, event: EconomicEvent) -> Node:
        node: Node = {
            "id": self._id("event", str(event.id)),
            "type": "EconomicEvent",
            "action": f"vf:{event.action}",
            "provider": self._agent(event.provider),
            "receiver": self._agent(event.receiver),
            "hasPointInTime": moment(event.happened_at),
            "created": moment(event.created_at),
            "measure": event.measure,
        }
        node |= self._quantity(event) | self._resources(event) | self._process(event)
        if event.corrects is not None:
            node["corrects"] = self._id("event", str(event.corrects))
            self._corrected(event.corrects)
        if event.action == "transfer" and event.need is not None:
            node["fulfills"] = self._commitment(event.need)
        if event.note:
            node["note"] = event.note
        return node

    def _corrected(self, number: int) -> None:
        """A corrected event that is not on this page is named with its kind at least."""
        self._put("event", str(number), {"type": "EconomicEvent"})

    @staticmethod
    def _quantity(event: EconomicEvent) -> Node:
        if event.action in ("use", "work"):
            sign = "-" if event.duration_ms < 0 else ""
            whole = abs(event.duration_ms)
            seconds = f"{sign}{whole // 1000}.{whole % 1000:03d}"
            return {"effortQuantity": measure(seconds, "second-Time")}
        if event.action == "cite":
            return {"resourceQuantity": measure("1", "one")}
        if event.mass_mg or not event.pieces:
            pieces: Node = {"pieces": event.pieces} if event.pieces else {}
            return {"resourceQuantity": grams(event.mass_mg), **pieces}
        return {"resourceQuantity": measure(str(event.pieces), "one")}

    def _resources(self, event: EconomicEvent) -> Node:
        node: Node = {}
        if event.lot is not None:
            node["resourceInventoriedAs"] = self._lot(event.lot)
        elif event.action == "use" and event.provider in self._machines:
            node["resourceInventoriedAs"] = self._machine(event.provider)
        elif event.action == "work":
            node["resourceConformsTo"] = self._spec("tending")
        elif event.action == "cite" and event.need is not None:
            need = self._tx.needs.get(event.need)
            design = self._tx.designs.get(need.design) if need else None
            if design is not None:
                node["resourceInventoriedAs"] = self._design(design)
        if event.to_lot is not None:
            node["toResourceInventoriedAs"] = self._lot(event.to_lot)
        return node

    def _process(self, event: EconomicEvent) -> Node:
        side = {"input": "inputOf", "output": "outputOf"}.get(ACTIONS[event.action][0])
        if side is None:
            return {}
        order = self._tx.orders.get(event.order_id) if event.order_id else None
        if order is not None:
            return {side: self._order(order)}
        if event.need is not None:
            name = f"making of {event.need}"
            return {side: self._put("process", event.need, {"type": "Process", "name": name})}
        return {
            side: self._put("process", "floor", {"type": "Process", "name": "work of the floor"})
        }

    def _order(self, order: JobOrder) -> str:
        node: Node = {"type": "Process", "name": order.label or order.id}
        operation = self._tx.operations.get(order.operation)
        if operation is not None:
            words = {"type": "ProcessSpecification", "name": operation.process}
            node["basedOn"] = self._put("process-kind", operation.process, words)
        if order.started_at is not None:
            node["hasBeginning"] = moment(order.started_at)
        if order.ended_at is not None:
            node |= {"hasEnd": moment(order.ended_at), "finished": True}
        return self._put("process", order.id, node)

    def _agent(self, name: str) -> str:
        if name in self._communities:
            named = {"type": "Organization", "name": self._communities[name]}
            return self._put("community", name, named)
        if name in self._machines or name in SITE_NAMES or name == self._site:
            named = {"type": "Organization", "name": self._site}
            return self._put("site", self._site, named)
        return self._put("agent", name, {"type": "Agent", "name": name})

    def _spec(self, name: str) -> str:
        return self._put("kind", name, {"type": "ResourceSpecification", "name": name})

    def _machine(self, name: str) -> str:
        owner = self._agent(self._site)
        named: Node = {"type": "EconomicResource", "name": name, "primaryAccountable": owner}
        return self._put("machine", name, {**named, "conformsTo": self._spec("machine")})

    def _lot(self, name: str) -> str:
        lot = self._tx.lots.get(name)
        assert lot is not None  # foreign key
        held = self._tx.ledger.balance(name)
        node: Node = {
            "type": "EconomicResource",
            "conformsTo": self._spec(lot.material),
            "accountingQuantity": grams(held.mass_mg),
            "onhandQuantity": grams(held.mass_mg),
            "primaryAccountable": self._accountable(lot),
            "trackingIdentifier": lot.id,
        }
        if held.pieces:
            node["pieces"] = held.pieces
        if lot.kind in STOCK_KINDS:
            record = {"type": "BatchLotRecord", "batchLotCode": lot.id}
            node["ofBatchLot"] = self._put("batch", lot.id, record)
        return self._put("lot", name, node)

    def _accountable(self, lot: Lot) -> str:
        if lot.kind == "delivered":
            need = self._tx.needs.get(lot.id.removeprefix("d-"))
            if need is not None:
                return self._agent(need.community)
        return self._agent(self._site)

    def _design(self, design: DesignRow) -> str:
        node: Node = {
            "type": "EconomicResource",
            "name": design.title,
            "conformsTo": self._spec("design"),
            "trackingIdentifier": f"{design.id} {design.version}",
            "manifestSha256": design.manifest_sha,
            "license": design.license,
        }
        repo = design.manifest.get("repo")
        if isinstance(repo, str) and repo.startswith(("http://", "https://")):
            node["currentVirtualLocation"] = repo
        return self._put("design", design.id, node)

    def _intent(self, need: Need) -> str:
        node: Node = {
            "type": "Intent",
            "action": "vf:transfer",
            "receiver": self._agent(need.community),
            "resourceConformsTo": self._spec(need.part),
            "resourceQuantity": measure(str(need.quantity), "one"),
            "needClass": need.need_class,
            "finished": need.state in ("delivered", "refused", "withdrawn"),
        }
        if need.due_at is not None:
            node["due"] = moment(need.due_at)
        if need.note:
            node["note"] = need.note
        return self._put("need", need.id, node)

    def _commitment(self, name: str) -> str:
        need = self._tx.needs.get(name)
        assert need is not None  # foreign key
        node: Node = {
            "type": "Commitment",
            "action": "vf:transfer",
            "provider": self._agent(self._site),
            "receiver": self._agent(need.community),
            "satisfies": self._intent(need),
            "resourceConformsTo": self._spec(need.part),
            "resourceQuantity": measure(str(need.quantity), "one"),
            "finished": need.delivered_at is not None,
        }
        if need.accepted_at is not None:
            node["created"] = moment(need.accepted_at)
        decided = [d for d in self._tx.rounds.decided(name) if d.state == "accepted"]
        if decided:
            plan = {"type": "Plan", "name": f"round {decided[-1].round}"}
            node["plannedWithin"] = self._put("round", decided[-1].round, plan)
        return self._put("acceptance", name, node)
