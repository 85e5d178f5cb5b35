"""Address space helpers: loads the official NodeSets, adds nodes of their types by hand.

asyncua 2.1 cannot instantiate these types (optional methods of a supertype are left out, two
NodeSets fail its strict import), so nodes are added one by one with their official type
definitions, browse names and argument lists; only instances get node ids of our own.
"""

from typing import Any, NamedTuple

from asyncua import ua
from asyncua.common.node import Node
from asyncua.server.server import Server
from asyncua.ua.object_ids import ObjectIds

from protocols import isa95
from simulators.cell.cache import CachedServer
from simulators.cell.files import nodeset_files

URI_OWN = "urn:fabcommons:cell"


class Name(NamedTuple):
    """Browse name: URI of its namespace and text."""

    uri: str
    text: str


class Value(NamedTuple):
    """What a new variable holds."""

    variant: ua.Variant
    datatype: ua.NodeId


def base(number: int) -> ua.NodeId:
    """Node id in the OPC UA base namespace."""
    return ua.NodeId(ua.Int32(number), ua.Int16(0))


class Space:
    """Adds nodes to a server whose NodeSets are loaded."""

    def __init__(self, cached: CachedServer, users: Any = None) -> None:
        self._cached = cached
        self.server = Server(cached)
        if users is not None:
            cached.user_manager = users
        self._indices: dict[str, int] = {}

    async def load(self) -> None:
        """Import the NodeSets, unless the server began with them, and define their data types."""
        kept = self._cached.uris
        for uri in kept:
            await self.server.register_namespace(uri)
        if not kept:
            await self._import()
        await self.server.load_data_type_definitions()
        await self.server.register_namespace(URI_OWN)
        uris = await self.server.get_namespace_array()
        self._indices = {uri: index for index, uri in enumerate(uris)}

    async def _import(self) -> None:
        for path in nodeset_files():
            await self.server.import_xml(str(path), strict_mode=False, auto_load_definitions=False)

    async def keep(self) -> bool:
        """Read the NodeSets and keep them for later starts; False when they cannot be kept."""
        await self.server.init()
        if self._cached.uris:
            return True
        await self._import()
        return self._cached.keep(await self.server.get_namespace_array())

    def type_id(self, uri: str, number: int) -> ua.NodeId:
        """Node id of an official type by its number in the NodeSet."""
        return ua.NodeId(ua.Int32(number), ua.Int16(self._indices[uri]))

    def qualified(self, name: Name) -> ua.QualifiedName:
        """Browse name with this server's namespace index."""
        return ua.QualifiedName(name.text, ua.Int16(self._indices.get(name.uri, 0)))

    def node(self, node_id: ua.NodeId) -> Node:
        """Node of this server."""
        return self.server.get_node(node_id)

    async def add_object(
        self, parent: Node, name: Name, kind: ua.NodeId, reference: int = ObjectIds.HasComponent
    ) -> Node:
        """Add an object of an official type, without children."""
        attributes = ua.ObjectAttributes()
        attributes.DisplayName = ua.LocalizedText(name.text)
        item = self._item(parent, name, kind, reference)
        item.NodeClass = ua.NodeClass.Object
        item.NodeAttributes = attributes
        return await self._add(item)

    async def add_variable(self, parent: Node, name: Name, value: Value) -> Node:
        """Add a variable as a component."""
        kind = base(ObjectIds.BaseDataVariableType)
        return await self._add_value(self._item(parent, name, kind, ObjectIds.HasComponent), value)

    async def add_property(self, parent: Node, name: Name, value: Value) -> Node:
        """Add a variable as a property."""
        kind = base(ObjectIds.PropertyType)
        return await self._add_value(self._item(parent, name, kind, ObjectIds.HasProperty), value)

    async def add_method(self, parent: Node, name: Name, declared: ua.NodeId, call: Any) -> Node:
        """Add a method with the argument lists of its declaration in the type."""
        inputs, outputs = [
            await (await self.node(declared).get_child(["0:" + which])).read_value()
            for which in ("InputArguments", "OutputArguments")
        ]
        own = self._own_id(parent, name)
        return await parent.add_method(own, self.qualified(name), call, inputs, outputs)

    async def _add_value(self, item: Any, value: Value) -> Node:
        text = item.BrowseName.Name
        attributes = ua.VariableAttributes()
        attributes.DisplayName = ua.LocalizedText(text)
        attributes.Value = value.variant
        attributes.DataType = value.datatype
        is_list = value.variant.is_array
        attributes.ValueRank = ua.ValueRank.OneDimension if is_list else ua.ValueRank.Scalar
        attributes.ArrayDimensions = [ua.UInt32(0)] if is_list else []
        item.NodeClass = ua.NodeClass.Variable
        item.NodeAttributes = attributes
        return await self._add(item)

    def _own_id(self, parent: Node, name: Name) -> ua.NodeId:
        prefix = parent.nodeid.Identifier
        path = f"{prefix}.{name.text}" if isinstance(prefix, str) else name.text
        return ua.NodeId(ua.String(path), ua.Int16(self._indices[URI_OWN]))

    def _item(self, parent: Node, name: Name, kind: ua.NodeId, reference: int) -> Any:
        item = ua.AddNodesItem()
        item.RequestedNewNodeId = self._own_id(parent, name)
        item.BrowseName = self.qualified(name)
        item.ParentNodeId = parent.nodeid
        item.ReferenceTypeId = base(reference)
        item.TypeDefinition = kind
        return item

    async def _add(self, item: Any) -> Node:
        results: list[Any] = await self.server.iserver.isession.add_nodes([item])
        results[0].StatusCode.check()
        return self.node(results[0].AddedNodeId)


def isa(text: str) -> Name:
    """Browse name in the ISA-95 job control namespace."""
    return Name(isa95.URI_ISA95, text)
