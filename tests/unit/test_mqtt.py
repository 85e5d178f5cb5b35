"""MQTT packets: any cut of the stream gives the same packets, any bytes packets or one error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols import mqtt
from protocols.errors import WireError
from protocols.mqtt_stream import MAX_PID, PacketIds, Reader

PUBLISH = mqtt.publish("a/b", b"x" * 300, 7, True)


@given(st.lists(st.integers(1, 40)))
def test_any_cut_of_the_stream_gives_the_same_packets(sizes):
    data = mqtt.PINGRESP + PUBLISH + mqtt.puback(3) + mqtt.connack(False, 0)
    reader, out, at = Reader(4096), [], 0
    for size in [*sizes, len(data)]:
        out += reader.feed(data[at : at + size])
        at += size
    assert [packet[0] for packet in out] == ["pingresp", "publish", "puback", "connack"]


@given(st.binary(max_size=400))
def test_any_bytes_become_packets_or_one_error(data):
    try:
        assert all(isinstance(packet[0], str) for packet in Reader(200).feed(data))
    except WireError as error:
        assert error.message


def test_a_packet_that_is_too_long_is_skipped_and_counted():
    reader = Reader(100)
    assert reader.feed(PUBLISH + mqtt.PINGRESP) == [("pingresp",)]
    assert reader.dropped == 1


def test_packet_ids_wrap_from_the_last_to_one_and_skip_those_in_flight():
    ids = PacketIds()
    ids._last = MAX_PID - 1
    assert [ids.next({1: 0}) for _ in range(3)] == [MAX_PID, 2, 3]


@pytest.mark.parametrize("pid", [0, MAX_PID + 1])
def test_no_packet_has_an_impossible_id(pid):
    with pytest.raises(WireError):
        mqtt.puback(pid)
