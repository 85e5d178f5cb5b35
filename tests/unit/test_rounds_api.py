"""Communities, ballots and rounds over HTTP and from the command line."""

import json
from argparse import ArgumentParser

import pytest

from controller.commons import rounds
from controller.commons.settings import RoundSettings, configure
from controller.rounds_verify.verify import verify_file
from fabcommons import ballot, community, round
from fabcommons.client import CliError
from support.dash_floor import need, operation


@pytest.fixture
def town(served, desk):
    """A desk with rounds and two stated needs on the ballot."""

    def fill(tx):
        configure(tx, RoundSettings(length_h=10, protected=["petg"]))
        for name, home in (("s-1", "north"), ("s-2", "hill")):
            tx.needs.add(need(name, state="stated", community=home))
            tx.operations.add([operation(f"{name}-op", name, state="ready")], [])
        rounds.open_round(tx)

    desk.change(fill)
    return served


def admitted(town, name, **body):
    answer = town.post(f"/api/communities/{name}/members", json=body)
    assert answer.status_code == 200, answer.text
    return [{"Authorization": f"Bearer {one['token']}"} for one in answer.json()]


def test_communities_say_their_part_and_who_was_admitted(town):
    admitted(town, "hill", count=3)
    admitted(town, "hill", steward=True)
    found = town.get("/api/communities").json()
    assert (found["hill"]["admitted"], found["hill"]["stewards"]) == (4, 1)
    assert found["hill"]["part_ppm"] == 500_000 and found["north"]["need_weight"] == 1
    put = {"id": "river", "name": "River", "members": 6}
    assert town.post("/api/communities", json=put).json()["need_weight"] == 6


def test_a_ballot_is_cast_changed_counted_published_and_verified(town, tmp_path):
    (north,), (hill,) = admitted(town, "north"), admitted(town, "hill")
    before = town.get("/api/rounds/current/ballot", headers=north)
    assert (before.status_code, before.json()["version"]) == (200, 0), before.text
    first = town.post("/api/rounds/current/ballot", json={"approvals": {"s-1": 1}}, headers=north)
    assert first.json()["version"] == 1
    ask = {"approvals": {"s-1": 3, "s-2": 1}, "limits": {"petg": 90_000}}
    receipt = town.post("/api/rounds/r1/ballot", json=ask, headers=north).json()
    town.post("/api/rounds/r1/ballot", json={"approvals": {"s-2": 1}}, headers=hill)
    assert town.get("/api/rounds/r1/ballot", headers=north).json()["approvals"] == ask["approvals"]
    view = town.get("/api/rounds/current").json()
    assert view["needs"]["s-2"]["approvals"] == 2 and view["ballots"] == {"hill": 1, "north": 1}
    assert receipt["sha256"] in view["ballot_hashes"]
    assert receipt["voter"] not in json.dumps(view)
    closed = town.post("/api/rounds/r1/close", json={}).json()
    assert closed["state"] == "counted"
    assert closed["needs"]["s-1"]["reason"] == (
        "accepted: 1 supporter paid for it from their equal shares"
    )
    assert closed["resources"]["petg"]["threshold"] == 90_000
    for name in closed["files"]:
        answer = town.get(f"/api/rounds/r1/files/{name}")
        (tmp_path / name).write_bytes(answer.content)
    assert verify_file(tmp_path / "round.json", closed["inputs_sha256"]) == []
    assert town.get("/api/needs/s-1/rounds").json()[0]["state"] == "accepted"


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("/api/rounds/r1/ballot", {"approvals": {"s-1": 1}}, 401, "token of a member"),
        ("/api/rounds/r9/ballot", {}, 404, "no such round"),
        ("/api/rounds/r1/ballot", {"approvals": {"s-1": "yes"}}, 422, "integer"),
        ("/api/rounds", {}, 409, "r1 is open"),
        ("/api/needs/s-1/attest", {}, 401, "token of a member"),
        ("/api/communities/mars/members", {}, 404, "no community"),
        ("/api/communities", {"id": "No Id", "name": "x"}, 422, "pattern"),
    ],
)
def test_what_cannot_be_done_says_why(town, path, body, status, words):
    answer = town.post(path, json=body)
    assert answer.status_code == status
    assert words in answer.text


def test_only_a_steward_attests(town, desk):
    desk.change(lambda tx: tx.needs.change("s-2", need_class="urgent"))
    ((member,), (steward,)) = admitted(town, "hill"), admitted(town, "north", steward=True)
    assert town.post("/api/needs/s-2/attest", json={}, headers=member).status_code == 403
    answer = town.post("/api/needs/s-2/attest", json={}, headers=steward).json()
    assert answer["reason"] == "urgent, waits: 1 of 2 duty stewards have attested it"


def command(module, *words):
    parser = ArgumentParser()
    module.add(parser.add_subparsers())
    name = module.__name__.rpartition(".")[2]
    options = parser.parse_args([name, *words])
    return options.run(options)


def test_the_whole_way_from_the_command_line(town, tmp_path, capsys, monkeypatch):
    url = ("--url", str(town.base_url))
    put = ("put", "river", "--name", "River", "--members", "6")
    assert command(community, *put, *url) == 0
    tokens = tmp_path / "tokens.json"
    assert command(community, "admit", "river", "--out", str(tokens), *url) == 0
    with pytest.raises(CliError, match="exists"):
        command(community, "admit", "river", "--out", str(tokens), *url)
    (token,) = (one["token"] for one in json.loads(tokens.read_text()))
    with pytest.raises(CliError, match="--token-file"):
        command(ballot, "cast", "current", "s-1", *url)
    monkeypatch.setenv("FABCOMMONS_TOKEN", token)
    assert command(ballot, "cast", "current", "s-1=2", "s-2", "--limit", "petg=99999", *url) == 0
    assert command(ballot, "show", "current", *url) == 0
    assert "s-1=2 s-2=1" in capsys.readouterr().out
    assert command(round, "close", "current", *url) == 0
    assert command(round, "list", *url) == 0
    assert "counted" in capsys.readouterr().out
    out = tmp_path / "published"
    assert command(round, "publish", "r1", "--out", str(out), *url) == 0
    assert command(round, "verify", str(out / "round.json")) == 0
    assert "correct" in capsys.readouterr().out
    assert command(round, "open", "--hours", "5", *url) == 0
    assert command(community, "leave", *url) == 0
    with pytest.raises(CliError, match="not the token"):
        command(ballot, "show", "current", *url)
