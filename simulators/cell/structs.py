"""Jobs as the ISA-95 structures of the NodeSet, and back; the classes come from the NodeSet."""

from datetime import UTC, datetime
from typing import Any, cast

from asyncua import ua
from asyncua.ua.object_ids import ObjectIds

from protocols import isa95
from simulators.cell.core import Job, JobOrder, Requirement

_UNIT_NAMESPACE = "http://www.opcfoundation.org/UA/units/un/cefact"
_PIECES = ("H87", "piece")


def make(name: str, **fields: Any) -> Any:
    """A structure of the NodeSet by its name."""
    return cast("Any", ua).__dict__[name](**fields)


def when(at_ms: int) -> datetime | None:
    """Time of a structure; None while it has none."""
    return datetime.fromtimestamp(at_ms / 1000, UTC) if at_ms else None


def read_order(value: Any) -> JobOrder:
    """Job order of an ISA95JobOrderDataType."""
    given: list[Any] = value.JobOrderParameters or []
    materials: list[Any] = value.MaterialRequirements or []
    parameters = {p.ID: p.Value.Value for p in given}
    planned = parameters.get(isa95.PARAM_PLANNED_MS) or 0
    return JobOrder(
        id=value.JobOrderID or "",
        label=value.Description[0].Text or "" if value.Description else "",
        work_master=value.WorkMasterID[0].ID or "" if value.WorkMasterID else "",
        priority=int(value.Priority or 0),
        planned_ms=int(planned),
        requirements=tuple(_requirement(m) for m in materials),
    )


def _requirement(material: Any) -> Requirement:
    quantity = str(material.Quantity or "1")
    pieces = int(quantity) if quantity.isdigit() else 0
    return Requirement(material.MaterialDefinitionID or "", material.MaterialLotID or "", pieces)


def order_struct(order: JobOrder) -> Any:
    """ISA95JobOrderDataType of a job order; the twin of ``read_order``."""
    planned = make(
        "ISA95ParameterDataType",
        ID=isa95.PARAM_PLANNED_MS,
        Value=ua.Variant(float(order.planned_ms), ua.VariantType.Double),
    )
    return make(
        "ISA95JobOrderDataType",
        JobOrderID=order.id,
        Description=[ua.LocalizedText(order.label)],
        WorkMasterID=[make("ISA95WorkMasterDataType", ID=order.work_master)],
        Priority=order.priority,
        JobOrderParameters=[planned],
        MaterialRequirements=[_material(r, r.pieces, "Consumable") for r in order.requirements],
    )


def _material(requirement: Requirement, pieces: int, use: str) -> Any:
    code, unit = _PIECES
    return make(
        "ISA95MaterialDataType",
        MaterialDefinitionID=requirement.definition,
        MaterialLotID=requirement.lot,
        MaterialUse=use,
        Quantity=str(pieces),
        EngineeringUnits=ua.EUInformation(
            NamespaceUri=_UNIT_NAMESPACE,
            UnitId=ua.Int32(isa95.unit_id(code)),
            DisplayName=ua.LocalizedText(unit),
            Description=ua.LocalizedText(unit),
        ),
    )


def state_structs(job: Job, index: int) -> list[Any]:
    """ISA95StateDataType entries: the state, then its sub-state; index of the ISA-95 namespace."""
    number, sub = job.state
    top = make(
        "ISA95StateDataType",
        BrowsePath=ua.RelativePath(Elements=[]),
        StateText=ua.LocalizedText(isa95.STATE_TEXT[number]),
        StateNumber=number,
    )
    machine = isa95.SUBSTATE_MACHINE.get(number)
    if not sub or machine is None:
        return [top]
    element = ua.RelativePathElement(
        ReferenceTypeId=ua.NodeId(ua.Int32(ObjectIds.HasComponent)),
        TargetName=ua.QualifiedName(machine, ua.Int16(index)),
    )
    below = make(
        "ISA95StateDataType",
        BrowsePath=ua.RelativePath(Elements=[element]),
        StateText=ua.LocalizedText(isa95.SUBSTATE_TEXT[number][sub]),
        StateNumber=sub,
    )
    return [top, below]


def listed_struct(job: Job, index: int) -> Any:
    """ISA95JobOrderAndStateDataType of a job."""
    return make(
        "ISA95JobOrderAndStateDataType",
        JobOrder=order_struct(job.order),
        State=state_structs(job, index),
    )


def response_struct(job: Job, index: int) -> Any:
    """ISA95JobResponseDataType of a job; MaterialActuals hold what was picked so far."""
    needs = job.order.requirements
    result = make(
        "ISA95ParameterDataType",
        ID=isa95.PARAM_RESULT,
        Value=ua.Variant(job.result, ua.VariantType.Int32),
    )
    reason = make(
        "ISA95ParameterDataType",
        ID=isa95.PARAM_REASON,
        Value=ua.Variant(ua.LocalizedText(job.reason), ua.VariantType.LocalizedText),
    )
    return make(
        "ISA95JobResponseDataType",
        JobResponseID=f"{job.order.id}-response",
        JobOrderID=job.order.id,
        StartTime=when(job.started_at),
        EndTime=when(job.ended_at),
        JobState=state_structs(job, index),
        JobResponseData=[result, reason],
        MaterialActuals=[_material(r, job.picked(i), "Consumed") for i, r in enumerate(needs)],
    )
