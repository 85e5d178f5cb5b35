"""The agent: at most one start per epoch, each rule of the order protocol by its number."""

import itertools

import pytest

from firmware.journal import PROGRESS, JournalFull
from support.cutflash import CutFlash
from support.machine import LOT, PROGRAM, SHA, Machine, grant, idle, offer


@pytest.fixture
def machine():
    return Machine(CutFlash())


def reboot(machine):
    return Machine(machine.flash.after_cut())


def types(machine):
    return [event["ty"] for event in machine.events()]


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
    assert (again.fetch_asked(), again.journal.acked, again.agent.fenced_n) == ([], 0, 2)
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


# commands ----------------------------------------------------------------------------------------
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


# material ----------------------------------------------------------------------------------------
def cum(machine):
    return [(e["cum_mg"], e["unc_mg"]) for e in machine.events("material")]


def test_r10_a_higher_mark_is_durable_before_it_is_reached(machine):
    machine.start(1)
    for n in range(1, 2000):
        assert machine.meter.before(f"G1 E{n}")
        counter = reboot_memory(machine).counter(0, "lot-a")
        assert n * 3 <= counter["hwm_mg"] <= n * 3 + 1003
        if n > 40:
            break


def reboot_memory(machine):
    from firmware.journal import Journal
    from firmware.memory import Memory

    return Journal(machine.flash.after_cut(), Memory(), lambda: "x").memory


def test_r10_material_is_told_each_gram_and_at_the_end(machine):
    machine.start(1)
    for n in range(1, 1001):
        machine.meter.before(f"G1 E{n}")
        machine.tick(150)
    machine.drive("ended", True, "", True)
    told = cum(machine)
    assert told[-1] == (3000, 0)
    assert len(told) == 5  # each gram, each minute, at the end
    assert all(b[0] - a[0] <= 1003 for a, b in itertools.pairwise(told))


def test_r10_after_a_power_cut_what_may_have_been_drawn_is_declared(machine):
    machine.start(1)
    for n in range(1, 101):
        machine.meter.before(f"G1 E{n}")
    again = reboot(machine)
    ((cum_mg, unc_mg),) = cum(again)
    assert cum_mg >= 300
    assert cum_mg - unc_mg <= 300
    assert types(again)[-2:] == ["material", "interrupted"]
    again.start(2)
    again.meter.before("G1 E100")
    again.drive("ended", True, "", True)
    assert cum(again)[-1] == (cum_mg + 300, unc_mg)


def test_r11_counters_never_decrease_over_orders_and_reboots(machine):
    seen = [0]
    for ep in range(1, 6):
        machine.start(ep)
        for n in range(1, 300):
            machine.meter.before(f"G1 E{n}")
        if ep % 2:
            machine.drive("ended", True, "", True)
        else:
            machine = reboot(machine)
        seen += [c for c, _ in cum(machine) if c not in seen]
    assert seen == sorted(seen)
    assert len(set(m["cum_mg"] for m in machine.events("material"))) > 3


def test_a_tick_tells_what_was_drawn_after_a_minute(machine):
    machine.start(1)
    machine.meter.before("G1 E100")
    machine.tick(59000)
    assert cum(machine) == []
    machine.tick(2000)
    assert cum(machine) == [(300, 0)]


def test_stock_is_drawn_whole_before_cutting_begins():
    machine = Machine(CutFlash(), dialect="grbl")
    plate = {"ch": 0, "lot": "plate", "piece_mg": 21000}
    machine.command("clear")
    program = {**PROGRAM, "kind": "grbl"}
    machine.hear("dn/want", offer(1, lots=[plate], prog=program))
    machine.fetched(1)
    want = grant(1, machine.journal.jid, 2, lots=[plate], prog=program)
    machine.hear("dn/want", want)
    machine.meter.before("G0 X1")
    assert cum(machine) == []
    machine.meter.before("M3 S1000")
    assert cum(machine) == []  # perhaps: the mark is on flash, the machine has not answered
    assert machine.memory.counter(0, "plate")["hwm_mg"] == 21000
    machine.meter.lines = 2
    machine.tick()
    assert cum(machine) == [(21000, 0)]
    machine.meter.before("M4 S1000")
    machine.drive("ended", True, "", True)
    assert cum(machine) == [(21000, 0)]
    assert machine.events("material")[0]["src"] == "piece"


def test_a_machine_that_stopped_short_declares_its_last_moves(machine):
    machine.start(1)
    for n in range(1, 101):
        machine.meter.before(f"G1 E{n}")
    machine.drive("ended", False, "thermal", False)
    assert cum(machine)[-1] == (300, 60)


def test_another_spool_in_mid_order_has_its_own_counter(machine):
    machine.start(1)
    machine.meter.before("G1 E100")
    machine.drive("paused", "runout")
    assert machine.command("load", ch=0, lot="lot-b")["ok"]
    machine.drive("resumed")
    machine.meter.before("G1 E150")
    machine.drive("ended", True, "", True)
    told = {e["lot"]: e["cum_mg"] for e in machine.events("material")}
    assert told == {"lot-a": 300, "lot-b": 150}


