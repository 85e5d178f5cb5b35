"""Asks what is at the end of a serial line, with questions that move nothing.

Only ``$I``, ``M115`` (printers) and ``$$`` (GRBL) are sent, ``$I`` first: what an earlier host left
unfinished in a mill's line buffer then ends as a refused line. Nothing more is sent at a baud rate
once what arrives there cannot be read. An answer that comes late is found among what was heard.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from firmware.drivers.lines import LineSplitter
from protocols import grbl, marlin
from protocols.gcode import number

Parse = Callable[[bytes], tuple[Any, ...]]
BAUDS = (115200, 250000, 57600)
GREETING_S = 2.5  # opening a port resets most boards; a boot loader eats what is said meanwhile
ANSWER_S = 2.0
LIMIT_S = 8.0  # per baud rate; three times that where something readable is heard
_GARBLED = 12  # bytes
_SPACE = b"\t\r\n"
_FIELD = re.compile(r"(?:^|\s)([A-Z][A-Z_]+):")
_VERSION = re.compile(r"v?\d+\.\d[\w.+-]*")
_AREA = re.compile(r"max:\{x:(-?[\d.]+),\s*y:(-?[\d.]+),\s*z:(-?[\d.]+)\}")
GARBLED = "what arrives cannot be read: another baud rate, or a bad cable"
SILENT = "nothing answers"
BUSY = "it is busy: ask again when it is idle and no other program uses it"


class Line(Protocol):
    """A byte line; ``read`` waits about 0.1 s and returns b"" when nothing came; both OSError."""

    def read(self) -> bytes:
        """Bytes that came."""
        ...

    def write(self, data: bytes) -> None:
        """Send all of it."""
        ...

    def close(self) -> None:
        """Give the port back."""
        ...


class NotDetected(Exception):
    """No machine was made out; the message says why."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a machine says of itself; None and "" where it does not tell."""

    dialect: str
    firmware: str
    version: str = ""
    name: str = ""
    volume_um: tuple[int, int, int] | None = None
    spindle_rpm: int | None = None
    extruders: int | None = None
    notes: tuple[str, ...] = ()


class Talk:
    """Asks over one line and hears lines; ``clock`` gives seconds."""

    def __init__(self, line: Line, clock: Callable[[], float]) -> None:
        self._line = line
        self._clock = clock
        self._lines = LineSplitter()
        self._garbled = 0
        self.heard: list[bytes] = []

    @property
    def garbled(self) -> bool:
        """Much of what came is not text."""
        return self._garbled >= _GARBLED

    def ask(self, words: str, done: Callable[[list[bytes]], bool], limit_s: float) -> list[bytes]:
        """Say words ("" only listens); lines heard until ``done`` or the limit; raise OSError."""
        if words:
            self._line.write(words.encode() + b"\n")
        got: list[bytes] = []
        end = self._clock() + limit_s
        while self._clock() < end and not self.garbled:
            data = self._line.read()
            self._garbled += sum(byte > 126 or (byte < 32 and byte not in _SPACE) for byte in data)
            got += self._lines.feed(data)
            if not data and done(got):
                break
        self.heard += got
        return got


def interview(line: Line, clock: Callable[[], float], limit_s: float = LIMIT_S) -> Told:
    """What the machine at an open line tells; raise NotDetected, OSError."""
    talk = Talk(line, clock)
    began = clock()
    talk.ask("", bool, GREETING_S)
    while not talk.garbled:
        talk.ask("$I", _answered, ANSWER_S)
        if _heard(talk.heard, grbl.parse_reply, "ver"):
            talk.ask("$$", _settings_told, ANSWER_S)
            return mill(talk.heard)
        talk.ask("M115", _printer_told, ANSWER_S)
        if _heard(talk.heard, marlin.parse_reply, "firmware"):
            return printer(talk.heard)
        if clock() - began >= limit_s * (3 if talk.heard else 1):
            break
    raise NotDetected(_why(talk))


def _heard(lines: Sequence[bytes], parse: Parse, kind: str) -> bool:
    return any(parse(line)[0] == kind for line in lines)


def _answered(lines: list[bytes]) -> bool:
    """The answer has come to its end."""
    return any(line[:2] == b"ok" or line[:6] == b"error:" for line in lines)


def _settings_told(lines: list[bytes]) -> bool:
    return _heard(lines, grbl.parse_reply, "setting") and _answered(lines[-1:])


