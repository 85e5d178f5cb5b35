"""What a look at a cell means for a job order: each case a line."""

from __future__ import annotations

from typing import Any

import pytest
from asyncua import ua

from controller.adapters.opcua import mapping, session, structs
from controller.adapters.opcua.mapping import Amount, Held, Known, Part, Seen, SeenJob
from protocols import isa95
from protocols.isa95 import JobState
from protocols.messages import encode

SURE = Known(True)
UNSURE = Known(False)
ALLOWED = SeenJob(JobState(2, 2))
RUNNING = SeenJob(JobState(3, 0), True, started_ms=1000, consumed=(("screws", Amount(1)),))
HELD = SeenJob(JobState(4, 1), True, reason="gripper", started_ms=1000)
DONE = SeenJob(JobState(5, 1), True, 1, "", 1000, 61000, (("screws", Amount(2)),))
STOPPED = SeenJob(JobState(5, 1), True, 2, "Stop was called", 1000, 2000)
ABORTED = SeenJob(JobState(6, 0), True, 2, "gripper lost the part", 1000, 2000)
NEVER = SeenJob(JobState(6, 0), True, 2, "Abort was called")
GONE = None


def held(state: str, **changes: Any) -> Held:
    parts = (Part(0, "screws", 1200), Part(1, "screws", 1200))
    begun = state in ("RUNNING", "PAUSED", "UNKNOWN")
    made = Held("jo-1", 7, state, "c1", begun, False, "0" * 64, parts, {})
    return made._replace(**changes)


def seen(job: SeenJob | None, run: str = "c1", unfit: str = "") -> Seen:
    return Seen(run, {} if job is None else {"jo-1.7": job}, unfit)


@pytest.mark.parametrize(
    ("state", "job", "run", "expected"),
    [
        ("OFFERED", GONE, "c1", "claim"),
        ("OFFERED", ALLOWED, "c1", "declined"),
        ("CLAIMED", GONE, "c1", ""),
        ("GRANTED", GONE, "c1", ""),
        ("GRANTED", GONE, "c2", "material material interrupted"),
        ("GRANTED", ALLOWED, "c2", ""),
        ("GRANTED", RUNNING, "c1", "started material"),
        ("GRANTED", HELD, "c1", "started paused"),
        ("GRANTED", DONE, "c1", "started material material finished"),
        ("GRANTED", NEVER, "c1", "declined"),
        ("RUNNING", RUNNING, "c1", "material"),
        ("RUNNING", HELD, "c2", "paused"),
        ("RUNNING", ABORTED, "c1", "finished"),
        ("RUNNING", GONE, "c1", "material material interrupted"),
        ("PAUSED", HELD, "c1", ""),
        ("PAUSED", RUNNING, "c1", "material resumed"),
        ("PAUSED", DONE, "c2", "material material finished"),
        ("IN_DOUBT", GONE, "c1", ""),
        ("IN_DOUBT", DONE, "c1", "started material material finished"),
        ("UNKNOWN", GONE, "c2", ""),
        ("UNKNOWN", DONE, "c2", "material material finished"),
        ("SUCCEEDED", DONE, "c1", ""),
    ],
)
def test_events(state: str, job: SeenJob | None, run: str, expected: str) -> None:
    events = mapping.derive(held(state), seen(job, run), SURE)
    assert " ".join(e["ty"] for e in events) == expected
    for number, event in enumerate(events):
        encode("up/ev", {"v": 1, "jid": "c1-7", "s": number + 1, "tq": "none", **event})


@pytest.mark.parametrize(
    ("state", "changes", "job", "known", "expected"),
    [
        ("GRANTED", {}, GONE, SURE, "StoreAndStart"),
        ("GRANTED", {}, GONE, UNSURE, ""),
        ("GRANTED", {}, SeenJob(JobState(1, 2)), SURE, "Start"),
        ("GRANTED", {}, ALLOWED, SURE, ""),
        ("GRANTED", {"stop_asked": True}, ALLOWED, SURE, "Cancel"),
        ("GRANTED", {"stop_asked": True}, GONE, SURE, ""),
        ("RUNNING", {"stop_asked": True}, RUNNING, SURE, "Stop"),
        ("RUNNING", {}, GONE, SURE, ""),
        ("IN_DOUBT", {"begun": True}, GONE, SURE, ""),
        ("IN_DOUBT", {}, GONE, SURE, "StoreAndStart"),
        ("OFFERED", {}, GONE, SURE, ""),
    ],
)
def test_next_call(
    state: str, changes: dict[str, Any], job: SeenJob | None, known: Known, expected: str
) -> None:
    assert mapping.next_call(held(state, **changes), seen(job), known) == expected


def test_nothing_is_sent_again_to_a_cell_that_restarted() -> None:
    assert mapping.next_call(held("GRANTED"), seen(GONE, "c2"), SURE) == ""


