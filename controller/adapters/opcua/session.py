"""One connection to a cell: look at it, call its methods, hear that something changed.

A session is used up by its first failure; the caller opens a new one and finds every node again.
"""

import contextlib
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from asyncua import ua
from asyncua.client.client import Client
from asyncua.common.node import Node
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds

from controller.adapters.opcua import condition, security, structs
from controller.adapters.opcua.connect import LOST, Access, connect
from controller.adapters.opcua.discovery import Browser, CellNodes
from controller.adapters.opcua.mapping import Amount, Seen, SeenJob
from controller.adapters.opcua.security import Security
from protocols import isa95

_BY_ID = "RequestJobResponseByJobOrderID"
_PUBLISH_MS = 200


class Wanted(NamedTuple):
    """A job order to hand over; requirements are (lot, pieces)."""

    job_id: str
    label: str
    work_master: str
    planned_ms: int
    requirements: tuple[tuple[str, int], ...]


class _Handler:
    """Asks for a new look at every notification."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self.events = -1

    def datachange_notification(self, node: Node, val: Any, data: Any) -> None:
        """A value changed; which one does not matter, everything is looked at again."""
        self._changed()

    def event_notification(self, event: Any) -> None:
        """A job order's state changed."""
        self.events += 1
        self._changed()

    def status_change_notification(self, status: Any) -> None:
        """The subscription ended or was transferred; looking finds out the rest."""
        self._changed()


class CellSession:
    """An open, discovered connection. ``run`` names the run of the server since its start."""

    def __init__(self, client: Client, nodes: CellNodes, run: str) -> None:
        self._client = client
        self._nodes = nodes
        self.run = run
        self.plate: dict[str, str] = {}
        self._handler: _Handler | None = None
        self.warnings: tuple[str, ...] = ()
        self._made_by: tuple[Security | None, tuple[Any, ...]] = (None, ())

    @property
    def methods(self) -> list[str]:
        """Methods of job control that the receiver offers."""
        return sorted(self._nodes.methods)

    @property
    def events(self) -> int:
        """Job order events heard; -1 where the receiver does not offer them and is polled."""
        return self._handler.events if self._handler else -1

    @property
    def outdated(self) -> bool:
        """Whether certificates were changed since the connection was made by them."""
        made_by, stamp = self._made_by
        return made_by is not None and security.stamp(made_by) != stamp

    @classmethod
    async def open(cls, access: Access, changed: Callable[[], None]) -> "CellSession":
        """Connect, find the cell, subscribe; raise one of LOST, NotTrusted or NotACell."""
        stamp = security.stamp(access.security) if access.security else ()
        client, warnings = await connect(access)
        try:
            nodes = await Browser(client).find(access.machine_name)
            session = cls(client, nodes, await _run_of(client))
            session.warnings, session._made_by = warnings, (access.security, stamp)
            session.plate = await session._read_plate()
            await session._subscribe(changed)
        except BaseException:
            await _leave(client)
            raise
        return session

    async def close(self) -> None:
        """Disconnect as far as that is still possible."""
        await _leave(self._client)

    async def look(self, unfit: str = "") -> Seen:
        """Read the job list, the responses of begun jobs and the condition of the cell."""
        listed = structs.decode_list(
            structs.JobOrderAndState,
            await self._client.get_node(self._nodes.job_list).read_value(),
        )
        jobs: dict[str, SeenJob] = {}
        for entry in listed:
            state = structs.job_state(entry.States)
            job_id = entry.Order.JobOrderID or ""
            begun = state.number > isa95.ALLOWED
            jobs[job_id] = await self._seen_job(job_id, state) if begun else SeenJob(state)
        found = condition.read(await self._read_signals())
        return Seen(await _run_of(self._client), jobs, unfit, found)

    async def store_and_start(self, wanted: Wanted) -> int:
        """Hand an order over and let it start; ReturnStatus. Store and Start where not in one."""
        order = structs.encode(_order(wanted), self._nodes.order_encoding)
        argument = ua.Variant(order, ua.VariantType.ExtensionObject)
        if "StoreAndStart" in self._nodes.methods:
            return await self._call("StoreAndStart", argument, "")
        status = await self._call("Store", argument, "")
        return await self.call("Start", wanted.job_id) if status & isa95.DONE else status

    async def call(self, method: str, job_id: str, comment: str = "") -> int:
        """Call a method that names an order; its ReturnStatus, UNABLE where it is not offered."""
        if method not in self._nodes.methods:
            return isa95.UNABLE
        return await self._call(method, ua.Variant(job_id, ua.VariantType.String), comment)

    async def _call(self, method: str, argument: ua.Variant, comment: str) -> int:
        texts = [ua.LocalizedText(comment)] if comment else []
        given = ua.Variant(texts, ua.VariantType.LocalizedText, is_array=True)
        receiver = self._client.get_node(self._nodes.receiver)
        return int(await receiver.call_method(self._nodes.methods[method], argument, given))

    async def _seen_job(self, job_id: str, state: isa95.JobState) -> SeenJob:
        response = await self._response(job_id)
        if response is None:
            return SeenJob(state)
        data = response.JobResponseData
        result = structs.number_parameter(data, isa95.PARAM_RESULT)
        return SeenJob(
            state,
            answered=True,
            result=isa95.RESULT_UNKNOWN if result is None else result,
            reason=structs.text_parameter(data, isa95.PARAM_REASON),
            started_ms=_ms(response.StartTime),
            ended_ms=_ms(response.EndTime),
            consumed=consumed(response.MaterialActuals or []),
        )

    async def _response(self, job_id: str) -> structs.JobResponse | None:
        method = self._nodes.provider_methods.get(_BY_ID)
        if self._nodes.provider is None or method is None:
            return None
        provider = self._client.get_node(self._nodes.provider)
        answer: Any = await provider.call_method(method, ua.Variant(job_id, ua.VariantType.String))
        response, status = answer
        if not int(status) & isa95.DONE or response is None:
            return None
        return structs.decode(structs.JobResponse, response)

    async def _read_signals(self) -> dict[str, Any]:
        """Values that can be read; a server may well refuse some."""
        if not self._nodes.signals:
            return {}
        nodes = list(self._nodes.signals.values())
        values: list[Any] = await self._client.uaclient.read_attributes(nodes, AttributeIds.Value)
        return {
            name: value.Value.Value
            for name, value in zip(self._nodes.signals, values, strict=True)
            if value.StatusCode.is_good() and value.Value is not None
        }

    async def _read_plate(self) -> dict[str, str]:
        if not self._nodes.plate:
            return {}
        nodes = [self._client.get_node(node) for node in self._nodes.plate.values()]
        values: list[Any] = await self._client.read_values(nodes)
        texts = [str(getattr(value, "Text", value) or "") for value in values]
        return dict(zip(self._nodes.plate, texts, strict=True))

    async def _subscribe(self, changed: Callable[[], None]) -> None:
        handler = self._handler = _Handler(changed)
        subscription: Any = await self._client.create_subscription(_PUBLISH_MS, handler)
        signals = self._nodes.signals.values()
        watched = [self._client.get_node(node) for node in (self._nodes.job_list, *signals)]
        await subscription.subscribe_data_change(watched)
        if self._nodes.event is None:
            return
        with contextlib.suppress(ua.UaError):  # a receiver need not emit them: it is polled then
            await subscription.subscribe_events(self._nodes.receiver, self._nodes.event)
            handler.events = max(0, handler.events)


