"""Checks the ballots of a published round: each hash, each counted vote, each limit chosen.

A member's receipt holds their ballot's hash; it must be among those published here. What the round
counted must be what was cast, as far as the needs were still there when the ballot closed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from controller.rounds_verify.reading import Finding, Malformed, get, rows, table, text

FORMAT = "fabcommons-ballots/1"


def check_ballots(value: dict[str, Any], files: Mapping[str, bytes]) -> list[Finding]:
    """Findings about the ballots file a round names; a round that names none has no findings."""
    if "ballots" not in value:
        return []
    named = table(value["ballots"], "ballots")
    name = text(get(named, "file", "ballots"), "ballots.file")
    content = files.get(name)
    if content is None:
        return [Finding("ballots", name, "is missing beside the round")]
    if hashlib.sha256(content).hexdigest() != get(named, "sha256", "ballots"):
        return [Finding("ballots", name, "is not the file that was published")]
    try:
        box = table(json.loads(content), name)
    except ValueError as error:
        raise Malformed(name, f"is not JSON: {error}") from None
    cast = [table(row, f"{name}.ballots") for row in rows(get(box, "ballots", name), name)]
    return [*_hashes(value, box, cast), *_counted(value, cast), *_limits(value, box, cast)]


def _hashes(
    value: dict[str, Any], box: dict[str, Any], cast: list[dict[str, Any]]
) -> Iterator[Finding]:
    """Every ballot commits to what it says; there is one of each voter."""
    round_id = table(value["inputs"], "inputs").get("id")
    if box.get("format") != FORMAT or box.get("round") != round_id:
        yield Finding("ballots", "ballots.json", "belongs to another round")
    for row in cast:
        content = [round_id, row.get("voter"), row.get("approvals"), row.get("limits")]
        if _sha(content) != row.get("sha256"):
            yield Finding("ballots", str(row.get("voter")), "does not have the hash it was cast by")
    if len({str(row.get("voter")) for row in cast}) != len(cast):
        yield Finding("ballots", "ballots.json", "has two ballots of one voter")


def _sha(content: object) -> str:
    plain = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(plain.encode()).hexdigest()


def _counted(value: dict[str, Any], cast: list[dict[str, Any]]) -> Iterator[Finding]:
    """What was counted is what was cast, less needs withdrawn before the close."""
    inputs = table(value["inputs"], "inputs")
    needs = {row["id"] for row in inputs["needs"]}
    counted = {row["member"]: row["approvals"] for row in inputs["ballots"]}
    expected = {
        row["voter"]: {n: a for n, a in table(row["approvals"], "approvals").items() if n in needs}
        for row in cast
    }
    for voter in sorted({*counted, *expected}):
        if counted.get(voter) != expected.get(voter):
            yield Finding("ballots", voter, "was not counted as it was cast")


def _limits(
    value: dict[str, Any], box: dict[str, Any], cast: list[dict[str, Any]]
) -> Iterator[Finding]:
    """Each limit is the lower median of what voters named, communities by weight."""
    inputs = table(value["inputs"], "inputs")
    weights = {
        row["id"]: row["members"] if row.get("need_weight") is None else row["need_weight"]
        for row in inputs["communities"]
    }
    named: dict[str, list[tuple[int, str]]] = {}
    for row in cast:
        for resource, amount in table(row["limits"], "limits").items():
            named.setdefault(resource, []).append((amount, row["community"]))
    chosen = {resource: median(votes, weights) for resource, votes in named.items()}
    if box.get("limits") != chosen:
        yield Finding("ballots", "limits", "are not the medians of what voters named")
    inforce = {row["id"]: row.get("threshold") for row in inputs["resources"]}
    for resource, limit in sorted(chosen.items()):
        if resource in inforce and inforce[resource] != limit:
            yield Finding("ballots", f"limits.{resource}", f"chosen is {limit}, not in force")


def median(votes: list[tuple[int, str]], weights: Mapping[str, int]) -> int:
    """Least amount that half of the weight does not exceed; voters of a community share its."""
    voters: dict[str, int] = {}
    for _, community in votes:
        voters[community] = voters.get(community, 0) + 1
    parts = [(amount, Fraction(weights.get(c, 0), voters[c])) for amount, c in sorted(votes)]
    whole = sum((part for _, part in parts), Fraction(0))
    below = Fraction(0)
    for amount, part in parts:
        below += part
        if 2 * below >= whole:
            return amount
    return parts[-1][0]
