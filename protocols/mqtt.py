"""MQTT 3.1.1 packets: encode to one buffer, decode from a stream of chunks; QoS 0 and 1.

A decoded packet is a tuple whose first item names it:

    ("connect", client_id, keepalive_s, clean, will, user, password)
    ("connack", session_present, code)
    ("publish", topic, payload, qos, retain, dup, pid)      pid is 0 with QoS 0
    ("puback", pid)
    ("subscribe", pid, [(filter, qos), ...])
    ("suback", pid, [code, ...])
    ("pingreq",)  ("pingresp",)  ("disconnect",)

A will is ``(topic, payload, qos, retain)`` or None. Section numbers are those of the OASIS
standard "MQTT Version 3.1.1". QoS 2 is refused: the order protocol needs no more than QoS 1.
"""

from protocols.errors import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    Packet = tuple[Any, ...]
    Will = tuple[str, bytes, int, bool]
    Filters = list[tuple[str, int]]

MAX_PID = 65535
SUBACK_FAILURE = 0x80
_PROTOCOL = b"\x00\x04MQTT\x04"
_MAX_LENGTH = 268435455  # 2.2.3
_MAX_TEXT = 65535


def _fail(message: str) -> "Any":
    raise WireError("mqtt", "", message)


# encode ------------------------------------------------------------------------------------------
def _length(size: int) -> bytes:
    """Remaining length, 2.2.3: seven bits a byte, least significant first."""
    out = bytearray()
    while True:
        size, digit = size >> 7, size & 127
        out.append(digit | 128 if size else digit)
        if not size:
            return bytes(out)


def _u16(value: int) -> bytes:
    return bytes((value >> 8, value & 255))


def _binary(data: bytes) -> bytes:
    if len(data) > _MAX_TEXT:
        return _fail("text is longer than 65535 bytes")
    return _u16(len(data)) + data


def _text(text: str) -> bytes:
    return _binary(text.encode())


def _pid(pid: int) -> bytes:
    return _u16(pid) if 1 <= pid <= MAX_PID else _fail("packet id must be 1 to 65535")


