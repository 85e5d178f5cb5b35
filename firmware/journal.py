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

Each sync costs a board an erased block of flash. So what nothing waits for is only gathered in
memory (``gather``): it gets its number and becomes durable before the next record that tells of
anything but a counter, or when that was last done ``HOLD_MS`` ago (longer while the journal fills
up), or when many have gathered. A power cut takes what was gathered with it, unnumbered and never
sent. Of two gathered records of one cumulative counter only the later is kept; no other record
ever replaces one.

A board that erases flash may miss what its machine says meanwhile. So what can wait is written
while no answer is under way (``is_quiet``): a program's next line waits until all before it are
answered. What a person or the controller waits for is written at once.

Segments whose events are all acknowledged are removed. The room is bounded: what is not needed to
finish a running order (a claim) is refused first, progress later, the end of an order last.

A line is read whole without a size: a segment bounds it, and MicroPython would set the size
aside in one piece, which a used heap may not have.

If flash lost records in the middle (rot, not a power cut), the sequence cannot be continued: the
journal begins anew under a new id and says so (``damaged``).
"""

import json

from firmware.overlay import forget
from firmware.segment import Segment, as_line, body_of, split_event
from protocols.messages import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from firmware.memory import Memory
    from protocols.records import Record

    Kept = tuple[Record, "Record | None"]  # an event and its note; {} = only a note

CLAIM, PROGRESS, FINAL = 4, 10, 64  # a level may use all room but limit // level; FINAL nearly all
_TAIL = 4  # newest events kept in memory, so that sending them reads no flash
HOLD_MS = 15000  # for what was only gathered; doubled for each 24th of the room in use
GATHER_MAX = 12  # records in memory


class JournalFull(Exception):
    """No room for a record of this level; nothing was written."""


def _counter_of(event: "Record") -> "tuple[Any, ...]":
    """What a gathered record of material counts; () for any other."""
    if event.get("ty") != "material":
        return ()
    return event["ch"], event["lot"], event.get("ep", 0)


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
        self._segments: "list[Segment]" = []
        self._file: "Any" = None
        self._tail: "list[tuple[int, bytes]]" = []
        self._place = (0, 0)  # segment number and offset right after the event last read
        self._place_s = -1
        self._gathered: "list[Kept]" = []
        self._now_ms = 0
        self._flushed_ms = -HOLD_MS
        self.is_quiet: "Callable[[], bool]" = lambda: True  # no answer of the machine is under way
        self._open()

    # read ----------------------------------------------------------------------------------------
    def _open(self) -> None:
        from firmware.replay import Replay  # needed once

        held = Replay(self._flash, self.memory)
        self.jid, self.hi, self.acked = held.jid, held.hi, held.acked
        self.damaged, self._segments = held.damaged, held.segments
        forget("firmware.replay")
        if self.damaged:
            self.memory.forget_ready()
        if self.damaged or not self.jid:
            self.renew()

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

    def _scan(self, segment: Segment, want: int) -> "tuple[int, bytes] | None":
        offset = 0
        if self._place[0] == segment.number and self._place_s < want:
            offset = self._place[1]
        with self._flash.open(segment.name, "rb") as file:
            file.seek(offset)
            while True:
                line = file.readline()
                body = body_of(line)
                if body is None:
                    return None
                offset += len(line)
                if body[:2] == b"E ":
                    s, event, _ = split_event(body)
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
        self.memory.check(event)
        self._commit([(event, note)], level)
        return self.hi

    def note(self, note: "Record", level: int = PROGRESS) -> None:
        """Make a note durable and fold it in."""
        self._commit([({}, note)], level)

    def gather(self, event: "Record", note: "Record | None", now_ms: int) -> None:
        """Take an event that nothing waits for; durable soon, at once when flash was left alone."""
        encode("up/ev", self._numbered(event, 1))  # what cannot be said fails here, alone
        kept = self._without(event)
        if len(kept) >= GATHER_MAX:
            self._commit([], PROGRESS)
            kept = []
        self._gathered = kept + [(event, note)]
        self.tick(now_ms)

    def tick(self, now_ms: int) -> None:
        """Make durable what was gathered long enough, when it disturbs no answer."""
        self._now_ms = now_ms
        if self._gathered and self._is_due() and (self.is_quiet() or self._is_due(HOLD_MS)):
            self.flush()

    @property
    def due(self) -> bool:
        """Say whether what was gathered should go to flash at the next quiet moment."""
        return bool(self._gathered) and self._is_due()

    def _is_due(self, more_ms: int = 0) -> bool:
        waiting_bytes = max(0, self.used_bytes - 2 * self._segment_bytes)
        hold_ms = HOLD_MS << waiting_bytes * 24 // self._limit
        return self._now_ms - self._flushed_ms >= hold_ms + more_ms

    def flush(self) -> None:
        """Make durable what was gathered, if there is room."""
        try:
            if self._gathered:
                self._commit([], PROGRESS)
        except JournalFull:  # tried again later, with the newest of each counter
            self._flushed_ms = self._now_ms

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

    def _without(self, event: "Record") -> "list[Kept]":
        """What was gathered, less the record that this one, of the same counter, says anew."""
        key = _counter_of(event)
        return [g for g in self._gathered if not key or _counter_of(g[0]) != key]

    def _numbered(self, event: "Record", s: int) -> "Record":
        value: "Record" = {"v": 1, "jid": self.jid, "s": s}
        value.update(event)
        return value

    def _commit(self, records: "list[Kept]", level: int) -> None:
        """Make durable what was gathered, then records ({} = only a note), and fold them in."""
        if not self.has_room(level):
            raise JournalFull()
        event = records[-1][0] if records else {"ty": ""}
        left = self._without(event)
        takes_along = self._is_due() or (event and not _counter_of(event))
        if takes_along and self.has_room(PROGRESS):
            records, left = left + records, []
            self._flushed_ms = self._now_ms
        lines: "list[bytes]" = []
        tail: "list[tuple[int, bytes]]" = []
        for event, note in records:
            text = json.dumps(note).encode() if note else b""
            if not event:
                lines.append(as_line(b"N " + text))
                continue
            s = self.hi + 1 + len(tail)
            tail.append((s, encode("up/ev", self._numbered(event, s))))
            lines.append(as_line(b"E %d " % s + tail[-1][1] + (b"\t" + text if text else b"")))
        self._write(lines)
        self._gathered = left
        self._tail = (self._tail + tail)[-_TAIL:]
        self._fold(records)

    def _fold(self, records: "list[Kept]") -> None:
        """Remember records that are durable now."""
        segment = self._segments[-1]
        for event, note in records:
            if event:
                self.hi += 1
                segment.first_s = segment.first_s or self.hi
                self.memory.apply(self._numbered(event, self.hi))
            if note:
                self.memory.note(note)
        segment.last_s = self.hi

    def _write(self, lines: "list[bytes]") -> None:
        """Write lines under one sync, in a new segment when they do not fit the newest."""
        size = sum([len(line) for line in lines])
        try:
            file = self._file
            if file is None or self._segments[-1].size + size > self._segment_bytes:
                file = self._roll(self._free_number())
            for line in lines:
                file.write(line)
            self._flash.sync(file)
        except OSError:  # flash is full or failing: what was begun may be torn, never add to it
            self.close()
            raise JournalFull()
        self._segments[-1].size += size

    def _roll(self, number: int) -> "Any":
        """Begin a segment with a snapshot, whole or not at all; return its open file."""
        self.close()
        segment = Segment(number)
        snapshot: "Record" = {
            "jid": self.jid,
            "s": self.hi,
            "acked": self.acked,
            "memory": self.memory.snapshot(),
        }
        line = as_line(b"S " + json.dumps(snapshot).encode())
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
