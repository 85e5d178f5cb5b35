"""Numbers as text for Prometheus: exposition format 0.0.4. Pure; no registry.

https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Sample(NamedTuple):
    """One number and what tells it from its siblings."""

    value: int | float
    labels: Mapping[str, str] = {}


class Family(NamedTuple):
    """Samples of one name; kind counter only ever grows (its name ends ``_total``)."""

    name: str
    kind: Literal["gauge", "counter"]
    meaning: str
    samples: tuple[Sample, ...]


def exposition(families: Iterable[Family]) -> str:
    """The text a scrape gets; families in the order given."""
    return "".join(_family(family) for family in families)


def _family(family: Family) -> str:
    meaning = family.meaning.replace("\\", r"\\").replace("\n", r"\n")
    lines = [f"# HELP {family.name} {meaning}", f"# TYPE {family.name} {family.kind}"]
    lines += [f"{family.name}{_labels(one.labels)} {one.value}" for one in family.samples]
    return "\n".join(lines) + "\n"


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items()) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
