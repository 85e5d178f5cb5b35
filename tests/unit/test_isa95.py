"""Job control tables of OPC 10031-4."""

from __future__ import annotations

import pytest

from protocols import isa95
from protocols.isa95 import JobState


@pytest.mark.parametrize(
    ("method", "state", "status", "after"),
    [
        ("StoreAndStart", JobState(0, 0), isa95.DONE, JobState(2, 2)),
        ("StoreAndStart", JobState(3, 0), isa95.UNABLE, JobState(3, 0)),
        ("Store", JobState(0, 0), isa95.DONE, JobState(1, 2)),
        ("Start", JobState(1, 2), isa95.DONE, JobState(2, 2)),
        ("Start", JobState(0, 0), isa95.UNKNOWN_ORDER, JobState(0, 0)),
        ("RevokeStart", JobState(3, 0), isa95.INVALID_STATE, JobState(3, 0)),
        ("Pause", JobState(3, 0), isa95.DONE, JobState(4, isa95.SUSPENDED)),
        ("Resume", JobState(4, isa95.HELD), isa95.DONE, JobState(3, 0)),
        ("Stop", JobState(4, isa95.HELD), isa95.DONE, JobState(5, isa95.COMPLETED)),
        ("Abort", JobState(5, 1), isa95.INVALID_STATE, JobState(5, 1)),
        ("Cancel", JobState(2, 2), isa95.DONE, JobState(0, 0)),
        ("Clear", JobState(6, 0), isa95.DONE, JobState(0, 0)),
        ("Update", JobState(2, 2), isa95.DONE, JobState(2, 2)),
    ],
)
def test_after_call(method: str, state: JobState, status: int, after: JobState) -> None:
    assert isa95.after_call(method, state) == (status, after)


@pytest.mark.parametrize("order", ["jo-1", "a"])
@pytest.mark.parametrize("ep", [1, 2**31 - 1])
def test_job_ids_are_twins(order: str, ep: int) -> None:
    assert isa95.parse_job_id(isa95.format_job_id(order, ep)) == (order, ep)


@pytest.mark.parametrize("text", ["", "jo-1", "jo-1.", ".7", "jo-1.07", "jo-1.x", "SETUP-4711"])
def test_job_ids_of_others(text: str) -> None:
    assert isa95.parse_job_id(text) is None


def test_units_are_twins() -> None:
    assert isa95.unit_id("H87") == 4732983
    assert all(isa95.unit_code(isa95.unit_id(code)) == code for code in isa95.UNITS)


def test_status_in_words() -> None:
    assert isa95.explain(isa95.DONE) == "done"
    assert isa95.explain(isa95.UNABLE | 1 << 40) == (
        "unable to accept the order, bits 0x10000000000"
    )
    assert isa95.explain(0) == "no status"
