"""The whole firmware from bytecode on 32-bit MicroPython, between a broker and a printer.

Runs an order of so many lines and so many events of people, in a heap of a fixed size, and tells
how much of it was free at worst, right after garbage was collected.
"""

import contextlib
import functools
import json
import os
import subprocess

from fabcommons.image import build
from support import bench_floor
from support.bench_floor import ROOT, Controller, Floor
from support.waiting import until

INTERPRETER = str(ROOT / "scripts" / "micropython32")
LOT = {"ch": 0, "lot": "lot-a", "ug_per_m": 2982000}
PATIENCE_S = int(os.environ.get("GATE_PATIENCE_S", "240"))
# heap by the way the bytecode is held: run in place from a ROMFS, or copied into the heap
GATES = {"in place": 70 * 1024, "copied": 115 * 1024}
FREE_B = 16 * 1024  # at worst
GROWTH_B = 2048  # two looks differ by less; a byte lost a line is 3,000 B in the short run
WARM_N = 400  # lines until everything that an order needs is loaded
LOOKS_N = 3  # garbage of the moment differs from look to look: the least of a few counts
# real time 2.5 s each: longer than telemetry takes, so that there are looks however quick lines run
DWELLS = ["G4 S500"] * LOOKS_N
SCALE = 200


def missing():
    """Why the 32-bit interpreter, fetched when it can be, does not run here; "" when it does."""
    try:
        done = subprocess.run(
            [INTERPRETER, "-c", "print(1)"], check=False, capture_output=True, timeout=300
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"scripts/micropython32: {error}"
    if done.stdout == b"1\n":
        return ""
    return f"scripts/micropython32: {done.stderr.decode(errors='replace').strip()}"


@functools.cache
def _image():
    return build("marlin", "unix")


class GateFloor(Floor):
    """A floor whose firmware is an image on the 32-bit interpreter."""

    def __init__(self, folder, broker_port, server, in_place):
        super().__init__(folder, broker_port, server, "micropython")
        self.in_place = in_place
        image = _image()
        if in_place:
            (folder / "image.romfs").write_bytes(image.rom())
        else:
            image.write(folder / "image")

    def start(self, heap_bytes, **extra):
        config = {
            "site": "test",
            "machine": "m1",
            "broker": {"host": "127.0.0.1", "port": self.broker_port},
            "serial": {"port": str(self.link), "baud": 250000},
            "dialect": "marlin",
            "flash": str(self.folder / "flash"),
            "heartbeat_s": 5,
            **extra,
        }
        path = self.folder / "config.json"
        path.write_text(json.dumps(config))
        command = [INTERPRETER, "-X", f"heapsize={heap_bytes}"]
        if self.in_place:
            command += ["tests/support/rom_start.py", str(self.folder / "image.romfs")]
        else:
            command += ["-m", "firmware"]
        paths = "" if self.in_place else f"{self.folder / 'image'}:"
        log = (self.folder / "log.txt").open("ab")
        return bench_floor.process(
            [*command, str(path)],
            env={**os.environ, "MICROPYPATH": f"{paths}.frozen"},
            stdout=log,
            stderr=log,
            cwd=ROOT if self.in_place else self.folder / "image",
        )

    def log(self):
        return (self.folder / "log.txt").read_text()


def program_text(lines):
    """A print of so many lines with extrusion on each move; it dwells near both ends."""
    head, tail = ["M82", "M109 S200", "G28", "G92 E0"], [*DWELLS, "M104 S0"]
    count = lines - len(head) - len(DWELLS) - len(tail)
    moves = [f"G1 X{i % 50} Y{i % 30} E{i * 0.01:.5f} F30000" for i in range(1, count + 1)]
    return "\n".join([*head, *moves[: WARM_N * 2], *DWELLS, *moves[WARM_N * 2 :], *tail, ""])


def free_b(telemetry, warm_n=0):
    """Free bytes after each collection told of, of orders that run only past so many lines."""
    told = [message["m"] for message in telemetry if "heap_free_b" in message["m"]]
    if warm_n:
        told = [m for m in told if "done_ppm" in m and m.get("lines_n", 0) >= warm_n]
    return [m["heap_free_b"] for m in told]


def check(found, way):
    """Assert what the gate asks for: room at worst, and no growth while lines run."""
    assert found["least_b"] >= FREE_B, f"{way}: {found}"
    assert found["looks"] >= 2 * LOOKS_N, f"{way}: {found}"
    assert found["lines_b"] >= found["first_b"] - GROWTH_B, f"{way}: {found}"


def run(folder, lines, events, way, heap_bytes=None):
    """Run; returns free bytes: at worst, when the first and the last lines ran, after events."""
    (folder / "www").mkdir()
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(bench_floor.mosquitto(folder))
        server = stack.enter_context(bench_floor.program_server(folder / "www"))
        floor = GateFloor(folder, port, server, way == "in place")
        controller = Controller(port)
        stack.callback(controller.close)
        stack.enter_context(floor.simulator(scale=SCALE))
        running = stack.enter_context(floor.start(heap_bytes or GATES[way]))

        def wait(condition, what):
            def ended_or():
                assert running.poll() is None, f"firmware ended: {floor.log()[-2000:]}"
                return condition()

            until(ended_or, PATIENCE_S, what)

        wait(lambda: controller.state.get("st") == "idle", "an idle machine")
        controller.tell_time(1)
        controller.command("clear")
        wait(lambda: controller.state.get("ready"), "a ready machine")
        controller.offer(1, floor.program(program_text(lines)), [LOT])
        wait(lambda: controller.heard("started"), "the start of the order")
        wait(lambda: controller.heard("finished"), "the end of the order")
        assert controller.heard("finished")[0]["ok"], controller.heard("finished")
        assert controller.heard("finished")[0]["lines"] == lines
        _make_events(controller, events, wait)
        told = len(controller.telemetry)
        wait(lambda: len(controller.telemetry) > told, "telemetry")
    least = [m["m"]["heap_least_b"] for m in controller.telemetry if "heap_least_b" in m["m"]]
    busy = free_b(controller.telemetry, WARM_N)
    return {
        "least_b": min(least),
        "looks": len(busy),
        "first_b": min(busy[:LOOKS_N], default=0),
        "lines_b": min(busy[-LOOKS_N:], default=0),
        "events_b": free_b(controller.telemetry)[-1],
        "events": len(controller.order_of),
    }


def _make_events(controller, events, wait):
    """Spools put on and taken off, a window of commands at a time: two events each."""
    start = len(controller.order_of)
    asked = 0
    while asked * 2 < events:
        for _ in range(8):
            controller.command("unload" if asked % 2 else "load", ch=0, lot="lot-b")
            asked += 1
        wanted = start + asked * 2
        wait(lambda n=wanted: len(controller.order_of) >= n, f"{wanted} events")
