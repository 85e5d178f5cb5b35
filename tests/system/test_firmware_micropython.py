"""The firmware as a real process, on MicroPython and on CPython, between a broker and a machine."""

import signal

import pytest

from controller.adapters.broker import free_port
from support import bench_floor
from support.bench_floor import Controller, Floor
from support.waiting import until

pytestmark = pytest.mark.system

LOT = {"ch": 0, "lot": "lot-a", "ug_per_m": 2982000}
PLATE = {"ch": 0, "lot": "plate-a", "piece_mg": 21000}


def print_program(moves):
    lines = [f"G1 X{10 + i % 50} Y{10 + i % 30} E{i * 0.05:.5f} F3000" for i in range(1, moves + 1)]
    return "\n".join(["M82", "M109 S200", "G28", "G92 E0", *lines, "M104 S0", ""])


def mill_program(moves):
    lines = [f"G1 X{10 + i % 50} Y{10 + i % 30} Z-1 F3000" for i in range(moves)]
    return "\n".join(["G21 G90", "M3 S10000", "G0 Z5", *lines, "G0 Z5", "M5", "M2", ""])


@pytest.fixture(params=["micropython", "python"])
def floor(request, tmp_path):
    (tmp_path / "www").mkdir()
    with (
        bench_floor.mosquitto(tmp_path) as port,
        bench_floor.program_server(tmp_path / "www") as server,
    ):
        yield Floor(tmp_path, port, server, request.param)


@pytest.fixture
def controller(floor):
    made = Controller(floor.broker_port)
    yield made
    made.close()


def make_ready(controller):
    until(lambda: controller.state.get("st") == "idle", what="an idle machine")
    controller.tell_time(60)
    controller.command("clear")
    until(lambda: controller.state.get("ready"), what="a ready machine")


def one_numbering(controller):
    """Every journal's events are numbered without a gap."""
    for held in controller.events.values():
        assert sorted(held) == list(range(1, len(held) + 1))


def test_an_order_runs_once_and_every_gram_is_told(floor, controller):
    program = floor.program(print_program(300))
    with floor.simulator(), floor.firmware():
        until(floor.link.exists, what="the printer")
        make_ready(controller)
        controller.offer(1, program, [LOT])
        until(lambda: controller.heard("finished"), 60, "the end of the order")
        until(lambda: floor.physical().get("extruded_nm_by_tool") == [15000000], 10, "truth")
    finished = controller.heard("finished")[0]
    assert (finished["ok"], finished["len_um"], finished["lines"]) == (True, [15000], 305)
    assert controller.heard("material")[-1]["cum_mg"] == 15000 * 2982000 // 10**9
    assert [e["ty"] for e in controller.order_of if "ep" in e and e["ty"] != "material"] == [
        "claim",
        "started",
        "finished",
    ]
    assert [p["label"] for p in floor.physical()["programs"]] == ["test part"]
    one_numbering(controller)


def test_a_killed_firmware_reports_interrupted_and_never_starts_again(floor, controller):
    program = floor.program(print_program(60_000))
    with floor.simulator():
        until(floor.link.exists, what="the printer")
        with floor.firmware() as firmware:
            make_ready(controller)
            controller.offer(1, program, [LOT])
            until(lambda: floor.physical().get("moves", 0) > 200, 60, "printing")
            firmware.send_signal(signal.SIGKILL)
            firmware.wait()
        nonce = controller.state["bn"]
        with floor.firmware():
            until(lambda: controller.heard("interrupted"), 30, "interrupted")
            until(lambda: controller.state["bn"] != nonce and controller.state["on"])
            controller.want(
                "grant", claim={"jid": controller.state["jid"], "s": 2}, **controller.last
            )
            controller.command("clear")
            until(lambda: controller.state["ready"], what="ready again")
            drawn = floor.physical()["extruded_nm_by_tool"][0] // 1000 * 2982000 // 10**9
            material = controller.heard("material")[-1]
            controller.offer(2, floor.program(print_program(20), "two.gcode"), [LOT], "second")
            until(lambda: controller.heard("finished"), 60, "the second order")
    # the simulator writes down its truth when it ends
    assert [p["label"] for p in floor.physical()["programs"]] == ["test part", "second"]
    assert [e["ep"] for e in controller.heard("started")] == [1, 2]
    assert material["cum_mg"] - material["unc_mg"] <= drawn <= material["cum_mg"]
    one_numbering(controller)


