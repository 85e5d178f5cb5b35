"""A day without a broker, in pretended time on real LittleFS: nothing lost, nothing twice."""

import json

import pytest

from firmware.journal import CLAIM
from support.cutflash import CutFlash
from support.lfs_flash import BLOCK_BYTES, BLOCKS, CYCLES, PAGES, LfsFlash
from support.machine import Machine, offer

DAY_S = 86400
LINE_MM = 2  # of filament each second: 21 g an hour of lot-a
FAULT_S = 600


class Outage:
    """A machine at work with nobody listening; reports one event a second."""

    def __init__(self, flash, limit):
        self.machine = Machine(flash, limit)
        self.machine.journal._segment_bytes = 4096
        self.machine.start(1)
        self.told = [e["ty"] for e in self.machine.events()]  # distinct events, in order
        self.drawn_mm = 0

    def second(self, n):
        machine = self.machine
        machine.tick(1000)
        if machine.meter.before(f"G1 E{self.drawn_mm + LINE_MM}"):
            self.drawn_mm += LINE_MM
        event = {"ty": "material", "tq": "none", "ch": 1, "lot": "lot-b", "cum_mg": n, "unc_mg": 0}
        event.update({"order": "o-1", "ep": 1, "src": "sensor"})
        if machine.journal.has_room(CLAIM):
            machine.journal.gather(event, None, machine.now)
        if n % FAULT_S == FAULT_S - 1:
            machine.drive("fault", "noise", f"at {n}")
        if n % 7200 == 7100:
            machine.drive("paused", "asked")
            machine.drive("resumed")

    def deliver(self):
        """The broker is back: a controller takes all in order and acknowledges by eights."""
        journal, out = self.machine.journal, []
        while True:
            journal.flush()
            if (found := journal.event_after(journal.acked)) is None:
                break
            batch = [found]
            while len(batch) < 8 and (found := journal.event_after(batch[-1][0])) is not None:
                batch.append(found)
            out += batch
            assert journal.ack(batch[-1][0])
        assert [s for s, _ in out] == list(range(1, len(out) + 1))
        return [json.loads(data) for _, data in out]


def faults_of(events):
    return [e["msg"] for e in events if e["ty"] == "fault"]


def check(outage, events, seconds=DAY_S, all_faults=True):
    """Every distinct event once and in order; every counter rising to what was really drawn."""
    faults = faults_of(events)
    expected = [f"at {n}" for n in range(FAULT_S - 1, seconds, FAULT_S)]
    assert faults == (expected if all_faults else expected[: len(faults)])
    pauses = [e["ty"] for e in events if e["ty"] in ("paused", "resumed")]
    assert pauses == ["paused", "resumed"] * (len(pauses) // 2)
    assert not all_faults or len(pauses) == 24
    order = [e["ty"] for e in events if e["ty"] in ("claim", "started", "finished")]
    assert order == ["claim", "started", "finished"]
    for lot in ("lot-a", "lot-b"):
        counts = [e["cum_mg"] for e in events if e["ty"] == "material" and e["lot"] == lot]
        assert counts == sorted(set(counts))
    last = [e for e in events if e["ty"] == "material" and e["lot"] == "lot-a"][-1]
    assert (last["cum_mg"], last["unc_mg"]) == (outage.drawn_mm * 3, 0)


@pytest.mark.parametrize("port", ["RP2"])  # on ESP32 802 erases instead of 923
def test_a_day_without_a_broker_fits_the_flash_and_loses_nothing(port):
    flash = LfsFlash(PAGES[port])
    outage = Outage(flash, 262144)
    before = flash.device.erased.total()
    for n in range(DAY_S):
        outage.second(n)
    assert outage.machine.journal.has_room(CLAIM)  # of 256 kB more than a quarter is left
    outage.machine.drive("ended", True, "", True)
    erases = flash.device.erased.total() - before
    used = outage.machine.journal.used_bytes
    print(f"{port}: {used} B, {erases} erases: {CYCLES * BLOCKS / erases / 365:.0f} years of it")
    assert used < BLOCKS * BLOCK_BYTES / 3
    events = outage.deliver()
    check(outage, events)
    told = [e["cum_mg"] for e in events if e["ty"] == "material" and e["lot"] == "lot-b"]
    assert DAY_S - told[-1] < 3600  # at most the last hold is still in memory


def test_a_full_journal_refuses_claims_and_finishes_the_order_it_runs():
    outage, seconds = Outage(CutFlash(), 20480), DAY_S // 2
    full_at = 0
    for n in range(seconds):
        outage.second(n)
        full_at = full_at or (not outage.machine.journal.has_room(CLAIM) and n)
    machine = outage.machine
    assert full_at
    assert machine.order_state == "running"
    assert outage.drawn_mm == seconds * LINE_MM  # not one line waited
    machine.drive("ended", True, "", True)
    assert machine.order_state == "none"
    assert machine.command("clear")["msg"].startswith("journal is full")
    machine.hear("dn/want", offer(2))
    assert machine.fetch_asked() == [1], "an offer was taken without room to keep its reports"
    events = outage.deliver()
    check(outage, events, seconds, all_faults=False)
    assert machine.agent.dropped_n == seconds // FAULT_S - len(faults_of(events)) > 0
    assert machine.command("clear")["ok"]
    machine.hear("dn/want", offer(3))
    assert machine.fetch_asked()[-1] == 3
