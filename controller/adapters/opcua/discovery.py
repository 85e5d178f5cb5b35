"""Finds a cell's nodes by browsing: namespace URIs, type names and browse names, no node ids.

Only ids that the OPC UA base specification fixes (Objects, Server) are written here.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from asyncua import ua
from asyncua.client.client import Client
from asyncua.ua.object_ids import ObjectIds

from protocols import isa95

_MAX_NODES = 5000
_MAX_DEPTH = 10
_BATCH = 100
# name of a type: variables in its ParameterSet, all of OPC 40010-1
_PARAMETERS = {
    "SafetyStateType": ("EmergencyStop", "ProtectiveStop", "OperationalMode"),
    "MotionDeviceType": ("SpeedOverride", "InControl", "OnPath"),
    "TaskControlType": ("TaskProgramName", "TaskProgramLoaded"),
}
# state machines of OPC 40001-1: the name their state goes by here
_MACHINES = {
    "MachineryItemState_StateMachineType": "MachineryItemState",
    "MachineryOperationModeStateMachineType": "MachineryOperationMode",
}
_TYPES = ua.NodeClass.ObjectType
_EVENT = "ISA95JobOrderStatusEventType"
PLATE = ("Manufacturer", "Model", "SerialNumber", "ProductInstanceUri", "SoftwareRevision")


class NotACell(Exception):
    """The server offers no ISA-95 job control that we can use; str() says what is missing."""


class CellNodes(NamedTuple):
    """Where everything is in one server; node ids hold for one connection."""

    receiver: ua.NodeId
    methods: dict[str, ua.NodeId]
    job_list: ua.NodeId
    order_encoding: ua.NodeId
    provider: ua.NodeId | None
    provider_methods: dict[str, ua.NodeId]
    signals: dict[str, ua.NodeId]
    plate: dict[str, ua.NodeId]
    event: ua.NodeId | None


class Found(NamedTuple):
    """An object met on the way: where, what it is called, its type, the path of names to it."""

    node: ua.NodeId
    name: tuple[str, str]
    kind: ua.NodeId
    path: tuple[str, ...]


def _fixed(number: int) -> ua.NodeId:
    return ua.NodeId(ua.Int32(number), ua.Int16(0))


class Browser:
    """Reads the address space of one server."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._uris: list[str] = []
        self._kinds: dict[ua.NodeId, tuple[tuple[str, str], ...]] = {}

    async def find(self, machine_name: str = "") -> CellNodes:
        """Find the cell of this browse name, or the only one; raise NotACell."""
        self._uris = await self._client.get_namespace_array()
        if isa95.URI_ISA95 not in self._uris:
            raise NotACell(f"the server does not offer {isa95.URI_ISA95}")
        objects = await self._objects()
        receivers = [
            f
            for f in objects
            if await self._is_a(f.kind, isa95.RECEIVER_TYPES)
            and (not machine_name or machine_name in f.path)
        ]
        if len(receivers) != 1:
            what = f" under {machine_name}" if machine_name else ""
            raise NotACell(f"the server has {len(receivers)} job order receivers{what}, not one")
        return await self._cell(receivers[0], objects)

    async def _cell(self, receiver: Found, objects: list[Found]) -> CellNodes:
        parts = await self._named_children(receiver.node)
        methods = {m: parts[isa95.URI_ISA95, m] for m in isa95.METHODS if _has(parts, m)}
        stores = "StoreAndStart" in methods or {"Store", "Start"} <= methods.keys()
        if not stores or not _has(parts, "JobOrderList"):
            raise NotACell("the receiver offers no StoreAndStart or no JobOrderList")
        storing = methods.get("StoreAndStart") or methods["Store"]
        provider = await self._provider(receiver, objects)
        answers = await self._named_children(provider) if provider else {}
        return CellNodes(
            receiver=receiver.node,
            methods=methods,
            job_list=parts[isa95.URI_ISA95, "JobOrderList"],
            order_encoding=await self._encoding(storing),
            provider=provider,
            provider_methods={
                name: node
                for (uri, name), node in answers.items()
                if uri == isa95.URI_ISA95 and name.startswith("Request")
            },
            signals=await self._signals(receiver, objects),
            plate=await self._plate(receiver, objects),
            event=await self._event_type(),
        )

    async def _provider(self, receiver: Found, objects: list[Found]) -> ua.NodeId | None:
        """The response provider closest to the receiver in the tree."""
        providers = [f for f in objects if await self._is_a(f.kind, (isa95.PROVIDER_TYPE,))]
        if not providers:
            return None
        return max(providers, key=lambda f: _shared(f.path, receiver.path)).node

    async def _signals(self, receiver: Found, objects: list[Found]) -> dict[str, ua.NodeId]:
        """Variables that say how the cell is, of the objects nearest to the receiver."""
        found: dict[str, ua.NodeId] = {}
        for kind, names in _PARAMETERS.items():
            node = await self._nearest(receiver, objects, kind, isa95.URI_ROBOTICS)
            inside = await self._named_children(node) if node else {}
            parameters = inside.get((isa95.URI_DI, "ParameterSet"))
            if parameters is not None:
                values = await self._named_children(parameters)
                found.update(_pick(values, isa95.URI_ROBOTICS, names))
        for kind, name in _MACHINES.items():
            node = await self._nearest(receiver, objects, kind, isa95.URI_MACHINERY)
            state = (await self._named_children(node) if node else {}).get(
                self._base("CurrentState")
            )
            if state is not None:
                more = await self._named_children(state)
                found[name] = more.get(self._base("Number"), state)
        return found

    def _base(self, name: str) -> tuple[str, str]:
        """A browse name of the OPC UA base namespace."""
        return self._uris[0], name

    async def _nearest(
        self, receiver: Found, objects: list[Found], kind: str, uri: str
    ) -> ua.NodeId | None:
        if uri not in self._uris:
            return None
        those = [f for f in objects if await self._is_a(f.kind, (kind,), uri)]
        return max(those, key=lambda f: _shared(f.path, receiver.path)).node if those else None

    async def _event_type(self) -> ua.NodeId | None:
        """The type of event that says a job order's state changed, None where there is none."""
        level = [_fixed(ObjectIds.BaseEventType)]
        for _ in range(_MAX_DEPTH):
            below: list[ua.NodeId] = []
            for references in await self._browse(level, ObjectIds.HasSubtype, _TYPES):
                for r in references:
                    if self._name(r.BrowseName) == (isa95.URI_ISA95, _EVENT):
                        return r.NodeId
                    below.append(r.NodeId)
            if not below:
                break
            level = below
        return None

    async def _plate(self, receiver: Found, objects: list[Found]) -> dict[str, ua.NodeId]:
        """Variables of the Machinery identification (OPC 40001-1) nearest to the receiver."""
        plates = [f for f in objects if f.name == (isa95.URI_DI, "Identification")]
        if not plates:
            return {}
        nearest = max(plates, key=lambda f: _shared(f.path, receiver.path))
        return _pick(await self._named_children(nearest.node), isa95.URI_DI, PLATE)

    async def _encoding(self, method: ua.NodeId) -> ua.NodeId:
        """Binary encoding id of the job order structure, from the method's own argument list."""
        inside = await self._named_children(method)
        arguments = inside.get((self._uris[0], "InputArguments"))
        if arguments is None:
            raise NotACell("the storing method does not describe its arguments")
        listed: Any = await self._client.get_node(arguments).read_value()
        for reference in await self._references(listed[0].DataType, ObjectIds.HasEncoding):
            if reference.BrowseName.Name == "Default Binary":
                return reference.NodeId
        raise NotACell("the job order structure has no binary encoding")

    async def _objects(self) -> list[Found]:
        """Every object below Objects, breadth first, without the server's own."""
        level: list[tuple[ua.NodeId, tuple[str, ...]]] = [(_fixed(ObjectIds.ObjectsFolder), ())]
        seen = {_fixed(ObjectIds.ObjectsFolder), _fixed(ObjectIds.Server)}
        found: list[Found] = []
        for _ in range(_MAX_DEPTH):
            nodes = [node for node, _path in level]
            children = await self._browse(nodes, ObjectIds.HierarchicalReferences)
            paths = [path for _node, path in level]
            level = []
            for path, references in zip(paths, children, strict=True):
                for r in references:
                    if r.NodeClass != ua.NodeClass.Object or r.NodeId in seen:
                        continue
                    seen.add(r.NodeId)
                    name = self._name(r.BrowseName)
                    below = (*path, name[1])
                    found.append(Found(r.NodeId, name, r.TypeDefinition, below))
                    level.append((r.NodeId, below))
            if not level or len(seen) > _MAX_NODES:
                break
        return found

    async def _is_a(
        self, kind: ua.NodeId, names: Iterable[str], uri: str = isa95.URI_ISA95
    ) -> bool:
        if kind not in self._kinds:
            self._kinds[kind] = await self._ancestry(kind)
        return any((uri, name) in self._kinds[kind] for name in names)

    async def _ancestry(self, kind: ua.NodeId) -> tuple[tuple[str, str], ...]:
        """Names of a type and of its supertypes."""
        names: list[tuple[str, str]] = []
        at = kind
        while not at.is_null() and len(names) < _MAX_DEPTH and at.NamespaceIndex != 0:
            names.append(self._name(await self._client.get_node(at).read_browse_name()))
            above = await self._references(at, ObjectIds.HasSubtype, forward=False)
            if not above:
                break
            at = above[0].NodeId
        return tuple(names)

    def _name(self, name: ua.QualifiedName) -> tuple[str, str]:
        index = int(name.NamespaceIndex)
        uri = self._uris[index] if index < len(self._uris) else ""
        return uri, name.Name or ""

    async def _named_children(self, node: ua.NodeId) -> dict[tuple[str, str], ua.NodeId]:
        references = await self._references(node, ObjectIds.HierarchicalReferences)
        return {self._name(r.BrowseName): r.NodeId for r in references}

    async def _references(self, node: ua.NodeId, kind: int, forward: bool = True) -> list[Any]:
        direction = ua.BrowseDirection.Forward if forward else ua.BrowseDirection.Inverse
        return await self._client.get_node(node).get_references(kind, direction)

    async def _browse(
        self, nodes: list[ua.NodeId], kind: int, classes: int = ua.NodeClass.Object
    ) -> list[list[Any]]:
        """Forward references of many nodes, a hundred to a request."""
        results: list[list[Any]] = []
        for start in range(0, len(nodes), _BATCH):
            part = nodes[start : start + _BATCH]
            request = ua.BrowseParameters(
                NodesToBrowse=[_description(n, kind, classes) for n in part]
            )
            answers: list[Any] = await self._client.uaclient.browse(request)
            for node, answer in zip(part, answers, strict=True):
                cut = bool(answer.ContinuationPoint)
                results.append(
                    await self._references(node, kind) if cut else list(answer.References or [])
                )
        return results


def _description(node: ua.NodeId, kind: int, classes: int) -> ua.BrowseDescription:
    return ua.BrowseDescription(
        NodeId=node,
        BrowseDirection=ua.BrowseDirection.Forward,
        ReferenceTypeId=_fixed(kind),
        IncludeSubtypes=True,
        NodeClassMask=ua.UInt32(classes),
        ResultMask=ua.UInt32(ua.BrowseResultMask.All),
    )


def _has(parts: dict[tuple[str, str], ua.NodeId], name: str) -> bool:
    return (isa95.URI_ISA95, name) in parts


def _pick(
    nodes: dict[tuple[str, str], ua.NodeId], uri: str, names: tuple[str, ...]
) -> dict[str, ua.NodeId]:
    return {name: nodes[uri, name] for name in names if (uri, name) in nodes}


def _shared(a: tuple[str, ...], b: tuple[str, ...]) -> int:
    """How many names two paths share from the root."""
    count = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        count += 1
    return count