def test_a_serial_line_pulled_in_mid_order_is_taken_up_again(floor, controller):
    """The pseudo-terminal vanishes with its printer; another comes under the same link."""
    with floor.firmware():
        with floor.simulator():
            until(floor.link.exists, what="the printer")
            make_ready(controller)
            controller.offer(1, floor.program(print_program(60_000)), [LOT])
            until(lambda: floor.physical().get("moves", 0) > 200, 60, "printing")
        until(lambda: controller.heard("interrupted"), 60, "interrupted")
        until(lambda: controller.state["st"] == "off", what="a machine that is off")
        drawn = floor.physical()["extruded_nm_by_tool"][0] // 1000 * 2982000 // 10**9
        material = controller.heard("material")[-1]
        assert not controller.state["ready"] and "serial line" in controller.state["need"]
        with floor.simulator():
            until(lambda: controller.state["st"] == "idle", 60, "the machine again")
            assert floor.physical().get("programs", []) == []  # nothing was sent but questions
            make_ready(controller)
            controller.offer(2, floor.program(print_program(20), "two.gcode"), [LOT], "second")
            until(lambda: controller.heard("finished"), 60, "the second order")
    assert "serial line is gone" in controller.heard("interrupted")[0]["why"]
    assert [e["ep"] for e in controller.heard("started")] == [1, 2]
    assert material["cum_mg"] - material["unc_mg"] <= drawn <= material["cum_mg"]
    one_numbering(controller)


# the memory gate does the same with an image of the other dialect
@pytest.mark.parametrize("floor", ["micropython", "python", "image"], indirect=True)
def test_a_mill_order_runs_once(floor, controller):
    program = floor.program(mill_program(100), "plate.nc", "grbl")
    with floor.simulator("mill"), floor.firmware("grbl"):
        until(floor.link.exists, what="the mill")
        make_ready(controller)
        controller.offer(1, program, [PLATE])
        until(lambda: controller.heard("finished"), 60, "the end of the order")
        until(lambda: floor.physical().get("programs_ended") == 1, 10, "truth")
    finished = controller.heard("finished")[0]
    assert (finished["ok"], finished["lines"]) == (True, 106)
    assert controller.heard("material")[-1]["cum_mg"] == 21000
    assert floor.physical()["spindle_starts"] == 1


def test_people_pause_resume_and_cancel(floor, controller):
    program = floor.program(print_program(4000))
    with floor.simulator(), floor.firmware():
        until(floor.link.exists, what="the printer")
        make_ready(controller)
        controller.offer(1, program, [LOT])
        until(lambda: floor.physical().get("moves", 0) > 100, 60, "printing")
        controller.command("pause")
        until(lambda: controller.state["st"] == "paused", what="pause")
        controller.command("resume")
        until(lambda: controller.state["st"] == "busy", what="resume")
        controller.command("cancel")
        until(lambda: controller.heard("finished"), 30, "the end")
    finished = controller.heard("finished")[0]
    assert (finished["ok"], finished["cancelled"]) == (False, True)
    kinds = [e["ty"] for e in controller.order_of if e["ty"] not in ("material", "op")]
    assert kinds == ["claim", "started", "paused", "resumed", "finished"]


def test_a_program_that_must_not_run_is_declined_in_words(floor, controller):
    with floor.simulator(), floor.firmware():
        until(floor.link.exists, what="the printer")
        make_ready(controller)
        controller.offer(1, floor.program("G28\nM500\n"), [LOT])
        until(lambda: controller.heard("declined"), what="declined")
        bad = {**floor.program("G28\n"), "sha": "0" * 64}
        controller.offer(2, bad, [LOT])
        until(lambda: len(controller.heard("declined")) == 2, what="declined again")
    first, second = controller.heard("declined")
    assert first["why"].startswith("line 2 M500 ")
    assert second["why"].endswith(" does not match its hash")


def test_a_broker_that_restarts_loses_nothing(tmp_path):
    (tmp_path / "www").mkdir()
    with bench_floor.program_server(tmp_path / "www") as server:
        port = free_port()
        floor = Floor(tmp_path, port, server, "micropython")
        controller = None
        with floor.simulator(), floor.firmware():
            with bench_floor.mosquitto(tmp_path, port):
                controller = Controller(port)
                until(floor.link.exists, what="the printer")
                make_ready(controller)
                controller.offer(1, floor.program(print_program(1500)), [LOT])
                until(lambda: controller.heard("started"), 60, "start")
            until(lambda: floor.physical().get("moves", 0) > 1000, 60, "printing alone")
            with bench_floor.mosquitto(tmp_path, port):
                until(lambda: controller.heard("finished"), 60, "the end")
                controller.close()
    assert controller.heard("finished")[0]["ok"]
    one_numbering(controller)
