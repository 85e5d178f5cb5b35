"""The agent: what people ask of it, once, in time, and of the attempt they saw."""

import pytest

from support.cutflash import CutFlash
from support.machine import Machine, types


@pytest.fixture
def machine():
    return Machine(CutFlash())


def test_a_command_for_an_earlier_start_is_stale(machine):
    machine.start(1)
    assert machine.command("pause", bn="other")["code"] == "stale"
    assert ("pause",) not in machine.done


def test_a_command_that_comes_too_late_is_expired(machine):
    machine.start(1)
    machine.hear("dn/time", {"v": 1, "t": 1000000, "rate": 60})
    assert machine.command("pause", t=1000000 - 5001 * 60)["code"] == "expired"
    assert machine.command("pause", t=1000000 - 4999 * 60)["code"] == "done"


def test_a_command_for_another_attempt_is_refused(machine):
    machine.start(1)
    assert machine.command("cancel", ep=9)["code"] == "refused"
    assert machine.command("cancel", ep=1)["code"] == "done"


def test_a_repeated_command_is_done_once_and_answered_alike(machine):
    machine.start(1)
    first = machine.command("pause", id="c-1")
    assert machine.command("pause", id="c-1") == first
    assert machine.done.count(("pause",)) == 1
    assert [a[2] for a in machine.done if a[0] == "say"].count(first) == 2


def test_pause_and_resume_are_told_when_they_happened(machine):
    machine.start(1)
    machine.command("pause")
    assert machine.agent.state == "busy"
    machine.drive("paused", "a person asked")
    assert machine.agent.state == "paused"
    machine.command("resume")
    machine.drive("resumed")
    assert types(machine)[-4:] == ["op", "paused", "op", "resumed"]


@pytest.mark.parametrize("do", ["pause", "resume", "cancel", "unload"])
def test_what_makes_no_sense_is_refused_in_words(machine, do):
    answer = machine.command(do)
    assert (answer["ok"], answer["code"]) == (False, "refused")
    assert answer["msg"]


def test_stop_ends_everything_and_needs_a_person(machine):
    machine.start(1)
    assert machine.command("stop")["ok"]
    assert [action[0] for action in machine.done[-3:]] == ["stop", "note", "say"]
    machine.drive("ended", False, "stopped", False)
    assert machine.agent.state == "stopped"
    assert machine.events("finished")[0]["cancelled"]
    assert machine.command("clear")["ok"]
    assert (machine.agent.state, machine.memory.ready) == ("idle", True)


def test_no_command_starts_an_order(machine):
    machine.claim_of(1)
    for do in ("pause", "resume", "cancel", "clear", "identify", "hello", "load", "unload"):
        machine.command(do)
    assert machine.starts == []


def test_clear_is_refused_while_an_order_runs(machine):
    machine.start(1)
    assert machine.command("clear")["code"] == "refused"


def test_a_clear_asked_before_the_last_order_was_taken_vouches_for_nothing(machine):
    """However late it comes, and whatever the clock says: a broker may keep it for minutes."""
    machine.start(5)
    machine.drive("ended", True, "", True)
    assert machine.command("clear", upto=4)["code"] == "refused"
    assert not machine.memory.ready
    assert machine.command("clear", upto=5)["ok"]
