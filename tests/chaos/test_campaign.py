"""The fault campaign on virtual time: a short one, and bugs planted in it that it must find."""

from __future__ import annotations

import pytest

from support.chaos_faults import CLASSES, IDENTITIES, MIXED
from support.chaos_world import Scope, run_world


def test_a_floor_without_faults_accounts_for_everything() -> None:
    found = run_world(Scope(orders=6, machines=4))
    assert found.all() == []
    assert found.figures["physical starts"] == found.figures["needs delivered"] == 6
    assert found.figures["mg drawn"] == found.figures["mg in the ledger"] > 0


def test_a_floor_on_which_everything_fails_loses_nothing() -> None:
    found = run_world(Scope(orders=40, machines=6, fault="mixed", every_ms=12_000))
    assert found.all() == []
    assert found.figures["needs delivered"] == 40
    assert sum(found.figures[f"n {name}"] for name in MIXED) >= 10


@pytest.mark.parametrize(
    ("fault", "every_ms", "seed"),
    [
        ("flash cloned", 15_000, 4),
        ("flash cloned", 5000, 1),
        ("flash replaced", 5000, 1),
        ("two boards of one name", 5000, 2),
    ],
)
def test_a_name_that_is_not_one_machine_is_found_out(fault: str, every_ms: int, seed: int) -> None:
    found = run_world(Scope(15, 4, seed, fault, every_ms=every_ms))
    assert found.all() == []
    assert found.figures[f"n {fault}"] >= 1


@pytest.mark.parametrize(
    ("plant", "fault", "point"),
    [
        ("ack before commit", "kill controller at a write point", "writer.settled"),
        ("started not durable", "power cut of a machine", ""),
        ("epoch not checked", "storm of all five", ""),
        ("mark not declared", "power cut of a machine", ""),
    ],
)
def test_a_planted_bug_is_found(plant: str, fault: str, point: str) -> None:
    for seed in range(1, 9):
        scope = Scope(
            12, 4, seed, fault, every_ms=5000, plant=plant, point=point, patience_ms=600_000
        )
        if run_world(scope).all():
            return
    raise AssertionError(f"{plant} was not found")


def test_the_mix_leaves_out_only_what_needs_a_quiet_floor() -> None:
    alone = {"kill controller", "old backup restored", *IDENTITIES}
    assert set(CLASSES) - set(MIXED) == alone