@pytest.mark.parametrize(
    ("job", "stop_asked", "ok", "cancelled"),
    [
        (DONE, False, True, None),
        (DONE, True, True, None),
        (STOPPED, True, False, True),
        (STOPPED, False, False, False),
        (ABORTED, False, False, False),
        (SeenJob(JobState(5, 1)), False, True, None),
        (SeenJob(JobState(5, 1)), True, False, True),
    ],
)
def test_finished(job: SeenJob, stop_asked: bool, ok: bool, cancelled: bool | None) -> None:
    events = mapping.derive(held("RUNNING", stop_asked=stop_asked), seen(job), SURE)
    assert (events[-1]["ok"], events[-1].get("cancelled")) == (ok, cancelled)


def test_pieces_of_one_lot_are_counted_each() -> None:
    four = (Part(0, "screws", 1200, 4),)
    (event,) = mapping.derive(held("RUNNING", parts=four), seen(RUNNING), SURE)
    assert (event["cum_mg"], event["unc_mg"]) == (1200, 0)
    (event, _) = mapping.derive(held("RUNNING", parts=four), seen(DONE), SURE)
    assert event["cum_mg"] == 2400
    (event, _) = mapping.derive(
        held("RUNNING", parts=four, counted={(0, "screws"): 2400}), seen(GONE), SURE
    )
    assert (event["cum_mg"], event["unc_mg"]) == (4800, 2400)


def test_material_counts_what_is_new_only() -> None:
    already = held("RUNNING", counted={(0, "screws"): 1200})
    assert [
        e["ch"] for e in mapping.derive(already, seen(DONE), SURE) if e["ty"] == "material"
    ] == [1]


def test_weighed_material_fills_the_parts_in_turn() -> None:
    weighed = RUNNING._replace(consumed=(("screws", Amount(0, 1500)),))
    events = mapping.derive(held("RUNNING"), seen(weighed), SURE)
    assert [(e["ch"], e["cum_mg"]) for e in events] == [(0, 1200), (1, 300)]


def test_lost_job_declares_the_rest_uncertain() -> None:
    known = held("RUNNING", counted={(0, "screws"): 1200})
    events = mapping.derive(known, seen(GONE, "c2"), SURE)
    assert (events[0]["ch"], events[0]["cum_mg"], events[0]["unc_mg"]) == (1, 1200, 1200)


def test_refused_offer_says_why() -> None:
    event = mapping.derive(held("OFFERED"), seen(GONE, unfit="protective stop"), SURE)[0]
    assert event["why"] == "protective stop"
    refused = mapping.derive(held("GRANTED"), seen(GONE), Known(True, "full"))
    assert refused[0]["why"] == "full"
    assert mapping.derive(held("GRANTED"), seen(GONE), Known(False, "full")) == []


def test_words_fit_the_wire() -> None:
    line = mapping.words("é" * 200 + "\n")
    assert len(line.encode()) == 150
    assert mapping.words("a\nb") == "a b"


def unit(code: str) -> ua.EUInformation:
    return ua.EUInformation(UnitId=ua.Int32(isa95.unit_id(code)))


@pytest.mark.parametrize(
    ("code", "quantity", "expected"),
    [
        ("H87", "2", Amount(2)),
        ("GRM", "1.5", Amount(0, 1500)),
        ("KGM", "0.002", Amount(0, 2000)),
        ("MTR", "3", None),
        ("GRM", "much", None),
    ],
)
def test_consumed(code: str, quantity: str, expected: Amount | None) -> None:
    material = structs.Material(
        MaterialLotID=ua.String("screws"),
        Quantity=ua.String(quantity),
        EngineeringUnits=unit(code),
    )
    assert dict(session.consumed([material])).get("screws") == expected


def test_structures_round_trip() -> None:
    order = structs.JobOrder(
        JobOrderID=ua.String("jo-1.7"),
        Priority=ua.Int16(3),
        MaterialRequirements=[structs.Material(MaterialLotID=ua.String("p-1"))],
    )
    sent = structs.encode(order, ua.NodeId(ua.Int32(5014), ua.Int16(4)))
    back = structs.decode(structs.JobOrder, sent)
    assert back.JobOrderID == "jo-1.7"
    assert back.Priority == 3
    assert back.StartTime is None
    assert back.MaterialRequirements is not None
    assert back.MaterialRequirements[0].MaterialLotID == "p-1"


def test_bytes_that_do_not_fit_are_one_error() -> None:
    with pytest.raises(ua.UaError):
        structs.decode(structs.JobOrder, ua.ExtensionObject(ua.NodeId(), ua.ByteString(b"\x01")))
    with pytest.raises(ua.UaError):
        structs.decode(structs.JobOrder, None)
