"""Append-only journal on flash: what happened, kept until the controller has committed it.

Theory. The journal is a row of segments ``j-00000001.log``, ``j-00000002.log``, ... A segment is
written beside its place, synced and renamed, so it is there whole or not at all; its first record
is a snapshot of everything remembered, so a state needs only the newest segment. Each record is a
line: CRC-32 of the rest, a letter, the content.

    S <json>                       snapshot: journal id, last sequence number, acknowledged, memory
    E <s> <event>[\\t<note json>]   event, byte for byte as it is sent, and a note that came with it
    N <json>                       note

A power cut leaves at most one torn line, at the end of the segment then written. No life of the
firmware appends to a segment of an earlier one, so a torn line is never followed by anything and
reading stops there. A record is durable when ``append`` returns; only then may it be sent or acted
on. Hence the next life may number anew what was torn: nobody has seen it.

Segments whose events are all acknowledged are removed. The room is bounded: what is not needed to
finish a running order (a claim) is refused first, progress later, the end of an order last.

A line is read whole without a size: a segment bounds it, and MicroPython would set the size
aside in one piece, which a used heap may not have.

If flash lost records in the middle (rot, not a power cut), the sequence cannot be continued: the
journal begins anew under a new id and says so (``damaged``).
"""

import json
from binascii import crc32

from protocols.messages import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from firmware.memory import Memory
    from protocols.records import Record

CLAIM, PROGRESS, FINAL = 4, 10, 64  # a level may use all room but limit // level; FINAL nearly all
_TAIL = 4  # newest events kept in memory, so that sending them reads no flash


class JournalFull(Exception):
    """No room for a record of this level; nothing was written."""


class _Segment:
    def __init__(self, number: int) -> None:
        self.number = number
        self.first_s = 0  # first event, 0 = none
        self.last_s = 0  # last event at its end, counting the segments before it
        self.size = 0

    def clip(self, s: int) -> None:
        """Disown events above s: their writing failed, yet they reached flash later."""
        self.last_s = min(self.last_s, s)
        if self.first_s > s:
            self.first_s = 0

    @property
    def name(self) -> str:
        return "j-{:08d}.log".format(self.number)


def _line(body: bytes) -> bytes:
    return b"%08x " % (crc32(body) & 0xFFFFFFFF) + body + b"\n"


def _body(line: bytes) -> "bytes | None":
    """Content of a whole line, None when it is torn or rotten."""
    if len(line) < 11 or line[-1] != 10 or line[8] != 32:
        return None
    body = line[9:-1]
    return body if line[:8] == b"%08x" % (crc32(body) & 0xFFFFFFFF) else None


def _split_event(body: bytes) -> "tuple[int, bytes, bytes]":
    """(s, event, note) of an E record; the note is empty when there is none."""
    space = body.find(b" ", 2)
    tab = body.find(b"\t", space)
    end = len(body) if tab < 0 else tab
    return int(body[2:space]), body[space + 1 : end], body[end + 1 :]


