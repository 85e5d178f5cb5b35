"""The floor document: what a page shows for what the store holds."""

from dataclasses import replace
from typing import Any

import pytest

from dashboards.attention import RANKS
from dashboards.reading import read_rows
from dashboards.rows import Rows, index
from dashboards.views import floor_document, shown_state, steps


def document(desk: Any) -> Any:
    with desk.read() as tx:
        return floor_document(read_rows(tx))


def test_a_running_tile_says_what_for_whom_and_how_long(desk: Any) -> None:
    tile = document(desk)["machines"]["printer-1"]
    assert tile["state"] == "running"
    assert tile["label"] == "clamp 1/2 · print"
    assert tile["community"] == "Northside workshop"
    assert tile["percent"] == 41
    assert tile["eta_at"] % 60_000 == 0 and tile["eta_at"] >= tile["started_at"] + 600_000
    assert tile["material"]["0"] == {
        "lot": "petg-1",
        "material": "petg",
        "colour": "black",
        "left_mg": 412_000,
        "needs_mg": 4210,
    }
    assert tile["next"] == "hook 2/5 · print"


def test_an_ended_order_lies_on_the_bed_until_a_person_settles_it(
    desk: Any, dash_floor: Any
) -> None:
    shown = document(desk)
    assert shown["machines"]["printer-2"]["settle"] == "o-2"
    assert shown["attention"]["clear:printer-2"]["label"] == "hook 1/5 · print"
    assert shown["attention"]["clear:printer-2"]["blocked"] == 2
    desk.change(lambda tx: tx.orders.change("o-2", settled_at=dash_floor.T0))
    desk.change(lambda tx: tx.machines.change("printer-2", ready=True))
    shown = document(desk)
    assert "settle" not in shown["machines"]["printer-2"]
    assert "clear:printer-2" not in shown["attention"]


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({}, "ready"),
        ({"ready": False}, "clear"),
        ({"state": "busy", "ready": False}, "running"),
        ({"state": "paused"}, "paused"),
        ({"state": "stopped"}, "stopped"),
        ({"state": "fault"}, "fault"),
        ({"fault": "thermal runaway"}, "fault"),
        ({"state": "fault", "quarantine": "two different events"}, "maintenance"),
        ({"online": False}, "silent"),
        ({"state": "off"}, "silent"),
        ({"state": "off", "ready": False}, "clear"),
        ({"state": "busy", "last_seen_at": 1_760_000_000_000 - 51_000}, "silent"),
        ({"state": "busy", "last_seen_at": 1_760_000_000_000 - 49_000}, "running"),
        ({"last_seen_at": None}, "silent"),
        ({"last_seen_at": None, "link": "opcua"}, "ready"),
        ({"link": "opcua", "online": False}, "silent"),
        ({"link": "person", "state": "busy", "last_seen_at": 0}, "person"),
        ({"link": "person", "state": "idle", "last_seen_at": 0}, "ready"),
    ],
)
def test_the_worst_that_is_true_is_shown(
    dash_floor: Any, fields: dict[str, Any], state: str
) -> None:
    machine = dash_floor.machine("printer-9", **fields)
    floor = index(Rows(dash_floor.T0, machines=(machine,)))
    assert shown_state(floor, machine, None) == state


def test_heartbeats_are_real_time_so_silence_scales_with_the_clock(dash_floor: Any) -> None:
    machine = dash_floor.machine("printer-9", last_seen_at=dash_floor.T0 - 20 * 60_000)
    rows = Rows(dash_floor.T0, machines=(machine,))
    assert shown_state(index(rows, 1), machine, None) == "silent"
    assert shown_state(index(rows, 60), machine, None) == "ready"


@pytest.mark.parametrize("order_state", ["IN_DOUBT", "UNKNOWN"])
def test_doubt_needs_a_person_even_when_the_machine_is_silent(desk: Any, order_state: str) -> None:
    desk.change(lambda tx: tx.orders.change("o-1", state=order_state))
    assert document(desk)["machines"]["printer-1"]["state"] == "unknown"
    desk.change(lambda tx: tx.machines.change("printer-1", online=False))
    cards = document(desk)["attention"]
    assert cards["unknown:printer-1"]["order"] == "o-1"
    assert "silent:printer-1" in cards
    assert document(desk)["counters"]["in_doubt"] == 1