async def _leave(client: Client) -> None:
    with contextlib.suppress(*LOST):
        await client.disconnect()


async def _run_of(client: Client) -> str:
    """Name of the server's run: the time it was started. A restarted server has another."""
    node = ua.NodeId(ua.Int32(ObjectIds.Server_ServerStatus_StartTime), ua.Int16(0))
    started: Any = await client.get_node(node).read_value()
    return f"c{_ms(started):x}"


def _ms(at: datetime | None) -> int:
    """Milliseconds of a time; 0 for none and for the null time of OPC UA (1601)."""
    if at is None or at.year < 1971:
        return 0
    return int(at.timestamp() * 1000)


def _order(wanted: Wanted) -> structs.JobOrder:
    planned = ua.Variant(float(wanted.planned_ms), ua.VariantType.Double)
    return structs.JobOrder(
        JobOrderID=ua.String(wanted.job_id),
        Description=[ua.LocalizedText(wanted.label)],
        WorkMasterID=[structs.WorkMaster(ID=ua.String(wanted.work_master))],
        JobOrderParameters=[structs.Parameter(ID=ua.String(isa95.PARAM_PLANNED_MS), Value=planned)],
        MaterialRequirements=[
            structs.Material(MaterialLotID=ua.String(lot), Quantity=ua.String(str(pieces)))
            for lot, pieces in wanted.requirements
        ],
    )


def consumed(actuals: list[structs.Material]) -> tuple[tuple[str, Amount], ...]:
    """Consumed per lot of a list of MaterialActuals; what names no lot or unit is left out."""
    found: dict[str, Amount] = {}
    for material in actuals:
        lot = material.MaterialLotID or ""
        amount = _amount(material)
        if not lot or amount is None or material.MaterialUse in ("Produced", "ByProduct Produced"):
            continue
        before = found.get(lot, Amount(0, -1))
        mass = max(0, before.mass_mg) + amount.mass_mg if amount.mass_mg >= 0 else before.mass_mg
        found[lot] = Amount(before.pieces + amount.pieces, mass)
    return tuple(sorted(found.items()))


def _amount(material: structs.Material) -> Amount | None:
    try:
        quantity = float(material.Quantity or "")
    except ValueError:
        return None
    units: Any = material.EngineeringUnits
    code = isa95.unit_code(int(units.UnitId)) if units is not None else "H87"
    if quantity < 0 or code not in isa95.UNITS:
        return None
    factor = isa95.UNITS[code]
    return Amount(int(quantity)) if factor is None else Amount(0, round(quantity * factor))
