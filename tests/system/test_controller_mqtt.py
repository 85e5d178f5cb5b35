"""The controller and a scripted machine over a real broker: nothing lost, nothing doubled."""

import pytest

from controller.commands import Asker
from controller.ledger.balance import check
from controller.values import NeedRequest
from protocols.topics import machine_topic

pytestmark = pytest.mark.system
SHA = "a" * 64


def need(site_floor, key="k1"):
    request = NeedRequest(key, "north", "clamp", "clamp", 1)
    (line,) = site_floor.site.state_needs([request])
    return line.need.id


def clear(machine, site_floor, result="good"):
    """A person says the bed is clear; the machine does as it is told."""
    site_floor.site.confirm_clear(machine.name, result, None, Asker("simulated technician"))
    command = machine.until_command("clear")
    machine.event("op", who=command["who"], act="clear", id=command["id"])
    machine.send("up/rsp", {"v": 1, "id": command["id"], "ok": True, "code": "done"})
    machine.state()


def head(want):
    return {"order": want["order"], "ep": want["ep"]}


def steps(machine, site_floor):
    """The life of one order, step by step; each step may be repeated by a restart before it."""
    want = {}

    def offered():
        want.update(machine.until_want("offer"))

    def claim():
        machine.event("claim", **head(want))
        grant = machine.until_want("grant", want["ep"])
        assert grant["claim"] == {"jid": machine.journal.jid, "s": machine.events_claim}

    def start():
        machine.event("started", **head(want), sha=SHA)
        machine.state(st="busy", ready=False)

    def draw():
        machine.journal.cum += 4300
        machine.event(
            "material", ch=0, lot="spool-1", cum_mg=machine.journal.cum, unc_mg=0, src="lines",
            **head(want),
        )  # fmt: skip

    def finish():
        machine.event("finished", **head(want), ok=True, lines=9, len_um=[1000], run_ms=1000)
        machine.state(ready=False)

    def judged():
        site_floor.until(lambda tx: tx.orders.get(want["order"]).state == "SUCCEEDED")
        clear(machine, site_floor)

    machine.events_claim = machine.journal.s + 1
    return [offered, claim, start, draw, finish, judged]


def made_once(site_floor, need_id):
    """The need is delivered, one order ran, the ledger holds exactly what was drawn."""
    site_floor.until(lambda tx: tx.needs.get(need_id).state == "delivered")
    with site_floor.site.read() as tx:
        assert [o.state for o in tx.orders.all()] == ["SUCCEEDED"]
        assert tx.lots.with_balance("spool-1").mass_mg == 1_000_000 - 4300
        assert tx.lots.with_balance(f"d-{need_id}").mass_mg == 4300
        assert check(tx) == []


def test_an_order_runs_from_offer_to_delivery(site_floor, printer):
    printer.hello()
    printer.state()
    need_id = need(site_floor)
    for step in steps(printer, site_floor):
        step()
    made_once(site_floor, need_id)
    printer.until_acked()


@pytest.mark.parametrize("place", range(1, 6))
def test_a_crash_of_the_controller_between_two_steps_loses_and_doubles_nothing(
    site_floor, printer, place
):
    printer.hello()
    printer.state()
    need_id = need(site_floor)
    for number, step in enumerate(steps(printer, site_floor)):
        if number == place:
            site_floor.restart()
            printer.hello()
            printer.resend()
        step()
    made_once(site_floor, need_id)
    printer.resend()
    printer.until_acked()


def test_events_sent_while_the_controller_is_down_are_taken_afterwards(site_floor, printer):
    printer.hello()
    printer.state()
    need_id = need(site_floor)
    life = steps(printer, site_floor)
    for step in life[:2]:
        step()
    site_floor.crash()
    for step in life[2:5]:
        step()
    site_floor.reopen()
    printer.hello()
    printer.resend()
    life[5]()
    made_once(site_floor, need_id)


def test_duplicates_reordering_and_gaps_are_put_right_by_the_journal(site_floor, printer):
    printer.hello()
    printer.state()
    need_id = need(site_floor)
    want = printer.until_want("offer")
    printer.event("claim", **head(want))
    printer.until_want("grant")
    journal = printer.journal
    started = journal.event("started", **head(want), sha=SHA)
    body = {"ch": 0, "lot": "spool-1", "unc_mg": 0, "src": "lines", **head(want)}
    drawn = journal.event("material", cum_mg=4300, **body)
    ended = journal.event("finished", **head(want), ok=True, lines=9, len_um=[1], run_ms=1)
    for event in (ended, drawn, started, started, ended, drawn):
        printer.send("up/ev", event)
    printer.events += [started, drawn, ended]
    printer.until(lambda: printer.acked == started["s"] or printer.acked == drawn["s"])
    printer.resend()
    printer.until_acked()
    printer.resend()
    printer.state(ready=False)
    clear(printer, site_floor)
    made_once(site_floor, need_id)


