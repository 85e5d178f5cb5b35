"""What a cell says it took, against the plan; open until a person has counted."""

from __future__ import annotations

from typing import Any

import pytest

from controller.adapters.opcua.mapping import Amount, Difference, SeenJob, differences
from controller.joints import picks
from controller.values import Refused
from protocols.isa95 import COMPLETED, ENDED, JobState

PLANNED = (("p-jaw", 2), ("screws", 4))


def check(expected: list[Difference], *consumed: tuple[str, Amount], answered: bool = True) -> None:
    job = SeenJob(JobState(ENDED, COMPLETED), answered=answered, consumed=consumed)
    assert differences(PLANNED, job) == expected


def test_differences() -> None:
    check([], ("p-jaw", Amount(2)), ("screws", Amount(4)))
    check([Difference("screws", 4, 5)], ("p-jaw", Amount(2)), ("screws", Amount(5)))
    check([Difference("p-jaw", 2, 0)], ("screws", Amount(4)))
    check(
        [Difference("glue", 0, 1)],
        ("p-jaw", Amount(2)), ("screws", Amount(4)), ("glue", Amount(1)),
    )  # fmt: skip
    check([], ("p-jaw", Amount(2)), ("screws", Amount(0, 4800)))  # weighed, not counted
    check([], answered=False)


def test_difference_stays_open_until_a_person_counted(floor: Any) -> None:
    with floor.store.read() as tx:
        picks.differ(tx, "o7", "screws", 4, 5)
        picks.differ(tx, "o7", "screws", 4, 5)
        assert [(o["order"], o["planned"], o["taken"]) for o in picks.open_ones(tx)] == [
            ("o7", 4, 5)
        ]
        with pytest.raises(Refused):
            picks.close(tx, "o8", "screws", "simulated technician")
        picks.close(tx, "o7", "screws", "simulated technician")
        assert picks.open_ones(tx) == []
