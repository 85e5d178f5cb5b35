"""The cell in the address space: Machinery identification, job management, Robotics safety."""

from collections.abc import Callable
from typing import Any

from asyncua import ua
from asyncua.common.node import Node
from asyncua.ua.object_ids import ObjectIds

from protocols import isa95
from protocols.isa95 import JobState
from simulators.cell.core import Cell, Job, Nameplate
from simulators.cell.robot import Robot
from simulators.cell.space import Name, Space, Value, base, isa
from simulators.cell.structs import listed_struct, order_struct, response_struct, state_structs

_RECEIVER_SUBSTATES = 1008  # official node ids, numbers of the NodeSets' type nodes
_PROVIDER = 1003
_METHOD_IDS = {
    "Store": 7001,
    "StoreAndStart": 7004,
    "Start": 7005,
    "Stop": 7006,
    "Pause": 7007,
    "Resume": 7008,
    "Update": 7009,
    "Abort": 7010,
    "Cancel": 7011,
    "Clear": 7012,
    "RevokeStart": 7013,
}
_RESPONSE_IDS = {
    "RequestJobResponseByJobOrderID": 7002,
    "RequestJobResponseByJobOrderState": 7014,
}
_ITEM_STATES = ("NotAvailable", "OutOfService", "NotExecuting", "Executing")
_ITEM_STATE_IDS = (5005, 5004, 5007, 5006)
_STATUS_EVENT = 1006  # ISA95JobOrderStatusEventType


def _text(text: str) -> Value:
    return Value(ua.Variant(text, ua.VariantType.String), base(ObjectIds.String))


def _localized(text: str) -> Value:
    value = ua.Variant(ua.LocalizedText(text), ua.VariantType.LocalizedText)
    return Value(value, base(ObjectIds.LocalizedText))


def _structs(items: list[Any], datatype: ua.NodeId) -> Value:
    return Value(ua.Variant(items, ua.VariantType.ExtensionObject, is_array=True), datatype)


