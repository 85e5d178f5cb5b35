"""What the last release said is understood by this one: recorded messages, one file a release.

``tests/vectors/released/VERSION.json`` is ``messages.json`` as it stood then and never changes. A
machine is updated before or after its controller, so each side hears the other's older version.
"""

import json
from pathlib import Path

import pytest

from protocols.errors import WireError
from protocols.messages import EVENTS, MESSAGES, decode, encode

RELEASES = sorted((Path(__file__).parents[1] / "vectors" / "released").glob("*.json"))


def recorded(path):
    return [
        (row["leaf"], row["value"], row["bytes"].encode()) for row in json.loads(path.read_text())
    ]


@pytest.mark.parametrize("path", RELEASES, ids=lambda path: path.stem)
def test_every_message_of_an_earlier_release_is_understood(path):
    rows = recorded(path)
    assert {leaf.split("/")[0] for leaf, _, _ in rows} >= {"up", "dn"}
    for leaf, value, data in rows:
        assert decode(leaf, data) == value


@pytest.mark.parametrize("path", RELEASES, ids=lambda path: path.stem)
def test_no_message_event_or_field_of_an_earlier_release_was_taken_away(path):
    for leaf, value, _ in recorded(path):
        assert leaf in MESSAGES
        assert value.get("ty", "claim") in EVENTS
        assert json.loads(encode(leaf, value)) == value


def test_there_is_a_recording():
    assert RELEASES


def test_a_field_that_became_required_would_be_found():
    leaf, value, _ = next(r for r in recorded(RELEASES[-1]) if r[0] == "dn/ack")
    with pytest.raises(WireError):
        decode(leaf, json.dumps({k: v for k, v in value.items() if k != "jid"}).encode())
