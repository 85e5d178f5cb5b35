"""The agent: at most one start per epoch, each rule of the order protocol by its number."""

import pytest

from firmware.journal import PROGRESS, JournalFull
from firmware.reports import need_text
from support.cutflash import CutFlash
from support.machine import PROGRAM, Machine, grant, idle, offer, reboot, types


@pytest.fixture
def machine():
    return Machine(CutFlash())


def test_an_order_runs_from_offer_to_finished(machine):
    machine.start(1)
    assert machine.starts == [1]
    assert (machine.agent.state, machine.memory.ready) == ("busy", False)
    machine.drive("ended", True, "", True)
    assert types(machine) == ["op", "claim", "started", "finished"]
    finished = machine.events("finished")[0]
    assert (finished["ok"], finished["cancelled"], finished["order"]) == (True, False, "o-1")
    assert (machine.agent.state, machine.memory.ready, machine.order_state) == (
        "idle",
        False,
        "none",
    )


def test_invariant_4_the_next_order_waits_until_a_person_cleared(machine):
    machine.start(1)
    machine.drive("ended", True, "", True)
    machine.hear("dn/want", offer(2))
    assert machine.fetch_asked() == [1]
    assert machine.command("clear")["ok"]
    assert machine.fetch_asked() == [1, 2]
    assert machine.events("op")[-1]["who"] == "simulated technician"


def test_a_machine_with_a_sensor_clears_itself_after_a_good_order():
    machine = Machine(CutFlash(), auto_ready=True)
    machine.start(1)
    machine.drive("ended", True, "", True)
    assert machine.memory.ready
    machine.start(2)
    machine.drive("ended", False, "thermal", True)
    assert not machine.memory.ready


def test_r5_an_offer_with_an_epoch_seen_before_is_ignored(machine):
    machine.start(5)
    machine.drive("ended", True, "", True)
    machine.command("clear")
    for ep in (1, 4, 5):
        machine.hear("dn/want", offer(ep, rev=100 + ep))
    assert machine.fetch_asked() == [5]
    machine.hear("dn/want", offer(6, rev=200))
    assert machine.fetch_asked() == [5, 6]


def test_r5_the_epoch_is_durable_with_the_claim_and_with_a_refusal(machine):
    machine.claim_of(3)
    assert reboot(machine).memory.last_ep == 3
    other = Machine(CutFlash())
    other.command("clear")
    other.hear("dn/want", offer(8))
    other.fetched(8, "program does not match its hash")
    assert reboot(other).memory.last_ep == 8


@pytest.mark.parametrize(
    "change",
    [
        {"claim": {"jid": "other", "s": 2}},
        {"claim": {"jid": None, "s": 99}},
        {"ep": 2},
        {"order": "o-9"},
    ],
)
def test_r6_a_grant_that_does_not_quote_this_claim_starts_nothing(machine, change):
    s = machine.claim_of(1)
    want = grant(1, machine.journal.jid, s)
    if "claim" in change and change["claim"]["jid"] is None:
        change = {"claim": {"jid": machine.journal.jid, "s": 99}}
    machine.hear("dn/want", {**want, **change})
    assert machine.starts == []
    machine.hear("dn/want", {**want, "rev": 999})
    assert machine.starts == [1]


def test_a_grant_of_a_claim_made_in_another_boot_starts_nothing(machine):
    s = machine.claim_of(1)
    twin = {"jid": machine.journal.jid, "s": s, "bn": "another-boot"}
    machine.hear("dn/want", grant(1, machine.journal.jid, s, claim=twin))
    assert machine.starts == []
    own = {**twin, "bn": machine.agent.bn}
    machine.hear("dn/want", grant(1, machine.journal.jid, s, rev=99, claim=own))
    assert machine.starts == [1]


def test_r6_a_grant_without_a_claim_starts_nothing(machine):
    machine.command("clear")
    machine.hear("dn/want", grant(1, machine.journal.jid, 2))
    assert machine.starts == []


def test_r7_a_repeated_grant_starts_once(machine):
    s = machine.claim_of(1)
    for rev in (11, 11, 12):
        machine.hear("dn/want", grant(1, machine.journal.jid, s, rev=rev))
    machine.drive("ended", True, "", True)
    machine.command("clear")
    machine.hear("dn/want", grant(1, machine.journal.jid, s, rev=13))
    assert machine.starts == [1]


