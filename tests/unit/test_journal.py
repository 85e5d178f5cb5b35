"""The journal: nothing durable is lost, no number is used twice, whatever the power does."""

import itertools

import pytest

from firmware.journal import CLAIM, FINAL, PROGRESS, Journal, JournalFull
from firmware.memory import Memory
from support.cutflash import CutFlash, PowerCut

FAULT = {"ty": "fault", "code": "noise", "msg": "x" * 40, "tq": "none"}


def new_ids():
    numbers = itertools.count(1)
    return lambda: f"j{next(numbers)}"


def open_journal(flash, limit=65536, segment=512, new_id=None):
    return Journal(flash, Memory(), new_id or new_ids(), limit, segment)


def fault(text):
    return {"ty": "fault", "code": "noise", "msg": text, "tq": "none"}


def everything(journal):
    out, s = [], journal.acked
    while True:
        found = journal.event_after(s)
        if found is None:
            return out
        out.append(found)
        s = found[0]


def scenario(flash, seen):
    """A life that appends, notes, acknowledges and rolls; ``seen`` holds what became durable."""
    journal = open_journal(flash)
    seen.setdefault("jid", journal.jid)
    for n in range(14):
        s = journal.append(fault(f"event {journal.hi + 1}"), {"term": n})
        seen["events"][s] = journal.event_after(s - 1)[1] if s > journal.acked else b""
        if n % 3 == 0:
            journal.note({"term": 100 + n})
            seen["term"] = max(seen["term"], 100 + n)
        if n % 5 == 4:
            seen["acked"] = s - 2
            journal.ack(s - 2)
    return journal


def new_seen():
    return {"events": {}, "term": 0, "acked": 0}


def check_life(flash, seen):
    """Reopen after a cut: everything durable is there, byte for byte, and numbers go on."""
    journal = open_journal(flash)
    if not seen["events"]:
        return journal
    assert journal.jid == seen["jid"]
    assert not journal.damaged
    assert journal.hi >= max(seen["events"])
    assert journal.acked <= seen["acked"]
    held = dict(everything(journal))
    for s, data in seen["events"].items():
        if s > seen["acked"]:
            assert held[s] == data
    assert sorted(held) == list(range(journal.acked + 1, journal.hi + 1))
    assert journal.memory.term >= seen["term"]
    return journal


def operations_of_a_life():
    flash = CutFlash()
    scenario(flash, new_seen())
    return flash.operations


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.97, 1.0])
def test_a_power_cut_at_any_operation_loses_nothing_durable(kept):
    for cut_at in range(operations_of_a_life()):
        seen = new_seen()
        flash = CutFlash(cut_at=cut_at, kept=kept)
        with pytest.raises(PowerCut):
            scenario(flash, seen)
        journal = check_life(flash.after_cut(), seen)
        s = journal.append(fault("after the cut"))
        assert s == journal.hi
        assert s not in seen["events"]


def test_two_power_cuts_in_a_row_lose_nothing_durable():
    for first, second in itertools.product(range(0, operations_of_a_life(), 3), range(8)):
        seen = new_seen()
        flash = CutFlash(cut_at=first, kept=0.5)
        with pytest.raises(PowerCut):
            scenario(flash, seen)
        flash = flash.after_cut(cut_at=second, kept=0.5)
        try:
            journal = open_journal(flash)
            seen["jid"] = journal.jid
            for _ in range(4):
                s = journal.append(fault(f"event {journal.hi + 1}"))
                assert s not in seen["events"]
                seen["events"][s] = journal.event_after(s - 1)[1]
        except PowerCut:
            pass
        check_life(flash.after_cut(), seen)


def test_numbers_go_up_by_one_from_one():
    journal = open_journal(CutFlash())
    assert [journal.append(FAULT) for _ in range(30)] == list(range(1, 31))
    assert [s for s, _ in everything(journal)] == list(range(1, 31))


def test_events_come_back_as_the_very_bytes_that_were_sent():
    flash = CutFlash()
    journal = open_journal(flash)
    sent = []
    for n in range(30):
        journal.append(fault(f"tab\u2028 and ü {n}"))
        sent.append(journal.event_after(n))
    assert everything(open_journal(flash)) == sent


def test_acknowledged_segments_are_removed_and_numbers_go_on():
    flash = CutFlash()
    journal = open_journal(flash)
    for _ in range(30):
        journal.append(FAULT)
    used = journal.used_bytes
    assert journal.ack(30)
    journal.append(FAULT)
    assert journal.used_bytes < used / 3
    again = open_journal(flash)
    assert (again.hi, again.lo) == (31, again.acked + 1)
    assert again.append(FAULT) == 32


