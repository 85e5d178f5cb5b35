"""A PaBuLib election as the inputs of a round: one resource, every project a need.

Where every vote and project names a neighborhood, neighborhoods are the communities, else there is
one community of all voters. Points become intensities 1 to 3 relative to a voter's highest; ranks
(ordinal votes) count as plain approvals.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from controller.allocation.inputs import FORMAT, Inputs
from controller.allocation.pabulib import PbElection
from controller.allocation.reading import read_inputs

ALL = "all"
MONEY = "budget"


def pb_inputs(election: PbElection) -> Inputs:
    """Inputs of a round with the projects as needs; RoundError when ids or amounts do not fit."""
    return read_inputs(pb_document(election))


def pb_document(election: PbElection) -> dict[str, Any]:
    """The same as a document that can be completed by hand."""
    rows = [*(p.more for p in election.projects), *(v.more for v in election.votes)]
    local = bool(rows) and all(row.get("neighborhood") for row in rows)
    voters = Counter(_community(vote.more, local) for vote in election.votes)
    homes = Counter(_community(project.more, local) for project in election.projects)
    names = sorted({*voters, *homes})
    return {
        "format": FORMAT,
        "id": _word(election.meta["instance"]),
        "place": election.meta["unit"],
        "opened_on": _day(election.meta["date_begin"], "01-01"),
        "closed_on": _day(election.meta["date_end"], "12-31"),
        "resources": [
            {"id": MONEY, "title": MONEY, "unit": "pieces", "forecast": election.budget},
        ],
        "communities": [
            {"id": _word(name), "title": name, "members": voters[name]} for name in names
        ],
        "needs": [
            {
                "id": _word(project.id),
                "community": _word(_community(project.more, local)),
                "title": project.more.get("name") or project.id,
                "demand": {MONEY: project.cost},
            }
            for project in election.projects
        ],
        "ballots": [
            {
                "member": _word(vote.voter),
                "community": _word(_community(vote.more, local)),
                "approvals": _intensities(vote.points),
            }
            for vote in election.votes
        ],
    }


def _community(cells: Mapping[str, str], local: bool) -> str:
    return cells["neighborhood"] if local else ALL


def _word(text: str) -> str:
    """An id made of a text: other characters become dashes."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", text).lstrip("._-")[:64] or "x"


def _day(text: str, rest: str) -> str:
    """ISO date of DD.MM.YYYY, or of a year and the rest."""
    parts = text.split(".")
    return "-".join(reversed(parts)) if len(parts) == 3 else f"{text}-{rest}"


def _intensities(points: Mapping[str, int]) -> dict[str, int]:
    """Intensity 1 to 3 by need: thirds of the highest points, rounded up; 0 points are none."""
    highest = max(points.values(), default=0)
    lowest = min(points.values(), default=0)
    scale = 1 if lowest == highest else 3
    return {_word(need): -(-scale * p // highest) for need, p in points.items() if p > 0}