def test_r7_nothing_starts_after_a_reboot_while_claimed(machine):
    s = machine.claim_of(1)
    again = reboot(machine)
    again.hear("dn/want", grant(1, again.journal.jid, s))
    assert again.starts == []
    assert again.events("declined")[0]["why"] == "restarted before start"
    assert again.memory.ready


def test_r7_a_reboot_while_running_ends_interrupted(machine):
    machine.start(1)
    again = reboot(machine)
    interrupted = again.events("interrupted")
    assert [(e["order"], e["ep"]) for e in interrupted] == [("o-1", 1)]
    again.hear("dn/want", grant(1, again.journal.jid, 2))
    assert (again.starts, again.memory.ready, again.order_state) == ([], False, "none")
    assert reboot(again).events("interrupted") == interrupted


def test_r9_a_program_that_was_not_verified_is_declined(machine):
    machine.command("clear")
    machine.hear("dn/want", offer(1))
    assert types(machine) == ["op"]
    machine.fetched(1, "program does not match its hash")
    assert machine.events("declined")[0]["why"] == "program does not match its hash"
    assert machine.order_state == "none"


def test_r9_a_grant_for_another_program_than_was_verified_is_declined(machine):
    s = machine.claim_of(1)
    other = {**PROGRAM, "sha": "b" * 64}
    machine.hear("dn/want", grant(1, machine.journal.jid, s, prog=other))
    assert machine.starts == []
    assert "another program" in machine.events("declined")[0]["why"]


def test_a_fetch_that_ends_after_the_offer_changed_claims_nothing(machine):
    machine.command("clear")
    machine.hear("dn/want", offer(1))
    machine.hear("dn/want", offer(2))
    machine.fetched(1)
    assert machine.order_state == "none"
    machine.fetched(2)
    assert machine.memory.order["ep"] == 2


def test_an_offer_may_be_withdrawn_before_and_after_the_claim(machine):
    machine.command("clear")
    machine.hear("dn/want", offer(1))
    machine.hear("dn/want", idle(11))
    machine.fetched(1)
    assert types(machine) == ["op"]
    machine.claim_of(2)
    machine.hear("dn/want", idle(29))
    assert machine.events("declined")[-1]["why"] == "withdrawn"
    assert machine.memory.ready


def test_after_the_start_a_withdrawal_changes_nothing(machine):
    machine.start(1)
    machine.hear("dn/want", idle(19))
    machine.hear("dn/want", offer(2))
    assert machine.order_state == "running"


def test_r15_stop_is_a_request_until_the_machine_ended(machine):
    machine.start(1)
    stop = {"v": 1, "term": 1, "rev": 19, "ph": "stop", "order": "o-1", "ep": 1}
    machine.hear("dn/want", stop)
    machine.hear("dn/want", stop)
    assert [a for a in machine.done if a[0] == "cancel"] == [("cancel",)]
    assert machine.order_state == "running"
    machine.drive("ended", False, "cancelled", True)
    assert machine.events("finished")[0]["cancelled"]


def test_a_lot_that_is_not_loaded_is_refused(machine):
    machine.command("clear")
    assert machine.command("load", ch=0, lot="lot-b")["ok"]
    machine.hear("dn/want", offer(1))
    assert machine.events("declined")[0]["why"] == "channel 0 holds lot-b, not lot-a"
    assert machine.command("load", ch=0, lot="lot-a")["ok"]
    machine.hear("dn/want", offer(2))
    assert machine.fetch_asked() == [2]


def test_a_program_in_another_language_is_refused(machine):
    machine.command("clear")
    machine.hear("dn/want", offer(1, prog={**PROGRAM, "kind": "grbl"}))
    assert machine.events("declined")[0]["why"] == "program is for grbl, not marlin"


@pytest.mark.parametrize("event", [("offline", "gone"), ("fault", "thermal", "hot")])
def test_a_machine_that_is_not_fit_takes_nothing(machine, event):
    machine.command("clear")
    machine.drive(*event)
    machine.hear("dn/want", offer(1))
    assert machine.fetch_asked() == []


