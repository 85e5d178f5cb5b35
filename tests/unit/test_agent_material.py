"""The agent: material is marked on flash before it is drawn, and told as measured or uncertain."""

import itertools

import pytest

from support.cutflash import CutFlash
from support.machine import LOT, PROGRAM, SHA, Machine, grant, offer, reboot, types


@pytest.fixture
def machine():
    return Machine(CutFlash())


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


@pytest.mark.parametrize("lines", [("M83", "G1 X1 E2.1"), ("M83", "G1 E2", "G1 X1 E400")])
def test_filament_the_program_before_left_pulled_back_is_uncertain_too(lines):
    """The power goes before the machine has executed the line that pushes it forward again."""
    flash = CutFlash()
    machine = Machine(flash)
    machine.start(1)
    for line in ("M83", "G1 X1 E500", "G1 E-2 F2400"):
        assert machine.meter.before(line)
    machine.drive("ended", True, "", True)
    machine.start(2)
    for line in lines:
        assert machine.meter.before(line)
    pulled_mg = 2000 * LOT["ug_per_m"] // 10**9
    before = machine.memory.counter(0, "lot-a")
    ahead_mg = before["hwm_mg"] - before["cum_mg"]
    assert cum(Machine(flash))[-1][1] == ahead_mg + pulled_mg


def test_an_order_stopped_short_may_leave_filament_pulled_back():
    """The line that pulls it back was let through; whether it was executed, nobody knows."""
    machine = Machine(CutFlash())
    machine.start(1)
    for line in ("M83", "G1 X1 E500", "G1 E-2 F2400"):
        assert machine.meter.before(line)
    machine.drive("ended", False, "stopped", False)
    first_mg, unc_mg = cum(machine)[-1]
    assert unc_mg >= first_mg + 2000 * LOT["ug_per_m"] // 10**9
    machine.start(2)
    for line in ("M83", "G1 E2", "G1 X1 E100"):
        assert machine.meter.before(line)
    machine.drive("ended", True, "", True)
    assert cum(machine)[-1][0] - first_mg == 102_000 * LOT["ug_per_m"] // 10**9


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