def _printer_told(lines: list[bytes]) -> bool:
    refused = any(line[:6] == b"error:" for line in lines)
    return refused or (_heard(lines, marlin.parse_reply, "firmware") and _answered(lines[-1:]))


def _why(talk: Talk) -> str:
    if talk.garbled:
        return GARBLED
    replies = [marlin.parse_reply(line) for line in talk.heard]
    if any(reply[0] == "busy" for reply in replies) or b"error:8" in talk.heard:
        return BUSY
    if not talk.heard:
        return SILENT
    said = talk.heard[-1].decode("ascii", "replace")[:60]
    return f"neither a printer nor a mill that we know; it last said {said!r}"


def printer(lines: Sequence[bytes]) -> Told:
    """What a printer's M115 tells."""
    replies = [marlin.parse_reply(line) for line in lines]
    text = [reply[1] for reply in replies if reply[0] == "firmware"][-1]
    fields = _fields("FIRMWARE_NAME:" + text)
    firmware = fields["FIRMWARE_NAME"]
    version = fields.get("FIRMWARE_VERSION") or _first(_VERSION.findall(firmware))
    extruders = fields.get("EXTRUDER_COUNT", "")
    off = [reply[1] for reply in replies if reply[0] == "cap" and not reply[2]]
    notes = ["M115 tells no nozzle: measure or look it up"]
    if "EMERGENCY_PARSER" in off:
        notes.append("its firmware has no emergency parser: a stop waits behind lines it has taken")
    return Told(
        dialect="marlin",
        firmware=firmware.split(version, 1)[0].strip() if version else firmware,
        version=version,
        name=fields.get("MACHINE_TYPE", ""),
        volume_um=_area(lines),
        extruders=int(extruders) if extruders.isdigit() else None,
        notes=tuple(notes),
    )


def _fields(text: str) -> dict[str, str]:
    """KEY:VALUE of M115's first line; a value may hold spaces."""
    places = [*_FIELD.finditer(text)]
    ends = [place.start() for place in places[1:]] + [len(text)]
    return {
        place[1]: text[place.end() : end].strip() for place, end in zip(places, ends, strict=True)
    }


def _first(found: Sequence[str]) -> str:
    return found[0] if found else ""


def _area(lines: Sequence[bytes]) -> tuple[int, int, int] | None:
    """Reach in um where M115 tells it (Marlin's M115_GEOMETRY_REPORT; the last area is the bed)."""
    for line in lines:
        found = _AREA.findall(line.decode("ascii", "replace")) if line[:5] == b"area:" else []
        if found:
            return _volume([_um(text) for text in found[-1]])
    return None


def _um(text: str) -> int:
    """Millimetres of a text as um, words behind dropped; 0 when it is no number."""
    try:
        return number(text.split(maxsplit=1)[0]) // 1000
    except (ValueError, IndexError):
        return 0


def _volume(sides: Sequence[int]) -> tuple[int, int, int] | None:
    x, y, z = sides
    return (x, y, z) if min(sides) > 0 else None


def mill(lines: Sequence[bytes]) -> Told:
    """What ``$I`` and ``$$`` of a mill tell (settings.md: $130-$132 travel, $30 spindle)."""
    replies = [grbl.parse_reply(line) for line in lines]
    settings: dict[int, str] = {reply[1]: reply[2] for reply in replies if reply[0] == "setting"}
    version, name = [(reply[1], reply[2]) for reply in replies if reply[0] == "ver"][-1]
    volume = _volume([_um(settings.get(axis, "")) for axis in (130, 131, 132)])
    return Told(
        dialect="grbl",
        firmware=_family(lines, replies),
        version=version,
        name=name,
        volume_um=volume,
        spindle_rpm=_um(settings.get(30, "")) // 1000 or None,
        notes=tuple(_mill_notes(settings, volume is not None)),
    )


def _family(lines: Sequence[bytes], replies: Sequence[tuple[Any, ...]]) -> str:
    text = b"\n".join(lines).lower()
    for family in ("FluidNC", "grblHAL"):
        if family.lower().encode() in text:
            return family
    return "GRBL"


def _mill_notes(settings: dict[int, str], travel: bool) -> list[str]:
    notes = ["$I tells no cutter: enter the one you put in"]
    if not travel:
        notes.append("it tells no travel ($130-$132): measure it")
    if settings.get(22, "").split(" ")[0] == "0":
        notes.append("homing is off ($22=0): nothing keeps it inside its travel")
    if settings.get(32, "").split(" ")[0] == "1":
        notes.append("laser mode is on ($32=1): a mill needs $32=0")
    return notes
