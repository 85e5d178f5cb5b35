"""A running floor, used from the command line, and everything wrong that can be sent to it."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest

from controller.adapters.broker import Amqtt, free_port
from protocols.messages import encode
from protocols.topics import machine_topic
from support.waiting import until

pytestmark = pytest.mark.system


class Running:
    """A demo floor of one printer that goes on until it is told to stop."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.broker = Amqtt("127.0.0.1", free_port())
        self.url = f"http://127.0.0.1:{free_port()}"
        command = [sys.executable, "-m", "fabcommons", "demo", "--needs", "1"]
        command += ["--printers", "1", "--mills", "0", "--cells", "0", "--folder", str(folder)]
        command += ["--broker", f"127.0.0.1:{self.broker.port}", "--http", self.url[7:]]
        self._log = (folder / "demo.log").open("w")
        self._process = subprocess.Popen(command, stdout=self._log, stderr=self._log)
        until(self._answers, 60)

    def _answers(self) -> bool:
        assert self._process.poll() is None, "the demo ended by itself"
        try:
            return bool(self.floor()["needs"])  # stated last of all
        except OSError:
            return False

    def floor(self) -> dict[str, Any]:
        """The floor as pages see it."""
        with urllib.request.urlopen(f"{self.url}/api/floor", timeout=60) as answer:
            return json.load(answer)["floor"]

    def command(self, *words: str) -> tuple[int, str, str]:
        """Run a command against this floor: exit code, output, errors."""
        command = [sys.executable, "-m", "fabcommons", *words, "--url", self.url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout, done.stderr

    def send(self, topic: str, payload: bytes) -> None:
        """Publish bytes as anybody on the broker could."""
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "anybody", protocol=mqtt.MQTTv311)
        client.connect(self.broker.host, self.broker.port)
        client.loop_start()
        client.publish(topic, payload, 1).wait_for_publish(10)
        until(lambda: self.floor()["counters"]["dead_letters"] > 0, 20)
        client.disconnect()
        client.loop_stop()

    def close(self) -> None:
        """End the demo and the broker; the demo must leave no process behind."""
        self._process.terminate()
        assert self._process.wait(30) == 130
        left = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
        assert not [line for line in left if str(self._folder).encode() in line]
        self._log.close()
        self.broker.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    made = Running(tmp_path_factory.mktemp("floor"))
    yield made
    made.close()


def test_a_need_is_stated_listed_and_followed(running: Running) -> None:
    words = ("need", "add", "--community", "north", "--design", "cable-clip", "--by", "a member")
    code, out, err = running.command(*words, "--key", "cli-1", "--json")
    assert code == 0, err
    need = json.loads(out)["lines"][0]["need"]
    again = json.loads(running.command(*words, "--key", "cli-1", "--json")[1])
    assert again["lines"][0]["need"] == need
    code, out, _ = running.command("need", "list")
    assert code == 0
    assert need in out
    code, out, _ = running.command("need", "show", need)
    assert code == 0
    assert "cable-clip for North Workshop" in out
    assert "print" in out


def test_machines_and_ledger_are_printed_for_people_and_programs(running: Running) -> None:
    code, out, _ = running.command("machine", "list", "--json")
    assert code == 0
    assert json.loads(out)["printer-1"]["kind"] == "printer"
    assert "bench-1" in running.command("machine", "list")[1]
    code, out, _ = running.command("ledger", "--lots")
    assert code == 0
    assert "spool-1" in out
    assert "raise" in running.command("ledger")[1]
    assert running.command("doctor", "--broker", f"127.0.0.1:{running.broker.port}")[0] == 0


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--community", "mars", "--design", "cable-clip"), 2, "community"),
        (("--community", "north", "--design", "perpetuum"), 2, "design"),
        (("--community", "north", "--design", "cable-clip", "--quantity", "0"), 2, "quantity"),
        (("--community", "north", "--design", "cable-clip", "--due", "soon"), 2, "--due 'soon'"),
        (("--community", "north"), 2, "--design"),
    ],
)
def test_a_wrong_need_names_the_field(
    running: Running, words: tuple[str, ...], code: int, said: str
) -> None:
    found = running.command("need", "add", *words)
    assert found[0] == code
    assert said in found[2]


def test_an_impossible_capability_is_refused_in_words(running: Running) -> None:
    """This floor has no mill: the need is refused with what each machine lacks."""
    words = ("--community", "north", "--design", "clamp-plate", "--key", "no-mill", "--json")
    need = json.loads(running.command("need", "add", *words)[1])["lines"][0]["need"]
    until(lambda: running.floor()["needs"][need]["state"] == "refused", 30)
    assert "no machine here can do mill" in running.floor()["needs"][need]["reason"]


def unknown_type() -> bytes:
    """An event of a type no controller knows, from a machine that is not there."""
    return encode("up/ev", {"v": 1, "jid": "j", "s": 1, "tq": "none", "ty": "dance"})


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        (machine_topic("demo", "printer-1", "up/ev"), lambda: b"{not json"),
        (machine_topic("demo", "printer-1", "up/ev"), lambda: b'{"v":1,"jid":"j","s":"one"}'),
        (machine_topic("demo", "printer-1", "up/state"), lambda: b'{"v":1}' + b" " * 5000),
        (machine_topic("demo", "nobody", "up/ev"), unknown_type),
        ("fab/1/demo/printer-1/up/song", lambda: b"{}"),
        (machine_topic("demo", "printer-1", "up/hello"), lambda: bytes(range(256))),
    ],
)
def test_bad_messages_are_counted_shown_and_stop_nothing(
    running: Running, topic: str, payload: Callable[[], bytes]
) -> None:
    before = running.floor()["counters"]["dead_letters"]
    running.send(topic, payload())
    until(lambda: running.floor()["counters"]["dead_letters"] == before + 1, 20)
    newest = max(running.floor()["refused"].items(), key=lambda item: int(item[0]))[1]
    assert newest["topic"] == topic
    assert newest["reason"]
    assert running.floor()["machines"]["printer-1"]["state"] != "maintenance"


def test_requests_that_are_no_requests(running: Running) -> None:
    for body in (b"{", b"[]", b'{"needs":[]}', b"x" * 2_000_000):
        request = urllib.request.Request(
            f"{running.url}/api/needs",
            data=body,
            headers={"Content-Type": "application/json", "X-Fabcommons": "1"},
        )
        with pytest.raises((urllib.error.HTTPError, ConnectionError)) as caught:
            urllib.request.urlopen(request, timeout=60)
        if isinstance(caught.value, urllib.error.HTTPError):
            assert 400 <= caught.value.code < 500
