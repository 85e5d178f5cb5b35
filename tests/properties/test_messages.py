"""Any record that fits its table survives the wire; any bytes become a record or one WireError."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols import messages, topics
from protocols.errors import WireError
from support.records import of_leaf

LEAVES = sorted(messages.MESSAGES)


@pytest.mark.parametrize("leaf", LEAVES)
@given(draw=st.data())
def test_what_is_sent_is_received(leaf: str, draw: st.DataObject) -> None:
    value = draw.draw(of_leaf(leaf))
    data = messages.encode(leaf, value)
    assert messages.decode(leaf, data) == value
    assert messages.encode(leaf, messages.decode(leaf, data)) == data


@pytest.mark.parametrize("leaf", LEAVES)
@given(data=st.binary(max_size=5000))
def test_any_bytes_become_a_record_or_one_error(leaf: str, data: bytes) -> None:
    try:
        value = messages.decode(leaf, data)
    except WireError as error:
        assert error.message
        return
    assert value["v"] == 1


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("leaf", LEAVES)
@given(draw=st.data(), junk=_JSON)
def test_a_spoiled_field_is_named(leaf: str, draw: st.DataObject, junk: Any) -> None:
    value = draw.draw(of_leaf(leaf))
    name = draw.draw(st.sampled_from(sorted(value)))
    spoiled = {**value, name: junk}
    try:
        kept = messages.decode(leaf, json.dumps(spoiled).encode())
    except WireError as error:
        assert error.code in ("size", "json") or error.field.split("[")[0].split(".")[0] == name
        return
    assert name not in kept or kept[name] == junk or junk is None


def test_an_event_of_unknown_type_keeps_its_head() -> None:
    data = b'{"v":1,"jid":"j","s":4,"tq":"none","ty":"later","news":1}'
    assert messages.decode("up/ev", data) == {
        "v": 1,
        "jid": "j",
        "s": 4,
        "tq": "none",
        "ty": "later",
    }


@pytest.mark.parametrize(
    ("data", "code", "field"),
    [
        (b"{", "json", ""),
        (b"[1]", "json", ""),
        (b"\xff\xfe", "json", ""),
        (b"[" * 4000, "json", ""),
        (b'{"v":1}' + b" " * 5000, "size", ""),
        (b"{}", "missing", "v"),
        (b'{"v":2}', "range", "v"),
        (b'{"v":true}', "type", "v"),
        (b'{"v":1,"jid":"UPPER"}', "type", "jid"),
        (b'{"v":1,"jid":"j","s":1.5}', "type", "s"),
        (b'{"v":1,"jid":"j","s":1,"tq":"none","ty":["x"]}', "type", "ty"),
        (b'{"v":1,"jid":"j","s":1,"tq":"none","ty":"claim","order":"o"}', "missing", "ep"),
    ],
)
def test_bad_bytes_name_the_field(data: bytes, code: str, field: str) -> None:
    with pytest.raises(WireError) as caught:
        messages.decode("up/ev", data)
    assert (caught.value.code, caught.value.field) == (code, field)


@given(st.text(max_size=80))
def test_any_topic_is_known_or_refused(topic: str) -> None:
    try:
        site, machine, leaf = topics.parse_topic(topic)
    except WireError as error:
        assert error.code == "topic"
        return
    again = topics.machine_topic(site, machine, leaf) if machine else topics.controller_topic(site)
    assert again == topic


@pytest.mark.parametrize("leaf", sorted(topics.LEAVES))
def test_topics_and_messages_name_the_same_leaves(leaf: str) -> None:
    assert topics.parse_topic(topics.machine_topic("s", "m-1", leaf)) == ("s", "m-1", leaf)
    assert leaf in messages.MESSAGES


@pytest.mark.parametrize("bad", ["", "A", "a/b", "a+", "#", "-a", "a" * 33, "ä"])
def test_ids_that_could_change_a_topic_are_refused(bad: str) -> None:
    with pytest.raises(WireError):
        topics.machine_topic("site", bad, "up/ev")
