"""Needs: idempotent by key, refused with the field and the fix, in batches, taken back."""

import pytest

from controller import needs
from controller.values import Refused


def test_the_same_key_and_content_is_the_same_need(floor, small_floor):
    assert floor.state() == floor.state()
    with floor.store.read() as tx:
        assert len(tx.needs.all()) == 1


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"quantity": 0}, "bad-quantity", "quantity"),
        ({"community": "mars"}, "unknown-community", "community"),
        ({"design": "ghost"}, "unknown-design", "design"),
        ({"part": "ghost"}, "unknown-part", "part"),
        ({"need_class": "now"}, "bad-class", "need_class"),
        ({"key": ""}, "bad-key", "key"),
        ({"due_at": -1}, "bad-due", "due_at"),
        ({"note": "x" * 501}, "too-long", "note"),
    ],
)
def test_a_bad_need_names_the_field(floor, fields, code, field):
    with pytest.raises(Refused) as refused:
        floor.state(**fields)
    assert (refused.value.code, refused.value.field) == (code, field)
    with floor.store.read() as tx:
        assert tx.needs.all() == []


def test_another_content_under_a_key_is_a_conflict(floor):
    floor.state()
    with pytest.raises(Refused, match="new key") as refused:
        floor.state(quantity=2)
    assert (refused.value.code, refused.value.field) == ("conflict", "quantity")


def test_a_batch_takes_good_lines_or_nothing(floor, small_floor):
    lines = [small_floor.request("a"), small_floor.request("b", quantity=0)]
    with floor.store.write() as tx:
        good, bad = needs.state_batch(tx, lines, small_floor.router)
        assert good.need and bad.refused.field == "quantity"
    lines[0] = small_floor.request("c")
    with pytest.raises(Refused, match="line 2"), floor.store.write() as tx:
        needs.state_batch(tx, lines, small_floor.router, all_or_nothing=True)
    with floor.store.read() as tx:
        assert [n.key for n in tx.needs.all()] == ["a"]


def test_a_need_taken_back_cancels_what_has_not_begun(floor):
    need = floor.state()
    floor.do(needs.withdraw, need, "simulated technician")
    with floor.store.read() as tx:
        assert {op.state for op in tx.operations.of_need(need)} == {"cancelled"}
        assert tx.needs.get(need).state == "withdrawn"


def test_a_need_that_names_no_part_is_for_what_its_design_makes(floor) -> None:
    need = floor.state(part="", key="no-part")
    with floor.store.read() as tx:
        found = tx.needs.get(need)
        assert found.part == tx.designs.get(found.design).profile["part"]
    assert floor.state(part="", key="no-part") == need


def test_of_a_thousand_lines_one_bad_is_refused_with_its_reason(floor, small_floor):
    requests = [small_floor.request(f"k{n}", quantity=0 if n == 617 else 1) for n in range(1000)]
    lines = floor.do(needs.state_batch, requests, small_floor.print_only)
    (bad,) = [line for line in lines if line.refused]
    assert (bad.line, bad.refused.field) == (618, "quantity")
    with floor.store.read() as tx:
        assert len(tx.needs.all()) == 999
    again = floor.do(needs.state_batch, requests, small_floor.print_only)
    assert [line.need and line.need.id for line in again] == [
        line.need and line.need.id for line in lines
    ]
