"""Real processes around one firmware: mosquitto, a program server, a simulated machine, and a
minimal controller that offers, grants and acknowledges. Nothing here decides more than it must.
"""

import atexit
import contextlib
import functools
import hashlib
import http.server
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import paho.mqtt.client as paho

from controller.adapters.broker import free_port
from fabcommons.image import build
from protocols.messages import decode, encode
from protocols.topics import machine_topic, parse_topic, up_filter
from support.waiting import until

ROOT = Path(__file__).parents[2]
MICROPYTHON = str(Path(sys.executable).with_name("micropython"))


@contextlib.contextmanager
def process(arguments, **options):
    running = subprocess.Popen(arguments, **{"cwd": ROOT, **options})
    try:
        yield running
    finally:
        if running.poll() is None:
            running.terminate()
            try:
                running.wait(5)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()


@contextlib.contextmanager
def mosquitto(folder, port=None):
    port = port or free_port()
    settings = folder / "mosquitto.conf"
    settings.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\nlog_type none\n"
    )
    with process(["mosquitto", "-c", str(settings)]):
        until(lambda: _answers(port), what="mosquitto")
        yield port


def _answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


class _Ranges(http.server.BaseHTTPRequestHandler):
    """Serves one folder by ranges."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        path = Path(self.server.folder) / self.path.lstrip("/")
        if not path.is_file():
            self.send_error(404)
            return
        data = path.read_bytes()
        first, last = self.headers["Range"][6:].split("-")
        part = data[int(first) : int(last) + 1]
        self.server.requests.append((int(first), int(last)))
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def program_server(folder):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Ranges)
    server.folder = folder
    server.requests = []
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


class Controller:
    """Offers orders to one machine, grants what it claims, acknowledges what it says."""

    def __init__(self, port, site="test", machine="m1"):
        self.site, self.machine = site, machine
        self.events = {}  # jid -> {s: event}
        self.order_of = []  # (ty, event) as first heard
        self.state = {}
        self.hellos = []
        self.answers = []
        self.telemetry = []
        self.grant = True
        self._rev = 0
        self._offer = None
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="controller")
        self._client.on_message = self._on_message
        self._client.on_connect = self._on_connect
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, *_):
        self._client.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client.subscribe(up_filter(self.site), 1)

    def _send(self, leaf, message, retain=False):
        topic = machine_topic(self.site, self.machine, leaf)
        self._client.publish(topic, encode(leaf, message), 1, retain)

    def want(self, ph, **body):
        self._rev += 1
        self._send("dn/want", {"v": 1, "term": 1, "rev": self._rev, "ph": ph, **body}, retain=True)

    def offer(self, ep, program, lots=(), label="test part"):
        self._offer = {"order": f"o-{ep}", "ep": ep, "prog": program, "lots": list(lots)}
        self._offer["label"] = label
        self.last = self._offer
        self.want("offer", **self._offer)

    def command(self, do, **body):
        message = {"v": 1, "term": 1, "id": f"c-{time.monotonic_ns()}", "bn": self.state["bn"]}
        message.update({"do": do, "ttl_ms": 60000, "who": "simulated technician", **body})
        self._send("dn/cmd", message)

    def tell_time(self, rate):
        self._send("dn/time", {"v": 1, "t": int(time.time() * 1000), "rate": rate})

    def _on_message(self, _client, _data, message):
        leaf = parse_topic(message.topic)[2]
        value = decode(leaf, message.payload)
        {
            "up/state": self._on_state,
            "up/hello": self.hellos.append,
            "up/ev": self._on_event,
            "up/rsp": self.answers.append,
            "up/tele": self.telemetry.append,
        }[leaf](value)

    def _on_state(self, value):
        self.state = value

    def _on_event(self, event):
        held = self.events.setdefault(event["jid"], {})
        if event["s"] in held:
            assert held[event["s"]] == event, "a number was used twice"
            return
        held[event["s"]] = event
        self.order_of.append(event)
        s = 0
        while s + 1 in held:
            s += 1
        self._send("dn/ack", {"v": 1, "term": 1, "jid": event["jid"], "s": s})
        if event["ty"] == "claim" and self.grant and self._offer:
            claim = {"jid": event["jid"], "s": event["s"]}
            self.want("grant", claim=claim, **self._offer)

    def heard(self, ty):
        return [event for event in self.order_of if event["ty"] == ty]


@functools.cache
def _image(dialect):
    """Folder with the bytecode image of a dialect, for MicroPython on a PC."""
    folder = Path(tempfile.mkdtemp(prefix=f"image-{dialect}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    build(dialect, "unix").write(folder)
    return folder


class Floor:
    """One machine's firmware between a broker, a program server and a simulated machine."""

    def __init__(self, folder, broker_port, server, interpreter):
        self.folder = folder
        self.server = server
        self.interpreter = interpreter
        self.broker_port = broker_port
        self.link = folder / "machine"
        self.truth = folder / "truth.json"

    def program(self, text, name="part.gcode", kind="marlin"):
        data = text.encode() if isinstance(text, str) else text
        (Path(self.server.folder) / name).write_bytes(data)
        return {
            "url": f"http://127.0.0.1:{self.server.server_address[1]}/{name}",
            "sha": hashlib.sha256(data).hexdigest(),
            "size": len(data),
            "kind": kind,
        }

    def simulator(self, kind="printer", scale=60, faults=""):
        arguments = [sys.executable, "-m", "simulators", kind, "--link", str(self.link)]
        arguments += ["--time-scale", str(scale), "--truth", str(self.truth)]
        if faults:
            arguments += ["--faults", faults]
        return process(arguments)

    def firmware(self, dialect="marlin", heap="512k", **extra):  # it compiles its sources
        config = {
            "site": "test",
            "machine": "m1",
            "broker": {"host": "127.0.0.1", "port": self.broker_port},
            "serial": {"port": str(self.link), "baud": 250000},
            "dialect": dialect,
            "flash": str(self.folder / "flash"),
            "heartbeat_s": 5,
            **extra,
        }
        path = self.folder / "config.json"
        path.write_text(json.dumps(config))
        if self.interpreter == "micropython":
            arguments = [
                MICROPYTHON,
                "-X",
                f"heapsize={heap}",
                *([os.environ["FW_SPY"]] if "FW_SPY" in os.environ else ["-m", "firmware"]),
                str(path),
            ]
        elif self.interpreter == "image":
            folder = _image(dialect)
            environment = {**os.environ, "MICROPYPATH": f"{folder}:.frozen"}
            arguments = [MICROPYTHON, "-X", f"heapsize={heap}", "-m", "firmware", str(path)]
            return process(arguments, env=environment, cwd=folder)
        else:
            arguments = [sys.executable, "-m", "firmware", str(path)]
        environment = {**os.environ, "MICROPYPATH": f"{ROOT}:.frozen"}
        return process(arguments, env=environment)

    def physical(self):
        return json.loads(self.truth.read_text()) if self.truth.exists() else {}
