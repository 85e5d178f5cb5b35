"""The ledger as JSON-LD: two independent processors read it, and nothing breaks the vocabulary."""

import json

import pytest
import rdflib
from pyld import jsonld

from controller.ledger.conformance import Triple, breaches, triples
from controller.ledger.jsonld import export, grams
from controller.ledger.post import correct, post
from controller.ledger.vocabulary import CLASSES, PROPERTIES, VF, context
from controller.values import EconomicEvent
from support.making import make


@pytest.fixture
def document(floor):
    """Everything a delivered need left in the ledger, with a correction."""
    make(floor)
    with floor.store.write() as tx:
        line = next(event for event in tx.ledger.all() if event.action == "raise")
        correct(tx, line.id, -5, 0, "the scale was off")
        return export(tx, tx.ledger.all())


def read_back(document):
    """Triples as rdflib reads them."""
    graph = rdflib.Graph()
    graph.parse(data=json.dumps(document), format="json-ld")
    for subject, predicate, value in graph:
        kind = ""
        if isinstance(value, rdflib.Literal):
            kind = str(value.datatype or "http://www.w3.org/2001/XMLSchema#string")
        yield Triple(str(subject), str(predicate), str(value), kind)


def test_nothing_breaks_the_vocabulary_as_rdflib_reads_it(document):
    found = list(read_back(document))
    assert len(found) > 100
    assert breaches(found) == []
    assert breaches(triples(document)) == []


def test_pyld_expands_every_term_to_the_ontology(document):
    expanded = jsonld.expand(document)
    events = [n for n in expanded if n["@type"] == [VF + "EconomicEvent"] and VF + "action" in n]
    assert {event[VF + "action"][0]["@id"].removeprefix(VF) for event in events} >= {
        "raise", "consume", "produce", "use", "work", "cite", "transfer",
    }  # fmt: skip
    text = json.dumps(expanded)
    assert '"http://w3id.org' not in text
    assert all(key.startswith(("@", VF, "urn:fabcommons:ns:")) for node in expanded for key in node)


def test_both_processors_and_our_own_reading_agree(document):
    def shape(found):
        return sorted(
            (t.predicate, "" if t.object.startswith(("_:", "N", "n")) else t.object, t.datatype)
            for t in found
            if t.datatype or t.object[:1] not in ("_", "N", "n")
        )

    quads = jsonld.to_rdf(document)["@default"]
    pyld = [
        Triple(q["subject"]["value"], q["predicate"]["value"], q["object"]["value"],
               q["object"].get("datatype", "") if q["object"]["type"] == "literal" else "")
        for q in quads
    ]  # fmt: skip
    assert shape(read_back(document)) == shape(pyld) == shape(set(triples(document)))


def test_quantities_are_exact_and_the_balances_are_the_ledgers(document, floor):
    assert grams(-1_004_210)["hasNumericalValue"] == "-1004.210"
    lots = {n["trackingIdentifier"]: n for n in document["@graph"] if n["id"].find(":lot:") > 0}
    with floor.store.read() as tx:
        for name, node in lots.items():
            held = tx.ledger.balance(name).mass_mg
            assert node["accountingQuantity"] == grams(held)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("type", "Process"), "vf:provider is said of Process"),
        (("provider", "urn:fabcommons:floor:lot:spool-1"), "should be Agent"),
        (("hasPointInTime", {"@value": "now", "@type": "xsd:string"}), "should be dateTimeStamp"),
        (("http://w3id.org/valueflows/ont/vf#note", "x"), "is not the namespace"),
        (("vf:inScope", "x"), "is not a property of ValueFlows"),
        (("type", "vf:Gift"), "is not a class of ValueFlows"),
    ],
)
def test_every_kind_of_breach_is_found(document, change, words):
    event = next(n for n in document["@graph"] if n.get("action") == "vf:consume")
    event[change[0]] = change[1]
    assert any(words in found for found in breaches(read_back(document)))


def test_the_context_says_every_term_once():
    terms = context()
    assert set(PROPERTIES) | CLASSES <= set(terms)
    assert json.loads(json.dumps(terms)) == terms


def test_a_page_names_the_event_that_a_correction_corrects(floor):
    with floor.store.write() as tx:
        number = post(tx, EconomicEvent("k", "raise", "a", "b", 1, lot="spool-1", mass_mg=5))
        later = correct(tx, number, -5, 0, "wrong spool")
        page = export(tx, [tx.ledger.get(later)])
    assert breaches(triples(page)) == []
