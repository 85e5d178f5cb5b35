"""The wire is the same bytes on CPython and on real MicroPython, and the same as yesterday."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from protocols import messages
from protocols.mqtt_stream import Reader

VECTORS = Path(__file__).parents[1] / "vectors"
MICROPYTHON = Path(sys.executable).with_name("micropython")


def say(*interpreter):
    arguments = [*interpreter, str(VECTORS / "say.py"), str(VECTORS)]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_micropython_says_what_cpython_says():
    ours = say(sys.executable)
    theirs = say(str(MICROPYTHON), "-X", "heapsize=2M")
    assert len(ours) > 300
    assert theirs == ours


def test_golden_files_are_what_the_code_sends():
    done = subprocess.run(
        [sys.executable, str(VECTORS / "make.py"), "--check"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


ROWS = json.loads((VECTORS / "messages.json").read_text())


@pytest.mark.parametrize("row", ROWS, ids=[f"{r['leaf']}-{n}" for n, r in enumerate(ROWS)])
def test_golden_messages_both_ways(row):
    data = row["bytes"].encode()
    assert messages.encode(row["leaf"], row["value"]) == data
    assert messages.decode(row["leaf"], data) == row["value"]


def test_every_message_and_event_has_a_golden_one():
    said = {(r["leaf"], r["value"].get("ty", "")) for r in ROWS}
    assert {leaf for leaf, _ in said} == set(messages.MESSAGES)
    assert {ty for _, ty in said if ty} == set(messages.EVENTS)


def test_golden_packets_decode():
    reader = Reader(65536)
    for row in json.loads((VECTORS / "mqtt.json").read_text()):
        assert len(reader.feed(bytes.fromhex(row["hex"]))) == 1