def test_a_machine_that_still_does_not_answer_says_why_after_a_clear(machine):
    machine.drive("offline", "Printer halted")
    machine.command("clear")
    said = machine.agent.state, need_text(machine.agent)
    assert said == ("off", "Printer halted")
    machine.drive("online")
    assert (machine.agent.state, need_text(machine.agent)) == ("idle", "")


def test_a_fault_between_claim_and_grant_declines(machine):
    s = machine.claim_of(1)
    machine.drive("fault", "thermal", "hot")
    machine.hear("dn/want", grant(1, machine.journal.jid, s))
    assert (machine.starts, machine.events("declined")[0]["why"]) == ([], "machine is fault")
    assert machine.command("clear")["ok"]
    assert machine.agent.state == "idle"


def test_r18_messages_of_a_lower_term_are_ignored_over_reboots(machine):
    machine.hear("dn/want", idle(1, term=7))
    again = reboot(machine)
    again.command("clear")
    again.hear("dn/want", offer(1, term=6))
    again.hear("dn/ack", {"v": 1, "term": 6, "jid": again.journal.jid, "s": again.journal.hi})
    assert (again.fetch_asked(), again.journal.acked) == ([], 0)
    again.hear("dn/want", offer(1, term=7))
    assert again.fetch_asked() == [1]


def test_r14_an_older_revision_that_comes_late_is_ignored(machine):
    machine.claim_of(1)
    machine.hear("dn/want", idle(5))
    assert machine.order_state == "claimed"


def test_acknowledgements_of_another_journal_are_ignored(machine):
    machine.start(1)
    machine.hear("dn/ack", {"v": 1, "term": 1, "jid": "other", "s": 3})
    assert machine.journal.acked == 0
    machine.hear("dn/ack", {"v": 1, "term": 1, "jid": machine.journal.jid, "s": 2})
    machine.hear("dn/ack", {"v": 1, "term": 1, "jid": machine.journal.jid, "s": 1})
    assert machine.journal.acked == 2


def fill(machine, level):
    try:
        while True:
            machine.journal.append(
                {"ty": "weigh", "lot": "x", "mass_mg": 1, "tq": "none"}, None, level
            )
    except JournalFull:
        pass


def test_r12_a_full_journal_takes_no_order_but_ends_the_one_running():
    machine = Machine(CutFlash(), limit=16384)
    machine.start(1)
    machine.meter.before("G1 E300")
    fill(machine, PROGRESS)
    assert machine.meter.before("G1 E900")
    machine.drive("ended", True, "", True)
    assert [e["ty"] for e in machine.events()][-2:] == ["material", "finished"]
    assert not machine.command("clear")["ok"]
    machine.hear("dn/want", offer(2))
    assert machine.fetch_asked() == [1]
    ack = {"v": 1, "term": 1, "jid": machine.journal.jid, "s": machine.journal.hi}
    machine.hear("dn/ack", ack)
    assert machine.command("clear")["ok"]
    assert machine.fetch_asked() == [1, 2]


def test_an_end_that_finds_no_room_is_told_when_there_is():
    machine = Machine(CutFlash(), limit=16384)
    machine.start(1)
    fill(machine, 1000)
    machine.drive("ended", True, "", True)
    assert machine.order_state == "running"
    ack = {"v": 1, "term": 1, "jid": machine.journal.jid, "s": machine.journal.hi}
    machine.hear("dn/ack", ack)
    machine.tick()
    assert machine.events("finished")[0]["ok"]


def test_r16_without_time_events_carry_none(machine):
    machine.start(1)
    assert all(e["tq"] == "none" and "t" not in e for e in machine.events())


def test_time_is_the_floors_and_becomes_held(machine):
    machine.hear("dn/time", {"v": 1, "t": 1000000, "rate": 60})
    machine.now = 1000
    machine.command("clear")
    assert (machine.events()[-1]["t"], machine.events()[-1]["tq"]) == (1060000, "synced")
    machine.now = 130000
    machine.drive("fault", "x", "y")
    assert machine.events()[-1]["tq"] == "held"


def test_run_ms_is_floor_time(machine):
    machine.hear("dn/time", {"v": 1, "t": 1000000, "rate": 60})
    machine.start(1)
    machine.now += 2000
    machine.drive("ended", True, "", True)
    assert machine.events("finished")[0]["run_ms"] == 120000
