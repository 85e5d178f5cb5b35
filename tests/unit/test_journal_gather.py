"""What the journal only gathers: few syncs, nothing but superseded counters ever left out."""

import itertools
import json

import pytest

from firmware.journal import FINAL, GATHER_MAX, HOLD_MS, Journal, JournalFull
from firmware.memory import Memory
from support.cutflash import CutFlash, PowerCut


def open_journal(flash, limit=65536, segment=1024):
    numbers = itertools.count(1)
    return Journal(flash, Memory(), lambda: f"j{next(numbers)}", limit, segment)


def fault(n):
    return {"ty": "fault", "code": "noise", "msg": f"fault {n}", "tq": "none"}


def drawn(n, lot="lot-a", hwm=None):
    event = {"ty": "material", "tq": "none", "ch": 0, "lot": lot, "cum_mg": n, "unc_mg": 0}
    event.update({"order": "o-1", "ep": 1, "src": "lines"})
    return event, {"ctr": {"ch": 0, "lot": lot, "hwm_mg": hwm or n + 100}}


def held(journal):
    """(type, what it says) of every event that is durable."""
    out, s = [], journal.acked
    while (found := journal.event_after(s)) is not None:
        s = found[0]
        event = json.loads(found[1])
        assert event["s"] == s
        out.append((event["ty"], event.get("msg") or (event.get("lot"), event.get("cum_mg"))))
    return out


def syncs(flash, act):
    before = flash.syncs
    act()
    return flash.syncs - before


class Counted(CutFlash):
    syncs = 0

    def sync(self, file):
        self.syncs += 1
        super().sync(file)


def test_a_lone_record_is_durable_at_once():
    journal = open_journal(Counted())
    journal.gather(fault(1), None, 100000)
    assert held(journal) == [("fault", "fault 1")]


def test_a_storm_of_counters_costs_one_sync_in_each_hold():
    flash = Counted()
    journal = open_journal(flash, segment=65536)
    journal.gather(*drawn(0), 0)

    def storm():
        for n in range(1, 601):
            journal.gather(*drawn(n), n * 1000)

    assert syncs(flash, storm) <= 600 * 1000 // HOLD_MS + 1
    journal.flush()
    counts = [n for _, (_, n) in held(journal)]
    assert counts == sorted(set(counts))
    assert counts[-1] == 600


def test_distinct_records_are_all_kept_in_order_and_in_few_syncs():
    flash = Counted()
    journal = open_journal(flash, segment=65536)
    journal.gather(fault(0), None, 0)

    def storm():
        for n in range(1, 121):
            journal.gather(fault(n), None, 1)

    assert syncs(flash, storm) == 120 // GATHER_MAX - 1
    journal.flush()
    assert held(journal) == [("fault", f"fault {n}") for n in range(121)]


def test_what_must_be_durable_takes_the_gathered_along_before_it():
    flash = Counted()
    journal = open_journal(flash)
    journal.gather(fault(0), None, 0)
    journal.gather(fault(1), None, 1)
    journal.gather(*drawn(7), 2)
    journal.gather(*drawn(7, "lot-b"), 2)
    claim = {"ty": "claim", "tq": "none", "order": "o-2", "ep": 2}
    assert syncs(flash, lambda: journal.append(claim)) == 1
    kinds = [ty for ty, _ in held(journal)]
    assert kinds == ["fault", "fault", "material", "material", "claim"]
    assert journal.memory.order["claim_s"] == journal.hi


def test_a_counter_told_durably_leaves_out_the_gathered_one():
    journal = open_journal(CutFlash())
    journal.gather(fault(0), None, 0)
    journal.gather(*drawn(5), 1)
    journal.gather(*drawn(5, "lot-b"), 1)
    journal.append(*drawn(9))
    journal.flush()
    assert [what for _, what in held(journal)][1:] == [("lot-a", 9), ("lot-b", 5)]


