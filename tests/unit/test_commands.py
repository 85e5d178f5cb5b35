"""Commands of people name the order they are about, so that a late one never meets another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from controller import commands, execution, planning
from controller.commands import Asker
from controller.picturing import floor_picture
from support import small_floor
from support.small_floor import Floor, Journal

ANN = Asker("ann")


@pytest.fixture
def working(tmp_path: Path) -> tuple[Floor, Any]:
    """A floor and the order its printer runs."""
    floor, journal = Floor(tmp_path), Journal()
    floor.state(small_floor.print_only)
    floor.do(execution.hear_state, "printer-1", small_floor.state_report(jid=journal.jid))
    with floor.store.write() as tx:
        planning.apply_plan(tx, small_floor.plan(floor_picture(tx)))
        order = tx.orders.open_on("printer-1")
    for event in journal.run(order)[:2]:
        floor.do(execution.apply_event, "printer-1", event)
    return floor, order


def sent(floor: Floor, do: str) -> Any:
    """The epoch a command went out with."""
    document = commands.build("b1", do, ANN, 1, 1000)
    return floor.do(commands.send, "printer-1", document).body.get("ep")


@pytest.mark.parametrize("do", ["pause", "resume", "cancel"])
def test_what_is_done_to_an_order_names_it(working: tuple[Floor, Any], do: str) -> None:
    floor, order = working
    assert sent(floor, do) == order.ep


def test_what_is_about_no_order_names_none(working: tuple[Floor, Any]) -> None:
    assert sent(working[0], "identify") is None