class Model:
    """Builds the nodes and writes the cell's state into them."""

    def __init__(self, space: Space, nameplate: Nameplate) -> None:
        self._space = space
        self._nameplate = nameplate
        self._lists: dict[str, Node] = {}
        self._robot = Robot(space)
        self._events: Any = None
        self._told: dict[str, JobState] = {}
        self._item_state: dict[str, Node] = {}
        self.index = 0  # of the ISA-95 namespace

    async def build(self, handler: Callable[[str], Any]) -> None:
        """Load the NodeSets, add the cell; handler(method) gives each method's callback."""
        space = self._space
        await space.load()
        self.index = space.qualified(isa("")).NamespaceIndex
        machines = space.node(space.type_id(isa95.URI_MACHINERY, 1001))
        name = Name("urn:fabcommons:cell", self._nameplate.name)
        machine = await space.add_object(machines, name, base(ObjectIds.BaseObjectType))
        blocks = await space.add_object(
            machine,
            Name(isa95.URI_MACHINERY, "MachineryBuildingBlocks"),
            base(ObjectIds.FolderType),
        )
        await self._add_identification(blocks)
        self._item_state = await self._add_state(blocks, "MachineryItemState", 1002)
        self._mode = await self._add_state(blocks, "MachineryOperationMode", 1008)
        await self._add_jobs(blocks, handler)
        await self._robot.build()

    async def _add_identification(self, blocks: Node) -> None:
        space = self._space
        plate = await space.add_object(
            blocks,
            Name(isa95.URI_DI, "Identification"),
            space.type_id(isa95.URI_MACHINERY, 1012),
            ObjectIds.HasAddIn,
        )
        serial = self._nameplate.serial
        for text, value in (
            ("Manufacturer", _localized("Fabcommons (simulated)")),
            ("Model", _localized("Robotic assembly cell")),
            ("SerialNumber", _text(serial)),
            ("ProductInstanceUri", _text(f"urn:fabcommons:simulated:{serial}")),
            ("SoftwareRevision", _text("1")),
        ):
            await space.add_property(plate, Name(isa95.URI_DI, text), value)

    async def _add_state(self, blocks: Node, text: str, kind: int) -> dict[str, Node]:
        """A state machine of OPC 40001-1: the nodes of its current state."""
        space = self._space
        name = Name(isa95.URI_MACHINERY, text)
        official = space.type_id(isa95.URI_MACHINERY, kind)
        machine = await space.add_object(blocks, name, official, ObjectIds.HasAddIn)
        state = await space.add_variable(machine, Name("", "CurrentState"), _localized(""))
        node_id = Value(ua.Variant(ua.NodeId(), ua.VariantType.NodeId), base(ObjectIds.NodeId))
        number = Value(ua.Variant(0, ua.VariantType.UInt32), base(ObjectIds.UInt32))
        return {
            "text": state,
            "id": await space.add_property(state, Name("", "Id"), node_id),
            "number": await space.add_property(state, Name("", "Number"), number),
        }

    async def _add_jobs(self, blocks: Node, handler: Callable[[str], Any]) -> None:
        space = self._space
        jobs = await space.add_object(
            blocks,
            Name(isa95.URI_JOBS, "JobManagement"),
            space.type_id(isa95.URI_JOBS, 1003),
            ObjectIds.HasAddIn,
        )
        receiver = await space.add_object(
            jobs,
            Name(isa95.URI_JOBS, "JobOrderControl"),
            space.type_id(isa95.URI_ISA95, _RECEIVER_SUBSTATES),
        )
        results = await space.add_object(
            jobs,
            Name(isa95.URI_JOBS, "JobOrderResults"),
            space.type_id(isa95.URI_ISA95, _PROVIDER),
        )
        for method, number in _METHOD_IDS.items():
            declared = space.type_id(isa95.URI_ISA95, number)
            await space.add_method(receiver, isa(method), declared, handler(method))
        for method, number in _RESPONSE_IDS.items():
            declared = space.type_id(isa95.URI_ISA95, number)
            await space.add_method(results, isa(method), declared, handler(method))
        await self._add_lists(receiver, results)
        event = space.type_id(isa95.URI_ISA95, _STATUS_EVENT)
        self._events = await space.server.get_event_generator(event, receiver.nodeid)

    async def _add_lists(self, receiver: Node, results: Node) -> None:
        space = self._space
        for text in ("MaterialClassID", "MaterialDefinitionID", "EquipmentID", "PersonnelID"):
            empty = Value(
                ua.Variant([], ua.VariantType.String, is_array=True), base(ObjectIds.String)
            )
            await space.add_variable(receiver, isa(text), empty)
        most = Value(ua.Variant(20, ua.VariantType.UInt16), base(ObjectIds.UInt16))
        await space.add_property(receiver, isa("MaxDownloadableJobOrders"), most)
        for parent, text, number in (
            (receiver, "JobOrderList", 3015),
            (results, "JobOrderResponseList", 3013),
        ):
            kind = space.type_id(isa95.URI_ISA95, number)
            self._lists[text] = await space.add_variable(parent, isa(text), _structs([], kind))

    async def publish(self, cell: Cell) -> None:
        """Write the cell's state into the nodes."""
        jobs = list(cell.jobs.values())
        begun = [j for j in jobs if j.state.number > isa95.ALLOWED]
        await self._write_list("JobOrderList", [listed_struct(j, self.index) for j in jobs])
        await self._write_list(
            "JobOrderResponseList", [response_struct(j, self.index) for j in begun]
        )
        await self._robot.publish(cell)
        stopped = cell.emergency_stop or cell.protective_stop
        number = 1 if stopped else 3 if cell.busy else 2
        state = (_ITEM_STATES[number], _ITEM_STATE_IDS[number], number)
        await self._write_state(self._item_state, state)
        await self._write_state(self._mode, ("Processing", 5026, 3))
        await self._tell(jobs)

    async def _write_state(self, nodes: dict[str, Node], state: tuple[str, int, int]) -> None:
        """Write a current state: its name, the number of its node in the NodeSet, its number."""
        text, node, number = state
        await nodes["text"].write_value(ua.LocalizedText(text))
        await nodes["id"].write_value(self._space.type_id(isa95.URI_MACHINERY, node))
        await nodes["number"].write_value(ua.Variant(number, ua.VariantType.UInt32))

    async def _tell(self, jobs: list[Job]) -> None:
        """An ISA95JobOrderStatusEvent for every job whose state is another one than told."""
        for job in jobs:
            if self._told.get(job.order.id) == job.state:
                continue
            event = self._events.event
            event.JobOrder = order_struct(job.order)
            event.JobState = state_structs(job, self.index)
            event.JobResponse = response_struct(job, self.index)
            await self._events.trigger(message=isa95.state_words(job.state))
        self._told = {job.order.id: job.state for job in jobs}

    async def _write_list(self, text: str, items: list[Any]) -> None:
        variant = ua.Variant(items, ua.VariantType.ExtensionObject, is_array=True)
        await self._lists[text].write_value(variant)

    def responses(self, jobs: list[Job]) -> list[Any]:
        """Job responses of the jobs given."""
        return [response_struct(j, self.index) for j in jobs]

    def states(self, job: Job) -> list[Any]:
        """State entries of a job."""
        return state_structs(job, self.index)
