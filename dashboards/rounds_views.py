"""Rounds and communities as JSON, read from the store."""

import json
from collections.abc import Mapping

from controller.adapters.store import Tx
from controller.allocation.inputs import PPM, Resource
from controller.allocation.reading import read_inputs
from controller.commons import boxes, capacity
from controller.commons.records import DEBIT, CastBallot, Round, RoundDecision, RoundNeed
from controller.commons.rounds import settings_of_round
from dashboards.commons_models import (
    CommunityView,
    ResourceView,
    RoundLine,
    RoundNeedView,
    RoundView,
)


def community_views(tx: Tx) -> dict[str, CommunityView]:
    """Every community."""
    found = tx.communities.all()
    whole = sum(c.need_weight for c in found) or 1
    debits, admitted = tx.rounds.carried(DEBIT), tx.members.count()
    stewards = [member.community for member in tx.members.stewards()]
    return {
        c.id: {
            "id": c.id,
            "name": c.name,
            "members": c.members,
            "need_weight": c.need_weight,
            "part_ppm": c.need_weight * PPM // whole,
            "admitted": admitted.get(c.id, 0),
            "stewards": stewards.count(c.id),
            "debits": debits.get(c.id, {}),
        }
        for c in found
    }


def round_line(tx: Tx, found: Round) -> RoundLine:
    """A round in a list."""
    line: RoundLine = {
        "id": found.id,
        "state": found.state,  # pyright: ignore[reportAssignmentType]  # one of ROUND_STATES
        "opened_at": found.opened_at,
        "closes_at": found.closes_at,
        "need_count": len(tx.rounds.needs(found.id)),
        "ballot_count": len(tx.rounds.ballots(found.id)),
    }
    if found.closed_at is not None:
        line["closed_at"] = found.closed_at
    if found.inputs_sha is not None:
        line["inputs_sha256"] = found.inputs_sha
    if found.counted_at is not None:
        line["counted_at"] = found.counted_at
        decided = tx.rounds.decisions(found.id)
        line["accepted"] = sum(row.state == "accepted" for row in decided)
    return line


def round_view(tx: Tx, found: Round) -> RoundView:
    """A round with its needs, resources and sums; no ballot can be told from it."""
    ballots = tx.rounds.ballots(found.id)
    needs = tx.rounds.needs(found.id)
    settings = settings_of_round(found)
    decided = {row.need: row for row in tx.rounds.decisions(found.id)}
    by_community: dict[str, int] = dict.fromkeys((c.id for c in tx.communities.all()), 0)
    for ballot in ballots:
        by_community[ballot.community] = by_community.get(ballot.community, 0) + 1
    return {
        **round_line(tx, found),
        "needs": _needs(tx, needs, ballots, decided),
        "resources": _resources(tx, found, needs),
        "ballots": by_community,
        "ballot_hashes": sorted(ballot.sha for ballot in ballots),
        "ballots_sha256": boxes.box_sha(ballots),
        "files": [file.name for file in tx.rounds.files(found.id)],
        "utility": settings.utility,
        "spill": settings.spill,
    }


def _needs(
    tx: Tx,
    rows: list[RoundNeed],
    ballots: list[CastBallot],
    decided: Mapping[str, RoundDecision],
) -> dict[str, RoundNeedView]:
    approvals, points = (
        dict.fromkeys((r.need for r in rows), 0),
        dict.fromkeys((r.need for r in rows), 0),
    )
    for ballot in ballots:
        for need, level in ballot.approvals.items():
            approvals[need] = approvals.get(need, 0) + 1
            points[need] = points.get(need, 0) + level
    views: dict[str, RoundNeedView] = {}
    for row in rows:
        need = tx.needs.get(row.need)
        assert need is not None  # foreign key
        view: RoundNeedView = {
            "need": row.need,
            "title": row.title,
            "community": need.community,
            "need_class": need.need_class,
            "demand": row.demand,
            "waited": row.waited,
            "approvals": approvals[row.need],
            "points": points[row.need],
        }
        said = decided.get(row.need)
        if said is not None:
            view.update({"state": said.state, "stage": said.stage, "reason": said.reason})
            if said.place:
                view["place"] = said.place
        views[row.need] = view
    return views


def _resources(tx: Tx, found: Round, needs: list[RoundNeed]) -> dict[str, ResourceView]:
    """As the round was closed with; while it is open, as they are now."""
    settings = settings_of_round(found)
    if found.inputs is not None:
        rows = read_inputs(json.loads(found.inputs)).resources
    else:
        rows = capacity.resources(tx, settings, {r for need in needs for r in need.demand})
    return {row.id: _resource(row, row.id in settings.protected) for row in rows}


def _resource(row: Resource, protected: bool) -> ResourceView:
    view: ResourceView = {
        "id": row.id,
        "title": row.title,
        "unit": row.unit,  # pyright: ignore[reportAssignmentType]  # one of allocation.reading.UNITS
        "forecast": row.forecast,
        "urgent_reserve": row.urgent_reserve,
        "committed": row.committed,
        "capacity": row.capacity,
    }
    if row.threshold is not None:
        view["threshold"] = row.threshold
    if protected:
        view["protected"] = True
    return view
