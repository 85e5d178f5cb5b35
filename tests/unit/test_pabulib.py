"""PaBuLib files: what is written is read back, and every bad line is told with its number."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.allocation.pabulib import (
    PbElection,
    PbError,
    Project,
    Vote,
    read_pb,
    round_elections,
    write_pb,
)
from controller.allocation.pb_import import pb_inputs
from controller.allocation.reading import read_inputs
from controller.allocation.round import run_round
from support.commons import example

TOWN = """\
META
key; value
description; Municipal PB
country; Poland
unit; Town
instance; 2020
num_projects; 3
num_votes; 2
budget; 2500
rule; greedy
vote_type; approval
date_begin; 16.09.2023
date_end; 04.10.2023
PROJECTS
project_id; cost; name
1; 600; School
2; 800.0; Tree
4; 1400;
VOTES
voter_id; age; sex; vote
1; 34; f; 1,2
2; 51; m; 2, 4
"""


def test_a_file_as_cities_publish_it_is_read() -> None:
    election = read_pb("\ufeff" + TOWN)
    assert election.budget == 2500
    assert [(p.id, p.cost) for p in election.projects] == [("1", 600), ("2", 800), ("4", 1400)]
    assert election.votes[1] == Vote("2", {"2": 1, "4": 1}, {"age": "51", "sex": "m"})


def test_quoted_fields_may_hold_semicolons_and_quotes() -> None:
    election = read_pb(TOWN.replace("School", '"School; new ""roof"""'))
    assert election.projects[0].more == {"name": 'School; new "roof"'}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("budget; 2500", "budget; much", "line 9: budget 'much' is not valid; write digits only"),
        ("num_votes; 2", "num_votes; 3", "line 8: num_votes says 3 and the file has 2"),
        ("unit; Town\n", "", "line 1: META has no unit; add a line unit;..."),
        ("1; 600; School", "1; 0; School", "line 16: cost '0' is no positive whole number"),
        ("1; 600; School", "1; 600", "line 16: has 2 fields where PROJECTS has 3 columns"),
        ("2; 800.0; Tree", "1; 800.0; Tree", "line 17: project '1' is empty or repeated"),
        ("2; 51; m; 2, 4", "2; 51; m; 2, 9", "line 22: project '9' is unknown"),
        ("2; 51; m; 2, 4", "1; 51; m; 2, 4", "line 22: voter '1' is empty or repeated"),
        ("2; 51; m; 2, 4", "2; 51; m; 2, 2", "line 22: a project is named twice"),
        ("approval", "loud", "line 11: vote_type 'loud' is not valid; write approval or"),
        ("approval", "cumulative", "line 21: 2 projects have points None"),
        ("16.09.2023", "2023-09-16", "line 12: date_begin '2023-09-16' is not valid"),
        ("cost; name", "cost; target", "line 15: column target is gone; name it beneficiaries"),
        ("project_id; cost", "project_id; price", "line 15: PROJECTS has no column cost; add it"),
        ("VOTES\n", "", "line 1: section VOTES is missing; add a line VOTES"),
        ("META\n", "MATE\n", "line 1: stands before any section; start with META"),
        ("1; 34; f", '1; "34; f', "close every quotation mark"),
    ],
)
def test_a_bad_line_is_told_with_its_number(old: str, new: str, told: str) -> None:
    assert read_pb(TOWN)
    with pytest.raises(PbError) as error:
        read_pb(TOWN.replace(old, new, 1))
    assert told in str(error.value)


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(PbError) as error:
        read_pb(TOWN.replace("2500", "x").replace("1,2", "1,7,8"))
    assert [problem.line for problem in error.value.problems] == [9, 21, 21]


@given(st.text())
@settings(max_examples=200, deadline=None)
def test_any_text_is_an_election_or_a_told_error(text: str) -> None:
    for content in (text, TOWN + text, TOWN.replace("Tree", text)):
        try:
            read_pb(content)
        except PbError as error:
            assert error.problems


def test_points_are_read_and_written() -> None:
    meta = read_pb(TOWN).meta | {"vote_type": "scoring"}
    votes = (Vote("v1", {"a": 3}), Vote("v2", {"a": 1, "b": 2}))
    meta |= {"num_projects": "2"}
    election = PbElection(meta, (Project("a", 5), Project("b", 7)), votes)
    assert read_pb(write_pb(election)) == election


def test_a_town_is_run_as_a_round() -> None:
    inputs = pb_inputs(read_pb(TOWN))
    assert [(c.id, c.members) for c in inputs.communities] == [("all", 2)]
    assert (inputs.opened_on, inputs.closed_on) == ("2023-09-16", "2023-10-04")
    assert sorted(run_round(inputs).accepted()) == ["1", "2"]


def test_an_exported_round_is_imported_with_its_communities_and_ballots() -> None:
    inputs = read_inputs(example())
    found = pb_inputs(round_elections(inputs, [])["printer"])
    assert [c.id for c in found.communities] == ["hill", "north", "river"]
    asking = {need.id for need in found.needs}
    for ballot in found.ballots:
        there = next(b for b in inputs.ballots if b.member == ballot.member)
        assert ballot.approvals == {n: v for n, v in there.approvals.items() if n in asking}


def test_points_become_intensities() -> None:
    meta = read_pb(TOWN).meta | {"num_projects": "4", "num_votes": "2", "vote_type": "cumulative"}
    projects = tuple(Project(name, 5) for name in "abcd")
    votes = (Vote("v", {"a": 10, "b": 5, "c": 1, "d": 0}), Vote("w", {"a": 7, "b": 7}))
    found = pb_inputs(PbElection(meta, projects, votes))
    assert found.ballots[0].approvals == {"a": 3, "b": 2, "c": 1}
    assert found.ballots[1].approvals == {"a": 1, "b": 1}


def test_the_worked_example_is_written_and_read_back() -> None:
    elections = round_elections(read_inputs(example()), ["n1"])
    assert sorted(elections) == ["aluminium", "mill", "pla", "printer"]
    for election in elections.values():
        assert read_pb(write_pb(election)) == election
    assert elections["aluminium"].budget == 20_000_000