@pytest.mark.parametrize(
    ("topic", "payload", "code"),
    [
        ("up/ev", b"{not json", "json"),
        ("up/ev", b'{"v":1,"jid":"j","s":"one","tq":"none","ty":"claim"}', "type"),
        ("up/state", b'{"v":1}', "missing"),
        ("up/state", b'{"v":1,"on":true,"bn":"b","pad":"' + b"x" * 5000 + b'"}', "size"),
        ("up/nothing", b"{}", "topic"),
        ("up/ev", b"\xff\xfe", "json"),
    ],
)
def test_a_message_that_cannot_be_read_is_buried_with_its_reason(
    site_floor, printer, topic, payload, code
):
    printer.raw(f"fab/1/floor/printer-1/{topic}", payload)
    letter = site_floor.until(lambda tx: tx.dead.page(1))[0]
    assert (letter.code, letter.topic) == (code, f"fab/1/floor/printer-1/{topic}")
    assert len(letter.payload) <= 512
    printer.hello()
    printer.state()
    site_floor.until(lambda tx: tx.machines.get("printer-1").online)


def test_an_event_whose_body_cannot_be_read_does_not_block_its_journal(site_floor, printer):
    printer.hello()
    printer.state()
    need(site_floor)
    want = printer.until_want("offer")
    bad = printer.journal.event("claim", order=want["order"])
    text = f'{{"v":1,"jid":"{bad["jid"]}","s":{bad["s"]},"tq":"none","ty":"claim","order":"o1"}}'
    printer.raw(machine_topic("floor", "printer-1", "up/ev"), text.encode())
    printer.event("claim", **head(want))
    printer.until_want("grant")
    printer.until_acked()


def test_a_machine_nobody_registered_is_buried_and_harms_nobody(site_floor, printer, mosquitto):
    printer.raw("fab/1/floor/ghost/up/ev", b'{"v":1,"jid":"j","s":1,"tq":"none","ty":"sings"}')
    letter = site_floor.until(lambda tx: tx.dead.page(1))[0]
    assert letter.code == "unknown-machine"


def test_stop_reaches_the_machine_while_the_store_hangs(site_floor, printer):
    import threading

    printer.hello()
    site_floor.until(lambda tx: tx.machines.get("printer-1").bn)
    release = threading.Event()
    entered = threading.Event()

    def hang(tx):
        entered.set()
        release.wait(20)

    thread = threading.Thread(target=lambda: site_floor.site.submit(hang))
    thread.start()
    try:
        assert entered.wait(20)
        assert site_floor.site.stop("printer-1", "simulated technician")
        command = printer.until_command("stop")
        assert command["bn"] == printer.bn
    finally:
        release.set()
        thread.join()
    site_floor.until(lambda tx: tx.commands.get(command["id"]))


def test_telemetry_is_kept_apart_with_last_values_and_rollups(site_floor, printer):
    printer.hello()
    printer.state()
    for n in range(3):
        values = {"nozzle_mc": 200_000 + n, "no_such_field": 1}
        printer.send("up/tele", {"v": 1, "bn": "b", "n": n, "t": 1000, "tq": "held", "m": values})
    reading = site_floor.until(
        lambda tx: next((r for r in tx.telemetry.last("printer-1") if r.value == 200_002), None)
    )
    assert reading.name == "nozzle_mc"
    assert site_floor.site.readings.refused == 3
    with site_floor.site.read() as tx:
        (rollup,) = tx.telemetry.rollups("printer-1", "nozzle_mc", 0)
        assert (rollup.min, rollup.max, rollup.n) == (200_000, 200_002, 3)


def test_telemetry_sent_at_qos_1_does_not_stop_the_reports_of_others(site_floor, printer):
    """The broker holds back everything once 200 messages wait to be acknowledged."""
    for n in range(1, 301):
        reading = {"v": 1, "bn": printer.bn, "n": n, "tq": "none", "m": {"nozzle_mc": 200_000 + n}}
        printer.send("up/tele", reading)
    printer.event("load", ch=0, lot="spool-1")
    printer.until_acked()
    assert site_floor.site.readings.taken >= 300
