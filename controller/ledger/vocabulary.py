"""ValueFlows 1.0.0: the terms we speak, their domains and ranges, and our JSON-LD context.

Facts of the release's ontology. The published examples write ``http:``, the ontology ``https:``:
the latter counts. ``fab:`` are our own terms, for what ValueFlows has no word.
"""

from typing import Any

VF = "https://w3id.org/valueflows/ont/vf#"
FAB = "urn:fabcommons:ns:"
OM2 = "http://www.ontology-of-units-of-measure.org/resource/om-2/"
XSD = "http://www.w3.org/2001/XMLSchema#"
RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"

AGENTS = ("Agent", "Person", "Organization", "EcologicalAgent")
_FLOWS = ("EconomicEvent", "Commitment", "Intent")
_CLAIMS = (*_FLOWS, "Claim")
_NOTED = (
    *AGENTS, *_FLOWS, "Agreement", "EconomicResource", "Plan", "Process", "ProcessSpecification",
    "Proposal", "Recipe", "RecipeFlow", "RecipeProcess", "ResourceSpecification", "SpatialThing",
)  # fmt: skip
_NAMED = tuple(kind for kind in _NOTED if kind not in ("EconomicEvent", "Commitment", "RecipeFlow"))

CLASSES = frozenset((*_NOTED, "Action", "BatchLotRecord", "Claim", "Measure", "Unit"))

# term: (classes it is said of, what it says: classes, or an XML Schema type)
PROPERTIES: dict[str, tuple[tuple[str, ...], tuple[str, ...] | str]] = {
    "action": ((*_CLAIMS, "RecipeFlow"), ("Action",)),
    "inputOf": (_FLOWS, ("Process",)),
    "outputOf": (_FLOWS, ("Process",)),
    "plannedWithin": (("Process", "Commitment", "Intent"), ("Plan",)),
    "independentDemandOf": (("Commitment",), ("Plan",)),
    "resourceInventoriedAs": (_FLOWS, ("EconomicResource",)),
    "toResourceInventoriedAs": (("EconomicEvent",), ("EconomicResource",)),
    "resourceConformsTo": ((*_CLAIMS, "RecipeFlow"), ("ResourceSpecification",)),
    "resourceQuantity": ((*_CLAIMS, "RecipeFlow"), ("Measure",)),
    "effortQuantity": ((*_CLAIMS, "RecipeFlow"), ("Measure",)),
    "provider": (_CLAIMS, AGENTS),
    "receiver": (_CLAIMS, AGENTS),
    "primaryAccountable": (("EconomicResource",), AGENTS),
    "corrects": (("EconomicEvent",), ("EconomicEvent",)),
    "fulfills": (("EconomicEvent",), ("Commitment",)),
    "satisfies": (("Commitment", "EconomicEvent"), ("Intent",)),
    "conformsTo": (("EconomicResource",), ("ResourceSpecification",)),
    "containedIn": (("EconomicResource",), ("EconomicResource",)),
    "ofBatchLot": (("EconomicResource",), ("BatchLotRecord",)),
    "accountingQuantity": (("EconomicResource",), ("Measure",)),
    "onhandQuantity": (("EconomicResource",), ("Measure",)),
    "stage": (("EconomicResource", "Commitment", "Intent"), ("ProcessSpecification",)),
    "basedOn": (("Process",), ("ProcessSpecification",)),
    "hasUnit": (("Measure",), ("Unit",)),
    "hasNumericalValue": (("Measure",), "decimal"),
    "state": ((*_FLOWS, "EconomicResource", "RecipeFlow"), "string"),
    "trackingIdentifier": (("EconomicResource",), "string"),
    "batchLotCode": (("BatchLotRecord",), "string"),
    "currentVirtualLocation": (("EconomicResource",), "anyURI"),
    "name": (_NAMED, "string"),
    "note": (_NOTED, "string"),
    "finished": (("Commitment", "Process", "Intent", "Claim"), "boolean"),
    "created": (("Commitment", "EconomicEvent", "Plan", "Agreement", "Claim", "Proposal"),
                "dateTimeStamp"),
    "due": (("Plan", "Commitment", "Claim", "Intent"), "dateTimeStamp"),
    "hasPointInTime": (_FLOWS, "dateTimeStamp"),
    "hasBeginning": ((*_FLOWS, "Proposal", "Process"), "dateTimeStamp"),
    "hasEnd": ((*_FLOWS, "Proposal", "Process"), "dateTimeStamp"),
}  # fmt: skip

OURS = {
    "pieces": "integer",  # how many of them, where the quantity is a mass
    "measure": "string",  # how a quantity is known: measured, uncertain, counted, ...
    "needClass": "string",  # floor, normal or urgent
    "manifestSha256": "string",
    "license": "string",
}

UNITS = {"gram": "g", "one": "", "second-Time": "s", "kilowattHour": "kWh"}


def context() -> dict[str, Any]:
    """Our JSON-LD context: every term above, nothing else."""
    terms: dict[str, Any] = {
        "vf": VF,
        "fab": FAB,
        "om2": OM2,
        "xsd": XSD,
        "id": "@id",
        "type": "@type",
    }
    for name in sorted(CLASSES):
        terms[name] = f"vf:{name}"
    for name, (_, said) in PROPERTIES.items():
        kind = f"xsd:{said}" if isinstance(said, str) else "@id"
        terms[name] = {"@id": f"vf:{name}", "@type": kind}
    for name, kind in OURS.items():
        terms[name] = {"@id": f"fab:{name}", "@type": f"xsd:{kind}"}
    return terms
