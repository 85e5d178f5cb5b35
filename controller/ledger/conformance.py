"""Says where triples break ValueFlows: unknown terms, wrong classes, wrong kinds of values.

Works on triples of any source: a JSON-LD processor's, or ``triples`` of our own documents.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, cast

from controller.ledger.vocabulary import (
    AGENTS,
    CLASSES,
    FAB,
    OM2,
    OURS,
    PROPERTIES,
    RDF_TYPE,
    VF,
    XSD,
    context,
)

NUMBERS = ("decimal", "integer", "double", "float")
OTHER_SPELLINGS = (VF.replace("https:", "http:"), "https://w3id.org/valueflows#")


class Unreadable(Exception):
    """A document that is not in the form of our exports; the message says where."""


class Triple(NamedTuple):
    """Subject, predicate, object as full IRIs; a literal has its datatype, a node has none."""

    subject: str
    predicate: str
    object: str
    datatype: str = ""


def breaches(triples: Iterable[Triple]) -> list[str]:
    """Everything that breaks the vocabulary, in words; nothing means conformant."""
    found = list(triples)
    kinds: dict[str, set[str]] = {}
    for triple in found:
        if triple.predicate == RDF_TYPE:
            kinds.setdefault(triple.subject, set()).add(triple.object)
    wrong: list[str] = []
    for triple in found:
        wrong += _of_type(triple) if triple.predicate == RDF_TYPE else _of(triple, kinds)
    return sorted(set(wrong))


def _of_type(triple: Triple) -> Iterator[str]:
    if triple.object.startswith(OTHER_SPELLINGS):
        yield f"{triple.subject}: {triple.object} is not the namespace; write {VF}"
    elif triple.object.startswith(VF) and triple.object.removeprefix(VF) not in CLASSES:
        yield f"{triple.subject}: {triple.object} is not a class of ValueFlows"


def _of(triple: Triple, kinds: Mapping[str, set[str]]) -> Iterator[str]:
    """Findings of one statement."""
    if triple.predicate.startswith(OTHER_SPELLINGS):
        yield f"{triple.subject}: {triple.predicate} is not the namespace; write {VF}"
    elif triple.predicate.startswith(VF):
        yield from _of_property(triple, kinds)
    elif triple.predicate.startswith(FAB) and triple.predicate.removeprefix(FAB) not in OURS:
        yield f"{triple.subject}: {triple.predicate} is not one of our terms"


def _of_property(triple: Triple, kinds: Mapping[str, set[str]]) -> Iterator[str]:
    name = triple.predicate.removeprefix(VF)
    if name not in PROPERTIES:
        yield f"{triple.subject}: vf:{name} is not a property of ValueFlows we know"
        return
    domain, said = PROPERTIES[name]
    own = {kind.removeprefix(VF) for kind in kinds.get(triple.subject, set())}
    if not own & set(domain):
        yield f"{triple.subject}: vf:{name} is said of {_words(own)}, only of {_words(domain)}"
    if isinstance(said, str):
        yield from _of_value(triple, name, said)
        return
    if triple.datatype:
        yield f"{triple.subject}: vf:{name} is a text, should be a node"
        return
    theirs = {kind.removeprefix(VF) for kind in kinds.get(triple.object, set())}
    named = triple.object.startswith((OM2, VF))  # units and actions are named elsewhere
    if not (theirs & set(said) or (named and said in (("Unit",), ("Action",)))):
        yield f"{triple.subject}: vf:{name} is {_words(theirs)}, should be {_words(said)}"


def _of_value(triple: Triple, name: str, said: str) -> Iterator[str]:
    kind = triple.datatype.removeprefix(XSD)
    if said == "decimal" and kind in NUMBERS:
        return
    if kind != said:
        yield f"{triple.subject}: vf:{name} is {kind or 'a node'}, should be {said}"


def _words(kinds: Iterable[str]) -> str:
    listed = sorted(set(kinds))
    if set(AGENTS) <= set(listed):
        listed = ["Agent", *(kind for kind in listed if kind not in AGENTS)]
    return " or ".join(listed) or "nothing typed"


def triples(document: Mapping[str, Any]) -> Iterator[Triple]:
    """Triples of a document of ours: flat nodes, inner nodes without an id are numbered.

    Raises Unreadable for another form; a processor of JSON-LD reads those.
    """
    terms = context()
    blanks = iter(range(10**9))
    nodes = document.get("@graph") if isinstance(document, dict) else None
    if not isinstance(nodes, list):
        raise Unreadable("there is no list @graph")
    for place, node in enumerate(cast("list[Any]", nodes)):
        try:
            yield from _node(node, terms, blanks)
        except (KeyError, TypeError, AttributeError) as error:
            raise Unreadable(f"@graph[{place}]: {error!r} is no term or form of ours") from error


def _node(
    node: Mapping[str, Any], terms: Mapping[str, Any], blanks: Iterator[int]
) -> Iterator[Triple]:
    subject = str(node.get("id") or f"_:n{next(blanks)}")
    yield Triple(subject, RDF_TYPE, _iri(terms[node["type"]], terms))
    for name, value in node.items():
        if name in ("id", "type"):
            continue
        term = terms[name]
        predicate = _iri(term["@id"], terms)
        if isinstance(value, dict):
            inner = {"id": f"_:n{next(blanks)}", **cast("dict[str, Any]", value)}
            yield Triple(subject, predicate, inner["id"])
            yield from _node(inner, terms, blanks)
        elif term["@type"] == "@id":
            yield Triple(subject, predicate, _iri(str(value), terms))
        else:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            yield Triple(subject, predicate, text, _iri(term["@type"], terms))


def _iri(name: str, terms: Mapping[str, Any]) -> str:
    prefix, colon, rest = name.partition(":")
    found = terms.get(prefix)
    return f"{found}{rest}" if colon and isinstance(found, str) else name
