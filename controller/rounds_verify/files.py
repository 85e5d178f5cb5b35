"""Checks the .pb files of a published round against its inputs: hash, budget, costs, votes."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from controller.rounds_verify.reading import (
    Certified,
    Finding,
    Stated,
    get,
    rows,
    table,
    text,
)

Cells = list[dict[str, str]]


class PbFile(NamedTuple):
    """A .pb file: META, PROJECTS, points by voter and project (1 for a plain approval)."""

    meta: dict[str, str]
    projects: Cells
    votes: dict[str, dict[str, str]]


def check_files(
    value: dict[str, Any], stated: Stated, certified: Certified, files: Mapping[str, bytes]
) -> list[Finding]:
    """Findings about every listed file, and about resources that have none."""
    found: list[Finding] = []
    covered: set[str] = set()
    for at, row in enumerate(rows(get(value, "pb", "document"), "pb")):
        where = f"pb[{at}]"
        listed = table(row, where)
        name, r, sha256 = (
            text(get(listed, key, where), f"{where}.{key}")
            for key in ("file", "resource", "sha256")
        )
        covered.add(r)
        content = files.get(name)
        if content is None:
            found.append(Finding("file", name, "is missing beside the round"))
        elif hashlib.sha256(content).hexdigest() != sha256:
            found.append(Finding("file", name, "is not the file that was published"))
        elif r not in stated.capacity:
            found.append(Finding("file", name, f"is about {r!r}, which the round does not know"))
        else:
            found += _compare(name, r, content, (value, stated, certified))
    for r in sorted(_voted_resources(stated) - covered):
        found.append(Finding("file", r, "has no .pb file"))
    return found


def _voted_resources(stated: Stated) -> set[str]:
    """Resources asked for by needs that have support."""
    voted = {name for voter in stated.voters for name in voter.voices}
    return {r for name in voted for r, amount in stated.wants[name].demand.items() if amount}


def _compare(
    name: str, r: str, content: bytes, round_: tuple[dict[str, Any], Stated, Certified]
) -> Iterator[Finding]:
    """Findings of one file against the inputs."""
    value, stated, certified = round_
    try:
        pb = _read(content.decode())
    except (ValueError, KeyError, csv.Error):
        yield Finding("file", name, "is not a .pb file")
        return
    if pb.meta.get("budget") != str(stated.capacity[r]):
        yield Finding("file", name, f"budget is not the capacity of {r}")
    asked = {n: w.demand[r] for n, w in stated.wants.items() if w.demand.get(r)}
    costs = {row["project_id"]: row["cost"] for row in pb.projects}
    if costs != {n: str(a) for n, a in asked.items()} or len(costs) != len(pb.projects):
        yield Finding("file", name, f"projects are not the needs that ask for {r}")
        return
    accepted = {*certified.floor, *(p.need for p in certified.purchases)}
    accepted |= {grant.need for grant in certified.spill}
    if any(row.get("selected") != str(int(row["project_id"] in accepted)) for row in pb.projects):
        yield Finding("file", name, "selected projects are not the accepted needs")
    ballots = _ballots(value, set(asked))
    if pb.votes != ballots:
        yield Finding("file", name, "votes are not the ballots of the round")


def _ballots(value: dict[str, Any], asked: set[str]) -> dict[str, dict[str, str]]:
    """Approvals of needs that ask for the resource, by member, as texts."""
    found: dict[str, dict[str, str]] = {}
    for ballot in value["inputs"]["ballots"]:
        row = {need: str(level) for need, level in ballot["approvals"].items() if need in asked}
        if row:
            found[ballot["member"]] = row
    return found


def _points(row: dict[str, str]) -> dict[str, str]:
    names = row["vote"].split(",")
    points = row["points"].split(",") if "points" in row else ["1"] * len(names)
    return dict(zip(names, points, strict=True))


def _read(content: str) -> PbFile:
    """Sections of a .pb file; ValueError, KeyError or csv.Error when it is none."""
    sections: dict[str, Cells] = {"META": [], "PROJECTS": [], "VOTES": []}
    section, columns = "", list[str]()
    for row in csv.reader(io.StringIO(content), delimiter=";", strict=True):
        if len(row) == 1 and row[0] in sections:
            section, columns = row[0], []
        elif not columns:
            columns = row
        else:
            sections[section].append(dict(zip(columns, row, strict=True)))
    meta = {row["key"]: row["value"] for row in sections["META"]}
    votes = {row["voter_id"]: _points(row) for row in sections["VOTES"]}
    if len(votes) != len(sections["VOTES"]):
        raise ValueError("a voter has two votes")
    return PbFile(meta, sections["PROJECTS"], votes)
