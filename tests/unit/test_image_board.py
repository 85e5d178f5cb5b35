"""The image of a board: how large it is, and that it runs beside stubs of the board."""

import json
import os
import socket

import pytest

from controller.adapters.releases import make_key
from fabcommons.image import ANY, DIALECTS, build
from support import bench_floor

LIMITS_KIB = {"marlin": 65, "grbl": 73, ANY: 85}
WORDS = {
    "marlin": b"cold extrusion prevented",
    "grbl": b"machine waits: ",
}  # a text of each dialect


@pytest.fixture(scope="module", params=(*DIALECTS, ANY))
def built(request):
    return request.param, build(request.param)


def test_an_image_holds_its_dialects_and_stays_small(built):
    dialect, image = built
    drivers = [name for name in image.files if "drivers/" in name and "console" not in name]
    whole = image.files["firmware/whole.mpy"]
    joined = [name for name, word in WORDS.items() if word in whole]
    apart = [name for name, word in WORDS.items() if any(word in image.files[d] for d in drivers)]
    assert (joined, apart) == (([], list(DIALECTS)) if dialect == ANY else ([dialect], []))
    assert bool(drivers) == (dialect == ANY)  # else all is joined
    assert image.size_bytes <= LIMITS_KIB[dialect] * 1024
    assert image.rom().startswith(b"\xd2\xcd\x31") and len(image.rom()) % 2 == 0


MACHINE = """
import socket
PWRON_RESET = 1
def reset_cause():
    return 1
def reset():
    raise SystemExit(64)
class WDT:
    def __init__(self, timeout):
        pass
    def feed(self):
        pass
class Pin:
    IN = PULL_UP = 0
    def __init__(self, *_):
        pass
def UART(number, baudrate, **_):
    line = socket.socket()
    line.connect(socket.getaddrinfo("127.0.0.1", baudrate)[0][-1])
    line.setblocking(False)
    return line
"""
NETWORK = """
STA_IF = 0
class WLAN:
    def __init__(self, kind):
        pass
    def isconnected(self):
        return True
"""
START = """
import sys
sys.path[:0] = ["ROOT/a", "ROOT"]
import firmware.main as entry
class sys:
    platform = "esp32"
entry.sys = sys
entry.main()
"""


def listener():
    sock = socket.create_server(("127.0.0.1", 0))
    sock.settimeout(90)
    return sock


def test_the_image_of_a_board_runs_and_talks_to_machine_and_broker(tmp_path, built):
    dialect, image = built
    for machine in DIALECTS if dialect == ANY else [dialect]:
        (tmp_path / machine).mkdir()
        runs(tmp_path / machine, image, machine)


def runs(tmp_path, image, dialect):
    image.write(tmp_path / "a")
    (tmp_path / "machine.py").write_text(MACHINE)
    (tmp_path / "network.py").write_text(NETWORK)
    with listener() as machine, listener() as broker:
        config = {
            "site": "test",
            "machine": "m1",
            "broker": {"host": "127.0.0.1", "port": broker.getsockname()[1]},
            "serial": {"port": "uart", "baud": machine.getsockname()[1]},
            "dialect": dialect,
            "flash": str(tmp_path / "flash"),
            "wifi": {"ssid": "shop", "password": "12345678"},
            "pins": "esp32",
            "prompt": True,
            "update": {"root": str(tmp_path), "key": make_key(tmp_path / "key.pem")},
        }
        (tmp_path / "config.json").write_text(json.dumps(config))
        start = START.replace("ROOT", str(tmp_path))
        command = [bench_floor.MICROPYTHON, "-X", "heapsize=512k", "-c", start]
        environment = {**os.environ, "MICROPYPATH": ".frozen"}
        with bench_floor.process(command, cwd=tmp_path, env=environment):
            line, link_ = machine.accept()[0], broker.accept()[0]
            with line, link_:
                line.settimeout(90)
                link_.settimeout(90)
                assert line.recv(1)
                assert link_.recv(1) == b"\x10"  # CONNECT
