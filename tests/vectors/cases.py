"""One example after the other of everything on the wire, as (name, text), in the small language.

The same on every interpreter: ``say.py`` prints them, ``test_same_output.py`` compares CPython with
MicroPython, ``make.py`` keeps those of our own messages as golden files.
"""

import json

from protocols import filament, gcode, grbl, grbl_codes, marlin, messages, mqtt, orders, topics
from protocols import forbidden as forbidding
from protocols.errors import WireError
from protocols.mqtt_stream import PacketIds, Reader
from protocols.telemetry import line, split

_TEXT = 'say "\\" ü €'
LEAST, MOST, USUAL = 0, 1, 2


# samples of a table -----------------------------------------------------------------------------
def _int(kind, how):
    return (kind[1], kind[2], max(kind[1], min(kind[2], 12345)))[how]


def _text(kind, how):
    if how == LEAST:
        return ""
    text = _TEXT if how == USUAL else "x" * kind[1]
    return text if len(text.encode()) <= kind[1] else "x"


def _list(kind, how):
    if how == LEAST:
        return []
    return [sample(kind[1], how) for _ in range(2)]


def _map(kind, how):
    return {} if how == LEAST else {"b_mm": sample(kind[1], how), "a": sample(kind[1], how)}


_SAMPLES = {
    "int": _int,
    "bool": lambda kind, how: how != LEAST,
    "text": _text,
    "id": lambda kind, how: ("0", "a" + "-" * 31, "m-1")[how],
    "sha256": lambda kind, how: "0123456789abcdef" * 4,
    "word": lambda kind, how: kind[1][(0, -1, len(kind[1]) // 2)[how]],
    "record": lambda kind, how: record(kind[1], how),
    "list": _list,
    "map": _map,
}


def sample(kind, how):
    """Value of a type: the least there is, the most, or a usual one."""
    return _SAMPLES[kind[0]](kind, how)


def record(fields, how):
    """Record of a table; the least has required fields only."""
    return {f[0]: sample(f[1], how) for f in fields if f[2] or how != LEAST}


def message_names():
    """Every message, every type of event on its own."""
    names = [(leaf, "") for leaf in sorted(messages.MESSAGES) if leaf != "up/ev"]
    return names + [("up/ev", ty) for ty in sorted(messages.EVENTS)]


def message(leaf, ty, how):
    """One message as a value."""
    value = record(messages.MESSAGES[leaf] + messages.EVENTS.get(ty, ()), how)
    if ty:
        value["ty"] = ty
    return value


# text that does not depend on the interpreter --------------------------------------------------
def said(value):
    """Write any value with sorted keys."""
    if isinstance(value, dict):
        return "{" + ", ".join([k + ": " + said(value[k]) for k in sorted(value)]) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join([said(v) for v in value]) + "]"
    if isinstance(value, (bytes, bytearray)):
        return "".join(["%02x" % b for b in value])
    return str(value)


def tried(function, *arguments):
    """What a call gives or the error it raises, as text."""
    try:
        return said(function(*arguments))
    except WireError as error:
        return "WireError {} {} {}".format(error.code, error.field, error.message)
    except orders.IllegalEvent as error:
        return "IllegalEvent {} {}".format(error.state, error.event)
    except ValueError:
        return "ValueError"


# cases --------------------------------------------------------------------------------------------
def _messages():
    for leaf, ty in message_names():
        for how in (LEAST, MOST, USUAL):
            data = messages.encode(leaf, message(leaf, ty, how))
            name = "message {} {} {}".format(leaf, ty, how)
            yield name, data.decode()
            yield name + " back", said(messages.decode(leaf, data))


_BAD = (
    b"",
    b"[]",
    b"nonsense",
    b"\xff\xfe",
    b'{"v":2}',
    b'{"v":1}',
    b'{"v":1,"term":"x"}',
    b'{"v":1,"term":1,"jid":"A","s":1}',
    b'{"v":1,"term":1,"jid":"a","s":-1}',
    b'{"v":1,"term":1,"jid":"a","s":true}',
    b'{"v":1,"term":1,"jid":"a","s":1,"more":[1]}',
    b"x" * 5000,
)


def _bad_messages():
    for n, data in enumerate(_BAD):
        yield "bad {}".format(n), tried(messages.decode, "dn/ack", data)


def _topics():
    for leaf in sorted(topics.LEAVES):
        topic = topics.machine_topic("s", "m-1", leaf)
        yield "topic " + leaf, topic + " " + said(topics.parse_topic(topic))
    for text in ("", "fab/1/s/_ctl/state", "fab/2/s/m/up/ev", "fab/1/S/m/up/ev", "fab/1/s/m/up/x"):
        yield "topic " + text, tried(topics.parse_topic, text)


def _orders():
    for state in sorted(orders.ORDER_STATES):
        for event in ("claim", "started", "finished_ok", "silence", "nonsense"):
            yield "order {} {}".format(state, event), tried(orders.step, state, event)


def _telemetry():
    good, refused = split({"bed_mc": 60000, "x_um": 10**12, "nonsense": 1, "y_um": True})
    yield "telemetry", said(good) + said(refused) + line("s", "m", "printer", 5, good)


def _packets():
    will = ("fab/1/s/m/up/state", b"gone", 1, True)
    return [
        mqtt.connect("s-m", 20, True, will, ("user", b"word")),
        mqtt.connect("", 0, False),
        mqtt.connack(True, 0),
        mqtt.publish("a/b", b"x" * 200, 65535, True, True),
        mqtt.publish("a/b", b""),
        mqtt.puback(1),
        mqtt.subscribe(2, [("fab/1/s/m/dn/#", 1), ("b", 0)]),
        mqtt.suback(2, [1, 128]),
        mqtt.PINGREQ,
        mqtt.PINGRESP,
        mqtt.DISCONNECT,
    ]


def packet_cases():
    """Every kind of MQTT packet, as hexadecimal text."""
    return [("packet {}".format(n), said(data)) for n, data in enumerate(_packets())]


def _mqtt():
    reader = Reader(150)
    for name, text in packet_cases():
        yield name, text
    for n, data in enumerate(_packets()):
        yield "packet {} back".format(n), said(reader.feed(data)) + str(reader.dropped)
    for data in (
        b"\x00\x00",
        b"\x34\x03\x00\x01a",
        b"\x40\x02\x00\x00",
        b"\x30\xff\xff\xff\xff\x01",
    ):
        yield "bad packet " + said(data), tried(Reader(150).feed, data)
    ids = PacketIds()
    yield "ids", said([ids.next({1: 0, 3: 0}) for _ in range(4)])


def _lines(folder):
    for name, parse, write in (
        ("marlin_replies.json", marlin.parse_reply, marlin.write_reply),
        ("grbl_replies.json", grbl.parse_reply, grbl.write_reply),
    ):
        for case in _vectors(folder, name):
            reply = parse(case["line"].encode())
            yield name + " " + case["line"], said(reply) + " " + write(reply)
    for case in _vectors(folder, "gcode_lines.json"):
        raw = case["raw"].encode()
        yield "gcode " + case["raw"], gcode.strip(raw) + tried(gcode.words, gcode.strip(raw))
        for dialect in ("marlin", "grbl"):
            yield dialect + " " + case["raw"], said(forbidding.forbidden(raw, dialect))


def _vectors(folder, name):
    with open(folder + "/" + name, "rb") as file:
        return json.loads(file.read())


def _frames():
    for n, command in ((0, "M110 N0"), (7, "G1 X1.5 E.25"), (1234567, "x" * 90)):
        yield "frame " + command, tried(marlin.frame, n, command)
    for data in (b"N7 G1*9", b"N7 G1*40", b"G1 X1*5", b"N7 G1", b"\xffN"):
        yield "frame " + said(data), tried(marlin.parse_frame, data)
    for code in (1, 20, 38, 99):
        yield "error {}".format(code), grbl_codes.error_words(code, "grblhal")
        yield "alarm {}".format(code), grbl_codes.alarm_words(code, "fluidnc")


_PROGRAM = (
    "M83;G1 E5.00001;G1 E-.8 F1800;G1 X1 E.80001;T1;G1 X2 E1;G92 E0;M82;G1 E2.5;M200 D1.75;G1 E9"
)


def _filament():
    accountant = filament.Accountant()
    for code in _PROGRAM.split(";"):
        accountant.feed(code)
        yield "filament " + code, said([accountant.used_nm(t) for t in range(2)])
    yield "filament", said(accountant.used_um())
    yield "mass", said([filament.mass_mg(123456789, 2982000), filament.length_nm(368, 2982000)])


def cases(folder):
    """All cases; folder holds the vector files."""
    for part in (_messages, _bad_messages, _topics, _orders, _telemetry, _mqtt, _frames, _filament):
        for case in part():
            yield case
    for case in _lines(folder):
        yield case