def test_a_mark_takes_the_gathered_along_only_when_their_time_has_come():
    journal = open_journal(CutFlash())
    journal.gather(fault(0), None, 0)
    journal.gather(fault(1), None, 1)
    journal.note({"term": 4}, FINAL)
    assert len(held(journal)) == 1
    journal._now_ms = HOLD_MS
    journal.note({"term": 5}, FINAL)
    assert len(held(journal)) == 2
    assert journal.memory.term == 5


def test_a_full_journal_keeps_the_gathered_for_later_and_refuses_when_it_has_too_many():
    journal = open_journal(CutFlash(), limit=16384)
    with pytest.raises(JournalFull):
        for n in range(1000):
            journal.append(fault(n))
    for n in range(GATHER_MAX):
        journal.gather(fault(f"late {n}"), None, n)
    with pytest.raises(JournalFull):
        journal.gather(fault("too many"), None, 99)
    for n in range(50):  # a counter replaces itself, so it always has room
        with pytest.raises(JournalFull):
            journal.gather(*drawn(n), 99)
    journal.ack(journal.hi)
    journal.append(fault("end"), None, FINAL)
    assert [what for _, what in held(journal)][-2:] == [f"fault late {GATHER_MAX - 1}", "fault end"]


def test_the_hold_grows_while_nobody_acknowledges():
    journal = open_journal(CutFlash(), limit=65536)
    at = []
    for n in range(200000):
        hi = journal.hi
        journal.gather(*drawn(n), n * 1000)
        if journal.hi > hi:
            at.append(n)
        if journal.used_bytes > 32768:
            break
    assert at[2] - at[1] == HOLD_MS // 1000
    assert at[-1] - at[-2] >= 8 * HOLD_MS // 1000


def life(flash, ideal, durable):
    """Gathers, appends, notes, acknowledges; ``ideal`` is what was taken, in order."""
    journal = open_journal(flash)

    def seen():
        s = durable["s"]
        while (found := journal.event_after(s)) is not None:
            s = found[0]
            durable[s] = found[1]
        durable["s"] = s

    for n in range(30):
        ideal.append(("material", ("lot-a", n)))
        journal.gather(*drawn(n), n * 4000)
        if n % 3 == 0:
            ideal.append(("fault", f"fault {n}"))
            journal.gather(fault(n), None, n * 4000)
        if n % 7 == 0:
            journal.note({"ctr": {"ch": 0, "lot": "lot-a", "hwm_mg": n + 7}}, FINAL)
            durable["hwm"] = n + 7
        if n % 11 == 10:
            ideal.append(("declined", (None, None)))
            body = {"ty": "declined", "tq": "none", "order": "o-1", "ep": n, "why": "x"}
            journal.append(body)
        seen()
        if n % 10 == 9:
            journal.ack(journal.hi - 2)
    return journal


def is_honest_part(found, ideal):
    """Say whether found is ideal up to some point, less counters that a later one replaced."""
    left = list(found)
    for item in ideal:
        if not left:
            return True
        if item == left[0]:
            left.pop(0)
        elif item[0] != "material":
            return False
    return not left


@pytest.mark.parametrize("kept", [0.0, 0.4, 0.8, 1.0])
def test_a_power_cut_at_every_write_loses_only_what_was_never_sent(kept):
    whole = CutFlash()
    life(whole, [], {"s": 0})
    assert whole.operations > 60
    for cut_at in range(whole.operations):
        ideal, durable = [], {"s": 0}
        flash = CutFlash(cut_at=cut_at, kept=kept)
        with pytest.raises(PowerCut):
            life(flash, ideal, durable)
        again = open_journal(flash.after_cut())
        assert not again.damaged
        assert again.hi >= durable["s"]
        numbers, s = {}, again.acked
        while (found := again.event_after(s)) is not None:
            s = found[0]
            numbers[s] = found[1]
        assert sorted(numbers) == list(range(again.acked + 1, again.hi + 1))
        for s, data in durable.items():
            if isinstance(s, int) and s > again.acked:
                assert numbers[s] == data, "a number that was sent means something else now"
        if again.acked == 0:
            assert is_honest_part(held(again), ideal)
        assert again.memory.counter(0, "lot-a")["hwm_mg"] >= durable.get("hwm", 0)