def test_a_spool_that_will_not_last_is_a_card_before_it_runs_out(desk: Any) -> None:
    from controller.values import Balance

    desk.change(lambda tx: tx.ledger.put_balance(Balance("petg-1", 2_000)))
    card = document(desk)["attention"]["material:printer-1:0"]
    assert (card["lot"], card["ch"]) == ("petg-1", 0)
    assert card["text"] == "petg: 2 g left, 2 g still needed"
    assert card["rank"] == RANKS["material"]


def test_an_operation_that_gave_up_and_a_machine_not_trusted_are_cards(desk: Any) -> None:
    desk.change(lambda tx: tx.operations.change("op-6", state="held", reason="failed 3 times"))
    desk.change(lambda tx: tx.machines.change("printer-3", quarantine="journal ran backwards"))
    cards = document(desk)["attention"]
    assert cards["held:op-6"]["text"] == "failed 3 times"
    assert cards["quarantine:printer-3"]["text"] == "journal ran backwards"


def test_work_by_hand_is_a_card_with_its_instructions(desk: Any) -> None:
    desk.change(
        lambda tx: tx.machines.change(
            "printer-1", link="person", need_person="Press a cable in: it snaps."
        )
    )
    card = document(desk)["attention"]["person:printer-1"]
    assert (card["order"], card["text"]) == ("o-1", "Press a cable in: it snaps.")


def test_everything_that_waits_says_why(desk: Any) -> None:
    desk.change(lambda tx: tx.operations.change("op-6", reason=""))
    for need in document(desk)["needs"].values():
        for step in need.get("steps", {}).values():
            assert ("waiting" in step) == ("reason" in step)
            assert step.get("reason", "words") != ""


def test_the_reason_most_operations_share_speaks_for_the_step(dash_floor: Any) -> None:
    operations = [
        dash_floor.operation(f"op-{n}", "n-1", reason=reason)
        for n, reason in enumerate(["no spool", "no printer", "no printer"])
    ]
    assert steps(operations)["print"] == {
        "n": 0,
        "process": "fdm",
        "total": 3,
        "waiting": 3,
        "reason": "no printer",
    }


def test_what_no_person_can_see_changes_nothing(desk: Any) -> None:
    before = document(desk)
    with desk.read() as tx:
        lot = tx.lots.with_balance("petg-1")
    from controller.values import Balance

    desk.change(lambda tx: tx.orders.change("o-1", done_ppm=419_999))
    desk.change(lambda tx: tx.ledger.put_balance(Balance("petg-1", lot.mass_mg + 999)))
    desk.change(lambda tx: tx.machines.change("printer-3", last_seen_at=desk.clock.now_ms() - 9))
    assert document(desk) == before


def test_progress_comes_from_telemetry_of_this_order_only(desk: Any, dash_floor: Any) -> None:
    t = dash_floor.T0
    desk.change(lambda tx: tx.telemetry.add([("printer-1", t - 300_000, {"done_ppm": 990_000})]))
    assert document(desk)["machines"]["printer-1"]["percent"] == 41
    desk.change(lambda tx: tx.telemetry.add([("printer-1", t, {"done_ppm": 570_000})]))
    assert document(desk)["machines"]["printer-1"]["percent"] == 57


def test_a_step_says_what_those_without_a_machine_wait_for(dash_floor: Any) -> None:
    made = dash_floor.operation
    one = made("a", "n-1", unit=0, state="planned", reason="planned next on printer-1")
    two = made("b", "n-1", unit=1, state="ready", reason="needs petg: load it in printer-3")
    assert steps([one, two, replace(one, id="c")])["print"]["reason"] == two.reason
    assert steps([one])["print"]["reason"] == one.reason


def test_bad_input_is_counted_and_shown_with_its_reason(desk: Any) -> None:
    shown = document(desk)
    assert shown["counters"]["dead_letters"] == 1
    assert [r["reason"] for r in shown["refused"].values()] == ["is not valid JSON in UTF-8"]


def test_no_value_is_null(desk: Any) -> None:
    def check(value: Any) -> None:
        assert value is not None
        for inner in value.values() if isinstance(value, dict) else ():
            check(inner)

    check(document(desk))


def test_replace_keeps_what_the_person_saw_apart(dash_floor: Any) -> None:
    from dashboards.views import saw

    machine = dash_floor.machine("printer-9", order_id="o-7", ep=7, state="busy")
    tokens = {
        saw(machine),
        saw(replace(machine, state="paused")),
        saw(replace(machine, ep=8)),
        saw(replace(machine, ready=False)),
        saw(replace(machine, order_id="o-8")),
    }
    assert len(tokens) == 5
