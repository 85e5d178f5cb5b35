"""The structures of OPC 10031-4 v2 (7.3), field by field, and their bytes.

Declared here instead of generated at run time: generated classes live in asyncua's module, keyed
by namespace index, so two cells that number their namespaces differently would share them. A
structure travels as the bytes of an ExtensionObject whose encoding id is the server's own.
"""

from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua import ua_binary

from protocols import isa95

T = TypeVar("T")


_ZERO = ua.UInt32(0)  # Encoding: mask of the optional fields present, written by asyncua
_EMPTY = ua.String("")
_from_binary = cast("Any", ua_binary).struct_from_binary


def _no_value() -> ua.Variant:
    return ua.Variant()


@dataclass
class Property:
    """ISA95PropertyDataType."""

    Encoding: ua.UInt32 = _ZERO
    ID: ua.String = _EMPTY
    Value: ua.Variant = field(default_factory=_no_value)
    Description: list[ua.LocalizedText] | None = None
    EngineeringUnits: ua.EUInformation | None = None
    Subproperties: "list[Property] | None" = None


@dataclass
class Parameter:
    """ISA95ParameterDataType."""

    Encoding: ua.UInt32 = _ZERO
    ID: ua.String = _EMPTY
    Value: ua.Variant = field(default_factory=_no_value)
    Description: list[ua.LocalizedText] | None = None
    EngineeringUnits: ua.EUInformation | None = None
    Subparameters: "list[Parameter] | None" = None


@dataclass
class Resource:
    """ISA95PersonnelDataType, ISA95EquipmentDataType and ISA95PhysicalAssetDataType."""

    Encoding: ua.UInt32 = _ZERO
    ID: ua.String = _EMPTY
    Description: list[ua.LocalizedText] | None = None
    Use: ua.String | None = None
    Quantity: ua.String | None = None
    EngineeringUnits: ua.EUInformation | None = None
    Properties: list[Property] | None = None


@dataclass
class Material:
    """ISA95MaterialDataType; Quantity is a DecimalString."""

    Encoding: ua.UInt32 = _ZERO
    MaterialClassID: ua.String | None = None
    MaterialDefinitionID: ua.String | None = None
    MaterialLotID: ua.String | None = None
    MaterialSublotID: ua.String | None = None
    Description: list[ua.LocalizedText] | None = None
    MaterialUse: ua.String | None = None
    Quantity: ua.String | None = None
    EngineeringUnits: ua.EUInformation | None = None
    Properties: list[Property] | None = None


@dataclass
class WorkMaster:
    """ISA95WorkMasterDataType."""

    Encoding: ua.UInt32 = _ZERO
    ID: ua.String = _EMPTY
    Description: ua.LocalizedText | None = None
    Parameters: list[Parameter] | None = None


@dataclass
class State:
    """ISA95StateDataType."""

    BrowsePath: ua.RelativePath = field(default_factory=ua.RelativePath)
    StateText: ua.LocalizedText = field(default_factory=ua.LocalizedText)
    StateNumber: ua.UInt32 = _ZERO


@dataclass
class JobOrder:
    """ISA95JobOrderDataType."""

    Encoding: ua.UInt32 = _ZERO
    JobOrderID: ua.String = _EMPTY
    Description: list[ua.LocalizedText] | None = None
    WorkMasterID: list[WorkMaster] | None = None
    StartTime: ua.DateTime | None = None
    EndTime: ua.DateTime | None = None
    Priority: ua.Int16 | None = None
    JobOrderParameters: list[Parameter] | None = None
    PersonnelRequirements: list[Resource] | None = None
    EquipmentRequirements: list[Resource] | None = None
    PhysicalAssetRequirements: list[Resource] | None = None
    MaterialRequirements: list[Material] | None = None


@dataclass
class JobOrderAndState:
    """ISA95JobOrderAndStateDataType."""

    Order: JobOrder = field(default_factory=JobOrder)  # JobOrder in the standard
    States: list[State] = field(default_factory=list[State])  # State in the standard


@dataclass
class JobResponse:
    """ISA95JobResponseDataType."""

    Encoding: ua.UInt32 = _ZERO
    JobResponseID: ua.String = _EMPTY
    Description: ua.LocalizedText | None = None
    JobOrderID: ua.String = _EMPTY
    StartTime: ua.DateTime | None = None
    EndTime: ua.DateTime | None = None
    JobState: list[State] = field(default_factory=list[State])
    JobResponseData: list[Parameter] | None = None
    PersonnelActuals: list[Resource] | None = None
    EquipmentActuals: list[Resource] | None = None
    PhysicalAssetActuals: list[Resource] | None = None
    MaterialActuals: list[Material] | None = None


def encode(value: Any, encoding_id: ua.NodeId) -> ua.ExtensionObject:
    """Structure to ExtensionObject under the server's own encoding id."""
    return ua.ExtensionObject(encoding_id, ua.ByteString(ua_binary.struct_to_binary(value)))


def decode(kind: type[T], value: Any) -> T:
    """ExtensionObject to structure; raise ua.UaError when the bytes do not fit."""
    body = getattr(value, "Body", None)
    if not isinstance(body, bytes):
        raise ua.UaError(f"{kind.__name__}: the server sent no structure but {value!r}")
    try:
        return _from_binary(kind, Buffer(body))
    except Exception as error:
        raise ua.UaError(f"{kind.__name__}: the server's bytes do not fit") from error


def decode_list(kind: type[T], values: Any) -> list[T]:
    """List of ExtensionObjects to structures; None is the empty list."""
    found: list[Any] = values or []
    return [decode(kind, value) for value in found]


def job_state(entries: list[State] | None) -> isa95.JobState:
    """State number and sub-state number of the entries of a job (7.3.2)."""
    number = sub = 0
    for entry in entries or []:
        if entry.BrowsePath.Elements:
            sub = int(entry.StateNumber)
        else:
            number = int(entry.StateNumber)
    return isa95.JobState(number, sub)


def number_parameter(parameters: list[Parameter] | None, name: str) -> int | None:
    """Value of a numeric parameter by its ID; None when absent."""
    for parameter in parameters or []:
        if name == parameter.ID and isinstance(parameter.Value.Value, int | float):
            return int(parameter.Value.Value)
    return None


def text_parameter(parameters: list[Parameter] | None, name: str) -> str:
    """Value of a text parameter by its ID; "" when absent."""
    for parameter in parameters or []:
        if name == parameter.ID:
            value = parameter.Value.Value
            return str(getattr(value, "Text", value) or "")
    return ""
