"""Marlin's serial protocol: commands to the machine and its replies, as twins.

Source: MarlinFirmware/Marlin 2.0 ``gcode/queue.cpp`` (numbers, checksum, ok, resend),
``module/temperature.cpp`` (temperatures, heater faults), ``feature/host_actions.cpp`` (//action),
``gcode/host/M115.cpp`` (Cap), ``gcode/gcode.cpp`` (busy). A reply is ``(kind, ...)``:

    ("ok", n, p, b, temps)   done; line number, free planner moves, free slots: None if not told
    ("resend", n)            the line it wants next, None when the number was lost
    ("busy", why)            processing, paused for user, paused for input
    ("temps", temps)         name -> (now, target or None), thousandths of a degree
    ("error", code, text)    code of ERRORS
    ("action", name, args)   //action:
    ("start",)               the machine was reset
    ("wait",)                it is idle and its input is empty
    ("cap", name, on)        capability of M115
    ("firmware", text)       first line of M115
    ("position", axes)       name -> um, from M114
    ("cold",)                extrusion was refused: the move ran without filament
    ("unknown_command", text)
    ("echo", text)           any other echo:
    ("unknown", text)        nothing of the above, damaged lines too
"""

from protocols.errors import WireError
from protocols.gcode import ascii_text
from protocols.marlin_fields import (
    axes_text,
    ok_text,
    parse_axes,
    parse_ok_fields,
    parse_temps,
    temps_text,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    Reply = tuple[Any, ...]

MAX_CMD_SIZE = 96  # Configuration_adv.h: bytes of one command, closing zero included
BUFSIZE = 4  # Configuration_adv.h: commands waiting
RX_BUFFER_SIZE = 128  # AVR HardwareSerial

# code: (what the line says, does only a reset help). Order matters: the first match wins.
ERRORS = (
    ("kill", "kill() called", True),
    ("thermal", "Thermal Runaway", True),
    ("thermal", "Thermal Malfunction", True),
    ("heating", "Heating failed", True),
    ("maxtemp", "MAXTEMP triggered", True),
    ("mintemp", "MINTEMP triggered", True),
    ("homing", "Homing Failed", True),
    ("probing", "Probing Failed", True),
    ("stopped", "Printer stopped due to errors", False),
    ("no_checksum", "No Checksum with line number", False),
    ("checksum", "checksum mismatch", False),
    ("line_number", "Line Number is not Last Line Number+1", False),
)
_ACTION = "//action:"
_COLD = "cold extrusion prevented"
_UNKNOWN_COMMAND = "Unknown command: "


def checksum(body: bytes) -> int:
    """XOR of all bytes before the ``*`` (queue.cpp)."""
    total = 0
    for byte in body:
        total ^= byte
    return total


def frame(n: int, command: str) -> bytes:
    """Numbered line with checksum and line end; raise WireError when the machine would cut it."""
    body = "N{} {}".format(n, command).encode()
    line = body + b"*" + str(checksum(body)).encode()
    if len(line) >= MAX_CMD_SIZE:
        raise WireError("size", "command", "is longer than the machine's line buffer")
    if b"\n" in line or b"\r" in line:
        raise WireError("text", "command", "must be one line")
    return line + b"\n"


def _digits(text: str) -> "int | None":
    """Leading digits as an integer, at most nine; None when there is none."""
    at = 0
    while at < len(text) and at < 9 and text[at] in "0123456789":
        at += 1
    return int(text[:at]) if at else None


def parse_frame(line: bytes) -> "tuple[int | None, str]":
    """Number and command of one line; the number is None when it has none.

    WireError codes are those of ERRORS: no_checksum, checksum; ``text`` when not ASCII.
    """
    raw = bytes(line).strip()
    try:
        text = raw.decode()
    except UnicodeError:
        text = "".join([chr(b) for b in raw])
    if text[:1] != "N":
        return None, text
    n = _digits(text[1:].lstrip(" "))
    star = text.rfind("*")
    if star < 0:
        raise WireError("no_checksum", "line", "has a number without a checksum")
    if _digits(text[star + 1 :]) != checksum(raw[: raw.rfind(b"*")]):
        raise WireError("checksum", "line", "does not match its checksum")
    at = 1
    while at < star and text[at] in " 0123456789":
        at += 1
    return n, text[at:star]


def _find_resend(text: str) -> "Reply | None":
    at = text.find("Resend")
    if at < 0 and text[:3] not in ("rs ", "rs:"):
        return None
    return ("resend", _digits(text[at + 6 if at >= 0 else 3 :].lstrip(" :N")))


def _find_error(text: str) -> "Reply | None":
    for code, says, _ in ERRORS:
        if says in text:
            return ("error", code, text)
    if text[:5] == "Error" or text[:2] == "!!":
        return ("error", "other", text)
    return None


def _find_fatal(text: str) -> "Reply | None":
    for code, says, fatal in ERRORS:
        if fatal and says in text:
            return ("error", code, text)
    return None


def _find_ok(text: str) -> "Reply | None":
    if text[:2] != "ok":
        return None
    n, p, b = parse_ok_fields(text[2:])
    return ("ok", n, p, b, parse_temps(text))


def _find_action(text: str) -> "Reply | None":
    if text[:2] != "//":
        return None
    says = text[2:].lstrip(" ")
    if says[:7] != "action:":
        return None
    name, _, args = says[7:].partition(" ")
    return ("action", name, args)


def _find_busy(text: str) -> "Reply | None":
    at = text.find("busy:", 0, 10)
    return ("busy", text[at + 5 :].strip()) if at >= 0 else None


def _find_echo(text: str) -> "Reply | None":
    if _COLD in text:
        return ("cold",)
    if text[:5] != "echo:":
        return None
    said = text[5:].strip()
    if said[: len(_UNKNOWN_COMMAND)] == _UNKNOWN_COMMAND:
        return ("unknown_command", said[len(_UNKNOWN_COMMAND) :].strip('"'))
    return ("echo", said)


def _find_cap(text: str) -> "Reply | None":
    if text[:4] == "Cap:":
        name, _, on = text[4:].partition(":")
        if name and on in ("0", "1"):
            return ("cap", name, on == "1")
    if text[:14] == "FIRMWARE_NAME:":
        return ("firmware", text[14:])
    return None


def _find_values(text: str) -> "Reply | None":
    temps = parse_temps(text)
    if temps:
        return ("temps", temps)
    axes = parse_axes(text)
    return ("position", axes) if axes else None


def _find_word(text: str) -> "Reply | None":
    return (text,) if text in ("start", "wait") else None


_FINDERS = (
    _find_fatal,
    _find_resend,
    _find_ok,
    _find_error,
    _find_busy,
    _find_action,
    _find_echo,
    _find_cap,
    _find_word,
    _find_values,
)


def _find_plain_ok(text: str) -> "Reply | None":
    """An ``ok`` with nothing but counters: nearly every line, and boards are slow."""
    found: "dict[str, int]" = {}
    for token in text[2:].split():
        digits = token[1:]
        if token[0] not in "NPB" or token[0] in found or not digits.isdigit() or len(digits) > 9:
            return None
        found[token[0]] = int(digits)
    return ("ok", found.get("N"), found.get("P"), found.get("B"), {})


def parse_reply(line: bytes) -> "Reply":
    """One line of the machine as a reply; never raises."""
    text = ascii_text(line)
    if text[:3] in ("ok", "ok "):
        reply = _find_plain_ok(text)
        if reply is not None:
            return reply
    for find in _FINDERS:
        reply = find(text)
        if reply is not None:
            return reply
    return ("unknown", text)


def _write_ok(reply: "Reply") -> str:
    text = ok_text(reply[1], reply[2], reply[3])
    return text + " " + temps_text(reply[4]) if reply[4] else text


_WRITERS: "dict[str, Callable[[Reply], str]]" = {
    "ok": _write_ok,
    "resend": lambda r: "Resend: {}".format("" if r[1] is None else r[1]),
    "busy": lambda r: "echo:busy: " + r[1],
    "temps": lambda r: " " + temps_text(r[1]),
    "error": lambda r: r[2],
    "action": lambda r: _ACTION + r[1] + (" " + r[2] if r[2] else ""),
    "start": lambda r: "start",
    "wait": lambda r: "wait",
    "cap": lambda r: "Cap:{}:{:d}".format(r[1], r[2]),
    "firmware": lambda r: "FIRMWARE_NAME:" + r[1],
    "position": lambda r: axes_text(r[1]),
    "cold": lambda r: "echo: " + _COLD,
    "unknown_command": lambda r: "echo:" + _UNKNOWN_COMMAND + '"' + r[1] + '"',
    "echo": lambda r: "echo:" + r[1],
    "unknown": lambda r: r[1],
}


def write_reply(reply: "Reply") -> str:
    """One line as the machine prints it; the twin of parse_reply."""
    return _WRITERS[reply[0]](reply)
