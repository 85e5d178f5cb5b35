"""The public record of a need's parts: what was measured, who tended it, whose design it is."""

from __future__ import annotations

from typing import Any

from controller import execution, needs, planning
from controller.execution.outcome import Verdict
from controller.joints.sharing import share_out
from controller.picturing import floor_picture
from controller.tracking import record_of
from dashboards.story import part_view
from fabcommons.need import _record

GOOD = Verdict(good=True, who="simulated technician")
BAD = Verdict(good=False, who="simulated technician")


def run(floor: Any, small_floor: Any, machine: str, journal: Any, *more: Any) -> None:
    """Offer what is ready, run it, say what came of it."""
    lot, mass_mg, unc_mg, verdict = more
    report = small_floor.state_report(jid=journal.jid, bn="b-" + machine)
    floor.do(execution.hear_state, machine, report)
    with floor.store.write() as tx:
        planning.apply_plan(tx, small_floor.plan(floor_picture(tx)))
        order = tx.orders.open_on(machine)
    floor.clock.advance_ms(60_000)
    events = journal.run(order, lot, mass_mg)
    if unc_mg:
        events.insert(-1, journal.material(order, unc_mg, lot, unc_mg))
        events[-2]["s"], events[-1]["s"] = events[-1]["s"], events[-2]["s"]
    for event in events:
        assert floor.do(execution.apply_event, machine, event) == "applied"
    floor.do(execution.confirm_clear, machine, verdict)


def record(floor: Any, need: str) -> Any:
    with floor.store.read() as tx:
        return record_of(tx, tx.needs.get(need))


def test_a_delivered_need_is_recorded_from_ledger_lines(floor: Any, small_floor: Any) -> None:
    need = floor.state(stated_by="the north workshop")
    floor.do(lambda tx: tx.needs.change(need, accepted_because="first in its round"))
    printer = small_floor.Journal("jp")
    run(floor, small_floor, "printer-1", printer, "spool-1", 2000, 0, BAD)
    run(floor, small_floor, "printer-1", printer, "spool-1", 4300, 0, GOOD)
    run(floor, small_floor, "mill-1", small_floor.Journal("jm"), "plate-1", 30_000, 0, GOOD)
    run(floor, small_floor, "station-1", small_floor.Journal("js"), "", 0, 0, GOOD)
    view = part_view(record(floor, need))
    assert (view["state"], view["stated_by"]) == ("delivered", "the north workshop")
    assert view["accepted_because"] == "first in its round"
    assert (view["license"], view["licensor"]) == ("CERN-OHL-S-2.0", "Fabcommons")
    steps = view["steps"]
    assert [(s["step"], s["machine"], s.get("measured_mg"), s["inspection"]) for s in steps] == [
        ("print", "printer-1", 2000, "bad"),
        ("print", "printer-1", 4300, "good"),
        ("mill", "mill-1", 30_000, "good"),
        ("assemble", "station-1", None, "good"),
    ]  # fmt: skip
    assert {tuple(step["tended_by"]) for step in steps} == {("simulated technician",)}
    assert view["delivered"][0]["mass_mg"] == 4300 + 21_000
    assert view["credits"][0]["provider"] == "Fabcommons"
    text = _record(dict(view))
    for words in ("CERN-OHL-S-2.0, by Fabcommons", "first in its round", "25.3", "good by"):
        assert words in text


def test_uncertain_material_is_never_counted_as_measured(floor: Any, small_floor: Any) -> None:
    need = floor.state(small_floor.print_only)
    run(floor, small_floor, "printer-1", small_floor.Journal(), "spool-1", 3000, 500, GOOD)
    attempt = record(floor, need).steps[0].attempts[0]
    assert (attempt.measured_mg, attempt.uncertain_mg) == (3000, 500)


def test_why_a_need_was_accepted_stays_when_it_moves_on(floor: Any, small_floor: Any) -> None:
    need = floor.do(needs.state, small_floor.request(), small_floor.print_only).id
    floor.do(share_out, lambda operation, machine: "")
    because = record(floor, need).need.accepted_because
    assert because
    run(floor, small_floor, "printer-1", small_floor.Journal(), "spool-1", 3000, 0, GOOD)
    after = record(floor, need).need
    assert (after.state, after.reason, after.accepted_because) == ("delivered", "", because)


def test_a_need_nobody_began_has_a_record_too(floor: Any, small_floor: Any) -> None:
    view = part_view(record(floor, floor.state()))
    assert (view["steps"], view["delivered"], view["credits"]) == ([], [], [])
    assert "accepted" in _record(dict(view))


def test_the_record_is_served(served: Any) -> None:
    assert served.get("/api/parts/n-1").json()["need"] == "n-1"
    assert served.get("/api/parts/none").status_code == 404