def acknowledge(machine):
    ack = {"v": 1, "term": 1, "jid": machine.journal.jid, "s": machine.journal.hi}
    machine.hear("dn/ack", ack)


def test_more_lots_than_counters_begin_a_new_journal_when_all_is_acknowledged(machine):
    for ep in range(1, 18):
        lot = {**LOT, "lot": f"lot-{ep}"}
        machine.command("clear")
        acknowledge(machine)
        machine.hear("dn/want", offer(ep, lots=[lot]))
        machine.fetched(ep)
        s = machine.memory.order["claim_s"]
        machine.hear("dn/want", grant(ep, machine.journal.jid, s, lots=[lot]))
        machine.meter.before("G1 E100")
        machine.drive("ended", True, "", True)
    assert len(machine.memory.counters) == 1
    assert machine.memory.last_ep == 17


def test_rot_of_the_journal_is_told_and_starts_nothing(machine):
    machine.start(1)
    machine.journal.note({"term": 2})
    name = machine.flash.names()[-1]
    data = bytearray(machine.flash.files[name])
    data[data.index(b"started")] ^= 1
    machine.flash.files[name] = bytes(data)
    again = reboot(machine)
    assert again.events("fault")[0]["code"] == "journal-damaged"
    assert not again.memory.ready
    again.hear("dn/want", grant(1, again.journal.jid, 2))
    assert again.starts == []


def test_the_sha_of_the_program_is_told_with_the_start(machine):
    machine.start(1)
    assert machine.events("started")[0]["sha"] == SHA


def milling(flash):
    machine = Machine(flash, dialect="grbl")
    machine.command("clear")
    program = {**PROGRAM, "kind": "grbl"}
    plate = {"ch": 0, "lot": "plate", "piece_mg": 21000}
    machine.hear("dn/want", offer(1, lots=[plate], prog=program))
    machine.fetched(1)
    machine.hear("dn/want", grant(1, machine.journal.jid, 2, lots=[plate], prog=program))
    assert machine.meter.before("G0 X1") and machine.meter.before("M3 S1000")
    return machine


def test_a_plate_cut_off_before_the_spindle_answered_is_uncertain():
    flash = CutFlash()
    milling(flash)
    assert cum(Machine(flash, dialect="grbl")) == [(21000, 21000)]


def test_a_plate_that_was_cut_is_certain_after_a_crash():
    flash = CutFlash()
    machine = milling(flash)
    machine.meter.lines = 2
    machine.tick()
    assert cum(Machine(flash, dialect="grbl")) == [(21000, 0)]


def test_a_crash_counts_filament_that_may_be_pulled_back_as_uncertain():
    """Pulled back 2 mm when the power goes; the next program pushes it forward for nothing."""
    flash = CutFlash()
    machine = Machine(flash)
    machine.start(1)
    for line in ("M83", "G1 X1 E500", "G1 X2 E0.5", "G1 E-2 F2400"):
        assert machine.meter.before(line)
    again = Machine(flash)
    cum_mg, unc_mg = cum(again)[-1]
    counter = machine.memory.counter(0, "lot-a")
    ahead_mg = counter["hwm_mg"] - counter["cum_mg"]
    open_mg = counter["cum_mg"]  # its lines were let through, none is known to be executed
    assert unc_mg == ahead_mg + open_mg + 2000 * LOT["ug_per_m"] // 10**9
    drawn_mg = 500_500 * LOT["ug_per_m"] // 10**9
    assert cum_mg - unc_mg <= drawn_mg - 2000 * LOT["ug_per_m"] // 10**9 + 1
    assert cum_mg >= drawn_mg


def test_lines_planned_and_not_executed_when_power_went_are_uncertain():
    """The machine has 20 lines in its queue when both lose power: told, and never drawn."""
    flash = CutFlash()
    machine = Machine(flash)
    machine.start(1)
    lines = ["M83"] + [f"G1 X{x} E100" for x in range(30)]
    for line in lines:
        assert machine.meter.before(line)
    cum_mg, unc_mg = cum(Machine(flash))[-1]
    really_mg = 10 * 100_000 * LOT["ug_per_m"] // 10**9
    assert cum_mg - unc_mg <= really_mg <= cum_mg


def test_a_line_that_waits_for_room_is_counted_once():
    machine = Machine(CutFlash())
    machine.start(1)
    machine.meter.before("M83")
    real, machine.meter._raise_mark = machine.meter._raise_mark, lambda draw, used: False
    assert not machine.meter.before("G1 E5") and not machine.meter.before("G1 E5")
    machine.meter._raise_mark = real
    assert machine.meter.before("G1 E5")
    assert machine.meter.used_um() == [5000]