def test_acknowledgements_of_the_unknown_are_refused():
    journal = open_journal(CutFlash())
    journal.append(FAULT)
    assert not journal.ack(2)
    assert not journal.ack(0)
    assert journal.ack(1)
    assert not journal.ack(1)


def fill(journal, level):
    count = 0
    while True:
        try:
            journal.append(FAULT, level=level)
        except JournalFull:
            return count
        count += 1


def test_a_full_journal_refuses_claims_first_and_the_end_of_an_order_last():
    journal = open_journal(CutFlash(), limit=16384, segment=1024)
    assert fill(journal, CLAIM) > 20
    assert not journal.has_room(CLAIM)
    assert fill(journal, PROGRESS) > 3
    assert fill(journal, FINAL) > 3
    assert journal.used_bytes <= 16384 + 1024
    held = everything(journal)
    assert [s for s, _ in held] == list(range(1, journal.hi + 1))
    journal.ack(journal.hi)
    assert journal.append(FAULT, level=CLAIM) == len(held) + 1


def test_flash_without_space_is_a_full_journal_and_nothing_is_lost():
    flash = CutFlash()
    flash.limit = 3000
    journal = open_journal(flash)
    count = fill(journal, FINAL)
    assert count == journal.hi
    again = open_journal(CutFlash(flash.files))
    assert (again.hi, again.damaged) == (count, False)
    assert again.append(FAULT) == count + 1


def test_rot_in_the_middle_begins_a_new_journal_and_says_so():
    flash = CutFlash()
    journal = open_journal(flash)
    for _ in range(4):
        journal.append(FAULT, {"term": 9})
    name = flash.names()[-1]
    data = bytearray(flash.files[name])
    data[len(data) // 2] ^= 1
    flash.files[name] = bytes(data)
    again = open_journal(flash, new_id=lambda: "renewed")
    assert (again.damaged, again.jid, again.hi) == (True, "renewed", 0)
    assert again.append(FAULT) == 1
    third = open_journal(flash)
    assert (third.damaged, third.jid, third.hi) == (False, "renewed", 1)


@pytest.mark.parametrize("change", ["lost", "twice", "moved"])
def test_lines_lost_whole_begin_a_new_journal_that_knows_the_epochs_after_them(change):
    flash = CutFlash()
    journal = open_journal(flash, segment=4096)
    order = {"tq": "none", "order": "o-1"}
    for event in ({**order, "ty": "claim", "ep": 3}, {**order, "ty": "declined", "ep": 3,
                  "why": "no"}, {**order, "ty": "claim", "ep": 9}):  # fmt: skip
        journal.append(event)
    journal.append({**order, "ty": "started", "ep": 9, "sha": "ab" * 32})
    name = flash.names()[-1]
    head, first, *others = flash.files[name].splitlines(keepends=True)
    lines = {"lost": others, "twice": [first, first, *others], "moved": [*others, first]}[change]
    flash.files[name] = b"".join([head, *lines])
    again = open_journal(flash, new_id=lambda: "renewed")
    assert (again.damaged, again.jid, again.memory.last_ep) == (True, "renewed", 9)
    assert again.append(FAULT) == 1


def test_garbage_on_flash_never_raises():
    for junk in (b"", b"\n", b"S {}\n", b"\xff" * 700, b"00000000 S {}\n"):
        journal = open_journal(CutFlash({"j-00000003.log": junk, "j-00000004.tmp": junk}))
        assert journal.append(FAULT) == 1
        assert journal.append(FAULT) == 2


def test_a_renewed_journal_survives_a_cut_anywhere():
    def life(flash):
        journal = open_journal(flash, new_id=new_ids())
        for _ in range(5):
            journal.append(FAULT)
        journal.ack(5)
        journal._new_id = lambda: "jnew"
        journal.renew()
        return journal

    whole = CutFlash()
    life(whole)
    for cut_at in range(whole.operations):
        flash = CutFlash(cut_at=cut_at, kept=0.5)
        with pytest.raises(PowerCut):
            life(flash)
        again = open_journal(flash.after_cut(), new_id=lambda: "jother")
        assert not again.damaged
        assert (again.jid, again.hi) in {("jother", 0), ("jnew", 0)} or again.jid == "j1"