class Journal:
    """Journal of one machine. Raise JournalFull when the level has no room left."""

    def __init__(
        self,
        flash: "Any",
        memory: "Memory",
        new_id: "Callable[[], str]",
        limit_bytes: int = 65536,
        segment_bytes: int = 4096,
    ) -> None:
        self.memory = memory
        self.jid = ""
        self.acked = 0
        self.hi: int = 0
        self.damaged = False
        self._flash = flash
        self._new_id = new_id
        self._limit = limit_bytes
        self._segment_bytes = segment_bytes
        self._segments: "list[_Segment]" = []
        self._file: "Any" = None
        self._tail: "list[tuple[int, bytes]]" = []
        self._place = (0, 0)  # segment number and offset right after the event last read
        self._place_s = -1
        self._open()

    # read ----------------------------------------------------------------------------------------
    def _open(self) -> None:
        for name in self._flash.names():
            if name.startswith("j-") and name.endswith(".tmp"):
                self._flash.remove(name)
            elif name.startswith("j-") and name.endswith(".log"):
                self._load(int(name[2:10]))
        if self.damaged:
            self.memory.forget_ready()
        if self.damaged or not self.jid:
            self.renew()

    def _load(self, number: int) -> None:
        segment = _Segment(number)
        with self._flash.open(segment.name, "rb") as file:
            head = self._read(file, segment)
            if head is None or head[:2] != b"S ":
                self.damaged = True
                return
            self._load_snapshot(json.loads(head[2:]))
            body = self._read(file, segment)
            while body is not None:
                self._load_record(segment, body)
                body = self._read(file, segment)
            if _body(file.readline()) is not None:  # whole lines after a bad one: rot
                self.damaged = True
        segment.last_s = self.hi
        segment.size = self._flash.size(segment.name)
        self._segments.append(segment)

    def _read(self, file: "Any", segment: _Segment) -> "bytes | None":
        line = file.readline()
        segment.size += len(line)
        return _body(line)

    def _load_snapshot(self, value: "Record") -> None:
        if value["jid"] != self.jid:  # first segment, or a journal that was begun anew
            for old in self._segments:
                self._flash.remove(old.name)
            self._segments = []
            self.damaged = False
        elif value["s"] > self.hi:
            self.damaged = True
        else:
            self._segments[-1].clip(value["s"])
        self.jid = value["jid"]
        self.hi = value["s"]
        if not self._segments:  # older segments were removed: all they held is acknowledged
            self.acked = value["s"]
        self.acked = max(self.acked, value["acked"])
        self.memory.restore(value["memory"])

    def _load_record(self, segment: _Segment, body: bytes) -> None:
        if body[:2] == b"N ":
            self.memory.note(json.loads(body[2:]))
            return
        s, event, note = _split_event(body)
        if not segment.first_s:
            segment.first_s = s
        self._fold(json.loads(event), json.loads(note) if note else None)
        self.hi = s

    @property
    def lo(self) -> int:
        """First event not acknowledged yet; hi + 1 when there is none."""
        return self.acked + 1

    def event_after(self, s: int) -> "tuple[int, bytes] | None":
        """Next event after sequence number s, as (its number, its bytes); None at the end."""
        want = max(s, self.acked) + 1
        if want > self.hi:
            return None
        for held in self._tail:
            if held[0] == want:
                return held
        return self._event_on_flash(want)

    def _event_on_flash(self, want: int) -> "tuple[int, bytes] | None":
        for segment in self._segments:
            if segment.first_s and segment.first_s <= want <= segment.last_s:
                return self._scan(segment, want)
        return None

    def _scan(self, segment: _Segment, want: int) -> "tuple[int, bytes] | None":
        offset = 0
        if self._place[0] == segment.number and self._place_s < want:
            offset = self._place[1]
        with self._flash.open(segment.name, "rb") as file:
            file.seek(offset)
            while True:
                line = file.readline()
                body = _body(line)
                if body is None:
                    return None
                offset += len(line)
                if body[:2] == b"E ":
                    s, event, _ = _split_event(body)
                    if s == want:
                        self._place, self._place_s = (segment.number, offset), s
                        return s, event

    # write ---------------------------------------------------------------------------------------
    @property
    def used_bytes(self) -> int:
        """Bytes on flash."""
        return sum([segment.size for segment in self._segments])

    def has_room(self, level: int) -> bool:
        """Say whether a record of this level would be taken."""
        return self._limit - self._limit // level - self.used_bytes >= self._segment_bytes // 4

    def append(self, event: "Record", note: "Record | None" = None, level: int = PROGRESS) -> int:
        """Make an event (and a note with it) durable and fold it in; return its number."""
        s = self.hi + 1
        value: "Record" = {"v": 1, "jid": self.jid, "s": s}
        value.update(event)
        data = encode("up/ev", value)
        self.memory.check(value)
        body = b"E %d " % s + data
        if note:
            body += b"\t" + json.dumps(note).encode()
        self._write(body, level)
        segment = self._segments[-1]
        segment.first_s = segment.first_s or s
        segment.last_s = self.hi = s
        self._tail.append((s, data))
        if len(self._tail) > _TAIL:
            self._tail.pop(0)
        self._fold(value, note)
        return s

    def note(self, note: "Record", level: int = PROGRESS) -> None:
        """Make a note durable and fold it in."""
        self._write(b"N " + json.dumps(note).encode(), level)
        self.memory.note(note)

    def ack(self, s: int) -> bool:
        """Take the controller's cumulative acknowledgement; say whether it was news."""
        if not self.acked < s <= self.hi:
            return False
        self.acked = s
        self._trim()
        return True

    def renew(self) -> None:
        """Begin a journal under a new id with all material counters at zero."""
        old = self._segments
        self.jid = self._new_id()
        self.acked = self.hi = 0
        self._tail = []
        self.memory.forget_counters()
        self._segments = []
        self._roll(old[-1].number + 1 if old else self._free_number())
        for segment in old:
            self._flash.remove(segment.name)

    def close(self) -> None:
        """Close the file; nothing is lost without."""
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except OSError:  # what could not be written was never called durable
                pass

    def _free_number(self) -> int:
        """One past the highest segment on flash, readable or not."""
        numbers = [int(n[2:10]) for n in self._flash.names() if n[:2] == "j-" and n[-4:] == ".log"]
        return max(numbers) + 1 if numbers else 1

    def _fold(self, event: "Record", note: "Record | None") -> None:
        self.memory.apply(event)
        if note:
            self.memory.note(note)

    def _write(self, body: bytes, level: int) -> None:
        if not self.has_room(level):
            raise JournalFull()
        line = _line(body)
        try:
            file = self._file
            if file is None or self._segments[-1].size + len(line) > self._segment_bytes:
                file = self._roll(self._free_number())
            file.write(line)
            self._flash.sync(file)
        except OSError:  # flash is full or failing: what was begun may be torn, never add to it
            self.close()
            raise JournalFull()
        self._segments[-1].size += len(line)

    def _roll(self, number: int) -> "Any":
        """Begin a segment with a snapshot, whole or not at all; return its open file."""
        self.close()
        segment = _Segment(number)
        snapshot: "Record" = {
            "jid": self.jid,
            "s": self.hi,
            "acked": self.acked,
            "memory": self.memory.snapshot(),
        }
        line = _line(b"S " + json.dumps(snapshot).encode())
        temporary = segment.name[:-4] + ".tmp"
        with self._flash.open(temporary, "wb") as file:
            file.write(line)
            self._flash.sync(file)
        self._flash.rename(temporary, segment.name)
        self._file = self._flash.open(segment.name, "ab")
        segment.size = len(line)
        segment.last_s = self.hi
        self._segments.append(segment)
        self._trim()
        return self._file

    def _trim(self) -> None:
        """Remove segments that hold nothing the controller still lacks."""
        while len(self._segments) > 1 and self._segments[0].last_s <= self.acked:
            self._flash.remove(self._segments.pop(0).name)
