"""The ledger conserves under any mixture of draws, repeats, disorder, corrections and weighing."""

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from controller import execution
from controller.adapters.store import Store
from controller.ledger.balance import check, totals
from controller.ledger.post import correct, post
from controller.resources import create_lot, register_machine, weigh
from controller.values import EconomicEvent, Lot, Machine
from support.postgres import store_place

START_MG = 1_000_000


class LedgerMachine(RuleBasedStateMachine):
    """A printer that draws from one spool over an unreliable wire, beside a simple model."""

    sent = Bundle("sent")

    def __init__(self):
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.store = Store(store_place(Path(self._folder.name) / "l.sqlite"), lambda: 1)
        with self.store.write() as tx:
            register_machine(tx, Machine("m", "printer", "mqtt", "M", {}))
            create_lot(tx, Lot("spool", "pla", "spool"), START_MG, 0, "t")
        self.s = self.cum = self.unc = self.applied_s = self.applied_cum = 0
        self.spool = START_MG
        self.weighings = 0

    def teardown(self):
        self.store.close()
        self._folder.cleanup()

    @rule(target=sent, mass_mg=st.integers(0, 5000), share=st.integers(0, 3))
    def draw(self, mass_mg, share):
        self.s += 1
        self.cum += mass_mg
        self.unc += mass_mg * share // 3
        return {
            "v": 1, "jid": "j", "s": self.s, "tq": "none", "ty": "material", "ch": 0,
            "lot": "spool", "cum_mg": self.cum, "unc_mg": self.unc, "src": "lines",
        }  # fmt: skip

    @rule(event=sent)
    def deliver(self, event):
        with self.store.write() as tx:
            outcome = execution.apply_event(tx, "m", event)
        expected = "duplicate" if event["s"] <= self.applied_s else "gap"
        if event["s"] == self.applied_s + 1:
            expected = "applied"
            self.spool -= event["cum_mg"] - self.applied_cum
            self.applied_s, self.applied_cum = event["s"], event["cum_mg"]
        assert outcome == expected

    @rule(mass_mg=st.integers(0, 2 * START_MG))
    def weigh_in(self, mass_mg):
        self.weighings += 1
        with self.store.write() as tx:
            weigh(tx, "spool", mass_mg, "t", f"w{self.weighings}")
        self.spool = mass_mg

    @rule(number=st.integers(1, 30), mass_mg=st.integers(-100, 100))
    def correct_a_stock_take(self, number, mass_mg):
        with self.store.write() as tx:
            line = tx.ledger.get(number)
            if line is None or line.action not in ("raise", "lower") or line.corrects:
                return
            before = len(tx.ledger.all())
            correct(tx, number, mass_mg, 0, "t")
            if len(tx.ledger.all()) > before:
                self.spool += mass_mg if line.action == "raise" else -mass_mg

    @invariant()
    def conserves(self):
        with self.store.read() as tx:
            assert check(tx) == []
            assert tx.lots.with_balance("spool").mass_mg == self.spool
            whole = totals(tx)
            assert whole.held_mg == whole.raised_mg - whole.lowered_mg - whole.in_work_mg
            assert whole.in_work_mg == 0


LedgerMachine.TestCase.settings = settings(
    max_examples=15,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
test_ledger = LedgerMachine.TestCase


def test_a_balance_that_was_tampered_with_is_found(floor):
    with floor.store.write() as tx:
        held = tx.ledger.balance("spool-1")
        tx.ledger.put_balance(type(held)(held.lot, held.mass_mg + 1, held.pieces))
        assert {d.subject for d in check(tx)} == {"spool-1", "site"}


def test_the_same_line_again_changes_nothing_and_another_under_its_key_is_refused(floor):
    import pytest

    from controller.ledger.post import LedgerConflict

    line = EconomicEvent("k", "consume", "a", "b", 1, lot="spool-1", mass_mg=5)
    with floor.store.write() as tx:
        assert post(tx, line) == post(tx, line)
        assert tx.ledger.balance("spool-1").mass_mg == 999_995
        with pytest.raises(LedgerConflict, match="another line"):
            post(tx, EconomicEvent("k", "consume", "a", "b", 1, lot="spool-1", mass_mg=6))


def test_the_database_itself_refuses_to_change_a_line(floor):
    import pytest
    from sqlalchemy import create_engine, text
    from sqlalchemy.exc import DBAPIError

    with floor.store.write() as tx:
        post(tx, EconomicEvent("k", "consume", "a", "b", 1, lot="spool-1", mass_mg=5))
    raw = create_engine(floor.store.url)
    for statement in ("UPDATE economic_event SET mass_mg=1", "DELETE FROM economic_event"):
        with pytest.raises(DBAPIError, match="append-only"), raw.begin() as conn:
            conn.execute(text(statement))
    raw.dispose()
