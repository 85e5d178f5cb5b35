"""The simulated technician acts once per card, after its delay, and only where a verb exists."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.technician import Technician

POSTED = list[tuple[str, dict[str, Any]]]


def technician(posted: POSTED, *, accepted: bool = True, reject: float = 0.0) -> Technician:
    def post(path: str, body: dict[str, Any]) -> bool:
        posted.append((path, body))
        return accepted

    return Technician(post, delay_s=60, reject_share=reject, seed=1)


CLEAR = {"kind": "clear", "machine": "printer-1", "saw": "x7", "rank": 1, "blocked": 2, "pieces": 3}


def test_a_bed_is_cleared_after_the_delay_and_not_before() -> None:
    posted: POSTED = []
    person = technician(posted)
    assert person.act({"a": CLEAR}, 1_000) == 0
    assert person.act({"a": CLEAR}, 60_999) == 0
    assert person.act({"a": CLEAR}, 61_000) == 1
    assert posted == [
        (
            "/api/machines/printer-1/clear",
            {"result": "good", "pieces": 3, "saw": "x7", "who": "simulated technician"},
        )
    ]


def test_a_refused_act_is_tried_again_and_a_new_card_waits_anew() -> None:
    posted: POSTED = []
    person = technician(posted, accepted=False)
    person.act({"a": CLEAR}, 0)
    assert person.act({"a": CLEAR}, 60_000) == 0
    assert person.act({"a": CLEAR}, 60_250) == 0
    assert len(posted) == 2
    person.act({}, 60_500)
    person.act({"a": CLEAR}, 60_750)
    assert len(posted) == 2


def test_a_bad_part_is_reported_with_no_pieces() -> None:
    posted: POSTED = []
    person = technician(posted, reject=1.0)
    person.act({"a": CLEAR}, 0)
    person.act({"a": CLEAR}, 60_000)
    assert posted[0][1]["result"] == "bad"
    assert posted[0][1]["pieces"] == 0


def test_cards_without_a_verb_are_left_to_real_people() -> None:
    posted: POSTED = []
    person = technician(posted)
    card = {"kind": "quarantine", "machine": "mill-1", "saw": "x", "rank": 0, "blocked": 1}
    person.act({"f": card}, 0)
    assert person.act({"f": card}, 999_999) == 0
    assert posted == []


@pytest.mark.parametrize("kind", ["fault", "stopped"])
def test_a_machine_in_trouble_is_reset_by_its_button_and_what_lies_on_it_scrapped(
    kind: str,
) -> None:
    posted: POSTED = []
    pressed: list[str] = []

    def post(path: str, body: dict[str, Any]) -> bool:
        assert pressed == ["mill-1"], "the button comes first"
        posted.append((path, body))
        return True

    person = Technician(post, 0, 0.0, 1, pressed.append)
    card = {"kind": kind, "machine": "mill-1", "saw": "x", "rank": 0, "blocked": 1}
    assert person.act({"f": card}, 0) == 1
    assert posted[0][0] == "/api/machines/mill-1/clear"
    assert (posted[0][1]["result"], posted[0][1]["pieces"]) == ("bad", 0)


def test_a_machine_that_stays_silent_is_reset_unless_it_holds_an_order() -> None:
    pressed: list[str] = []
    person = Technician(lambda path, body: True, 60.0, 0.0, 1, pressed.append)
    card = {"kind": "silent", "machine": "mill-1", "saw": "x", "rank": 8, "blocked": 1}
    held = {**card, "machine": "mill-2", "label": "n1-1 mill"}
    cards = {"a": card, "b": held}
    assert [person.act(cards, at) for at in (0, 2_300_000, 2_400_000, 2_500_000)] == [0, 0, 1, 0]
    assert pressed == ["mill-1"]
