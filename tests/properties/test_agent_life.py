"""Random lives of an agent: power cuts at any flash operation, messages twice, late, out of order.

Whatever happens: an epoch starts at most once, epochs only rise, a start follows a claim of the
same life, sequence numbers mean one event for ever, counters never fall, and the material really
drawn lies within what is declared.
"""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from support.cutflash import CutFlash, PowerCut
from support.machine import Machine, grant, idle, offer

ENDS = [
    ("ended", True, "", True),
    ("ended", False, "thermal", False),
    ("lost", "no answer"),
]


class AgentLife(RuleBasedStateMachine):
    flash = CutFlash

    @initialize(kept=st.sampled_from([0.0, 0.5, 1.0]))
    def switch_on(self, kept):
        self.kept = kept
        self.machine = Machine(self.flash(kept=kept))
        self.sent = []  # every message the controller ever sent
        self.ep = 0
        self.rev = 0
        self.starts = []
        self.claimed_here = set()  # epochs claimed in this life
        self.seen = {}  # (jid, s) -> event, as it went out
        self.counters = {}
        self.drawn_mm = 0  # really drawn, over all lives
        self.line_mm = 0
        self.collect()

    # what the world sees ---------------------------------------------------------------------
    def collect(self):
        machine = self.machine
        for event in machine.events():
            key = (event["jid"], event["s"])
            is_new = key not in self.seen
            assert self.seen.setdefault(key, event) == event, "a number was used twice"
            if is_new and event["ty"] == "material":
                cum = self.counters.get(event["lot"], 0)
                assert event["cum_mg"] >= cum, "a counter fell"
                self.counters[event["lot"]] = event["cum_mg"]
        new = machine.starts
        machine.starts = []
        for ep in new:
            assert ep not in self.starts, "an epoch started twice"
            assert ep in self.claimed_here, "started without a claim of this life"
            assert not self.starts or ep > max(self.starts), "an older epoch started"
            self.starts.append(ep)
            self.line_mm = 0
        if machine.memory.order:
            self.claimed_here.add(machine.memory.order["ep"])

    def guarded(self, act):
        """Do something that power may cut short; a cut is followed by the next life."""
        try:
            act()
            self.collect()
        except PowerCut:
            self.collect_starts_only()
            self.reboot()

    def collect_starts_only(self):
        for ep in self.machine.starts:
            assert ep not in self.starts
            self.starts.append(ep)
        self.machine.starts = []

    def reboot(self):
        self.claimed_here = set()
        cut_again = self.machine.flash
        while True:
            flash = cut_again.after_cut(kept=self.kept)
            try:
                self.machine = Machine(flash)
                break
            except PowerCut:
                cut_again = flash
        assert self.machine.starts == []
        self.collect()

    def hear(self, leaf, message):
        if leaf == "dn/want":
            self.sent.append((leaf, message))
        self.guarded(lambda: self.machine.hear(leaf, message))

    # rules -----------------------------------------------------------------------------------
    @rule(operations=st.integers(0, 12))
    def power_will_fail(self, operations):
        self.machine.flash.cut_at = self.machine.flash.operations + operations

    @rule()
    def power_fails_now(self):
        self.collect_starts_only()
        self.reboot()

    @rule()
    def offer_anew(self):
        self.ep += 1
        self.rev += 1
        self.hear("dn/want", offer(self.ep, self.rev))

    @rule()
    def withdraw(self):
        self.rev += 1
        self.hear("dn/want", idle(self.rev))

    @rule(ok=st.booleans())
    def fetch_ends(self, ok):
        for ep in self.machine.fetch_asked():
            self.guarded(lambda ep=ep: self.machine.fetched(ep, "" if ok else "bad hash"))

    @rule(data=st.data())
    @precondition(lambda self: any(e["ty"] == "claim" for e in self.seen.values()))
    def grant_some_claim(self, data):
        claims = [e for e in self.seen.values() if e["ty"] == "claim"]
        claim = data.draw(st.sampled_from(claims[-3:]))
        self.rev += 1
        self.hear("dn/want", grant(claim["ep"], claim["jid"], claim["s"], self.rev))

    @rule()
    @precondition(lambda self: self.machine.order_state == "claimed")
    def grant_the_claim(self):
        order = self.machine.memory.order
        self.rev += 1
        jid = self.machine.journal.jid
        self.hear("dn/want", grant(order["ep"], jid, order["claim_s"], self.rev))

    @rule(stale=st.booleans(), data=st.data())
    def controller_pushes_an_order_through(self, stale, data):
        offers = [m for _, m in self.sent if m["ph"] == "offer"] if stale else []
        self.person_clears()
        if offers:
            old = data.draw(st.sampled_from(offers))
            self.guarded(lambda: self.machine.hear("dn/want", old))
        else:
            self.offer_anew()
        self.fetch_ends(True)
        if self.machine.order_state == "claimed":
            self.grant_the_claim()

    @rule(data=st.data())
    @precondition(lambda self: self.sent)
    def message_comes_again(self, data):
        leaf, message = data.draw(st.sampled_from(self.sent))
        self.guarded(lambda: self.machine.hear(leaf, message))

    @rule(behind=st.integers(0, 4))
    def acknowledge(self, behind):
        journal = self.machine.journal
        ack = {"v": 1, "term": 1, "jid": journal.jid, "s": max(0, journal.hi - behind)}
        self.hear("dn/ack", ack)

    @rule()
    def person_clears(self):
        self.guarded(lambda: self.machine.command("clear"))

    @rule(mm=st.integers(1, 700))
    @precondition(lambda self: self.machine.order_state == "running")
    def line_runs(self, mm):
        def act():
            if self.machine.meter.before(f"G1 E{self.line_mm + mm}"):
                self.line_mm += mm
                self.drawn_mm += mm

        self.guarded(act)

    @rule(end=st.sampled_from(ENDS))
    @precondition(lambda self: self.machine.order_state in ("running", "paused"))
    def order_ends(self, end):
        self.guarded(lambda: self.machine.drive(*end))

    @rule()
    @precondition(lambda self: self.machine.order_state in ("running", "paused"))
    def pause_or_resume(self):
        running = self.machine.order_state == "running"
        event = ("paused", "asked") if running else ("resumed",)
        self.guarded(lambda: self.machine.drive(*event))

    @rule(ms=st.integers(1, 70000))
    def time_passes(self, ms):
        self.guarded(lambda: self.machine.tick(ms))

    # always ----------------------------------------------------------------------------------
    @invariant()
    def material_is_within_what_is_declared(self):
        machine = self.machine
        counter = machine.memory.counter(0, "lot-a")
        really_mg = self.drawn_mm * 3
        assert really_mg <= counter["hwm_mg"], "drawn past the durable mark"
        if machine.memory.order is None:
            assert counter["cum_mg"] - counter["unc_mg"] <= really_mg <= counter["cum_mg"]

    @invariant()
    def epochs_seen_are_remembered(self):
        assert self.machine.memory.last_ep >= max(self.starts, default=0)


AgentLife.TestCase.settings = settings(
    max_examples=100,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestAgentLife = AgentLife.TestCase


class ForgetsToSync(CutFlash):
    """Planted bug: what is called durable is not."""

    def sync(self, file):
        self.operation(file)

    def after_cut(self, cut_at=None, kept=0.0):
        return ForgetsToSync(self.files, cut_at, kept)


class PlantedLife(AgentLife):
    flash = ForgetsToSync


def test_a_planted_bug_is_found():
    with pytest.raises(AssertionError):
        run_state_machine_as_test(
            PlantedLife,
            settings=settings(
                AgentLife.TestCase.settings,
                max_examples=200,
                derandomize=True,
                phases=[Phase.generate],
                database=None,
            ),
        )