def _packet(first: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    if len(body) > _MAX_LENGTH:
        return _fail("packet is too long")
    return bytes((first,)) + _length(len(body)) + body


def connect(
    client_id: str,
    keepalive_s: int,
    clean: bool = True,
    will: "Will | None" = None,
    login: "tuple[str, bytes] | None" = None,
) -> bytes:
    """CONNECT, 3.1; login is (user, password)."""
    flags = 2 if clean else 0
    parts = [_text(client_id)]
    if will:
        topic, payload, qos, retain = will
        flags |= 4 | qos << 3 | (32 if retain else 0)
        parts += [_text(topic), _binary(payload)]
    if login:
        flags |= 192
        parts += [_text(login[0]), _binary(login[1])]
    return _packet(0x10, _PROTOCOL, bytes((flags,)), _u16(keepalive_s), *parts)


def connack(present: bool, code: int) -> bytes:
    """CONNACK, 3.2; code 0 is accepted."""
    return _packet(0x20, bytes((1 if present else 0, code)))


def publish(
    topic: str, payload: bytes, pid: int = 0, retain: bool = False, dup: bool = False
) -> bytes:
    """PUBLISH, 3.3; with a packet id it is QoS 1, without QoS 0."""
    first = 0x30 | (2 if pid else 0) | (1 if retain else 0) | (8 if dup else 0)
    return _packet(first, _text(topic), _pid(pid) if pid else b"", payload)


def puback(pid: int) -> bytes:
    """PUBACK, 3.4."""
    return _packet(0x40, _pid(pid))


def subscribe(pid: int, filters: "Filters") -> bytes:
    """SUBSCRIBE, 3.8; filters are (filter, wanted QoS)."""
    parts = [_text(name) + bytes((qos,)) for name, qos in filters]
    return _packet(0x82, _pid(pid), *parts)


def suback(pid: int, codes: "list[int]") -> bytes:
    """SUBACK, 3.9; codes are granted QoS or 0x80."""
    return _packet(0x90, _pid(pid), bytes(codes))


PINGREQ = b"\xc0\x00"
PINGRESP = b"\xd0\x00"
DISCONNECT = b"\xe0\x00"


# decode ------------------------------------------------------------------------------------------
class _Body:
    """Reads the fields of one packet's body in order; raises WireError past its end."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, size: int) -> bytes:
        end = self.at + size
        if end > len(self.data):
            return _fail("packet ends too early")
        part = self.data[self.at : end]
        self.at = end
        return part

    def u8(self) -> int:
        return self.take(1)[0]

    def u16(self) -> int:
        part = self.take(2)
        return part[0] << 8 | part[1]

    def pid(self) -> int:
        return self.u16() or _fail("packet id is zero")

    def text(self) -> str:
        try:
            text = bytes(self.take(self.u16())).decode()
        except UnicodeError:
            return _fail("text is not UTF-8")
        return _fail("text holds a null character") if "\x00" in text else text

    def rest(self) -> bytes:
        return self.take(len(self.data) - self.at)

    def end(self) -> None:
        if self.at != len(self.data):
            _fail("packet has bytes after its end")


def _decode_connect(flags: int, body: _Body) -> "Packet":
    if body.take(7) != _PROTOCOL:
        return _fail("is not MQTT 3.1.1")
    bits, keepalive_s, client_id = body.u8(), body.u16(), body.text()
    will = None
    if bits & 4:
        will = (body.text(), body.take(body.u16()), bits >> 3 & 3, bool(bits & 32))
    user = body.text() if bits & 128 else ""
    password = body.take(body.u16()) if bits & 64 else b""
    return ("connect", client_id, keepalive_s, bool(bits & 2), will, user, password)


def _decode_connack(flags: int, body: _Body) -> "Packet":
    return ("connack", body.u8() == 1, body.u8())


def _decode_publish(flags: int, body: _Body) -> "Packet":
    qos = flags >> 1 & 3
    if qos > 1:
        return _fail("QoS 2 is not supported")
    topic = body.text()
    if not topic or "+" in topic or "#" in topic:
        return _fail("topic of a message is empty or holds a wildcard")
    pid = body.pid() if qos else 0
    return ("publish", topic, body.rest(), qos, bool(flags & 1), bool(flags & 8), pid)


def _decode_puback(flags: int, body: _Body) -> "Packet":
    return ("puback", body.pid())


def _decode_subscribe(flags: int, body: _Body) -> "Packet":
    pid = body.pid()
    filters: "Filters" = []
    while body.at < len(body.data):
        name = body.text()
        filters.append((name, body.u8() & 3))
    return ("subscribe", pid, filters)


def _decode_suback(flags: int, body: _Body) -> "Packet":
    return ("suback", body.pid(), list(body.rest()))


_EMPTY = {12: "pingreq", 13: "pingresp", 14: "disconnect"}
# type: (flags the first byte must have, None = any; decoder)
_DECODERS: "dict[int, tuple[int | None, Callable[[int, _Body], Packet]]]" = {
    1: (0, _decode_connect),
    2: (0, _decode_connack),
    3: (None, _decode_publish),
    4: (0, _decode_puback),
    8: (2, _decode_subscribe),
    9: (0, _decode_suback),
}


def decode(first: int, data: bytes) -> "Packet":
    """Packet of a first byte and a whole body; raise WireError."""
    kind, flags = first >> 4, first & 15
    body = _Body(data)
    if kind in _EMPTY:
        packet: "Packet" = (_EMPTY[kind],)
    elif kind in _DECODERS:
        wanted, decoder = _DECODERS[kind]
        if wanted is not None and flags != wanted:
            return _fail("reserved flags are wrong")
        packet = decoder(flags, body)
    else:
        return _fail("packet type {} is not supported".format(kind))
    body.end()
    return packet
