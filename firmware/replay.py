"""Reads a journal back at the start of a life; needed once, so nothing else imports it."""

import json

from firmware.segment import Segment, body_of, split_event
from protocols.orders import IllegalEvent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.memory import Memory
    from protocols.records import Record


class Replay:
    """What the segments on flash say; folded into a memory on the way."""

    def __init__(self, flash: "Any", memory: "Memory") -> None:
        self.jid = ""
        self.acked = self.hi = 0
        self.damaged = False
        self.segments: "list[Segment]" = []
        self._flash = flash
        self._memory = memory
        for name in flash.names():
            if name.startswith("j-") and name.endswith(".tmp"):
                flash.remove(name)
            elif name.startswith("j-") and name.endswith(".log"):
                self._load(int(name[2:10]))

    def _load(self, number: int) -> None:
        segment = Segment(number)
        with self._flash.open(segment.name, "rb") as file:
            head = self._read(file, segment)
            if head is None or head[:2] != b"S ":
                self.damaged = True
                return
            self._load_snapshot(json.loads(head[2:]))
            body = self._read(file, segment)
            while body is not None:
                try:
                    self._load_record(segment, body)
                except (ValueError, KeyError, TypeError, IllegalEvent):  # lines before it are lost
                    self.damaged = True
                body = self._read(file, segment)
            if body_of(file.readline()) is not None:  # whole lines after a bad one: rot
                self.damaged = True
        segment.last_s = self.hi
        segment.size = self._flash.size(segment.name)
        self.segments.append(segment)

    def _read(self, file: "Any", segment: Segment) -> "bytes | None":
        line = file.readline()
        segment.size += len(line)
        return body_of(line)

    def _load_snapshot(self, value: "Record") -> None:
        if value["jid"] != self.jid:  # first segment, or a journal that was begun anew
            for old in self.segments:
                self._flash.remove(old.name)
            self.segments = []
            self.damaged = False
        elif value["s"] > self.hi:
            self.damaged = True
        else:
            self.segments[-1].clip(value["s"])
        self.jid = value["jid"]
        self.hi = value["s"]
        if not self.segments:  # older segments were removed: all they held is acknowledged
            self.acked = value["s"]
        self.acked = max(self.acked, value["acked"])
        self._memory.restore(value["memory"])

    def _load_record(self, segment: Segment, body: bytes) -> None:
        if body[:2] == b"N ":
            self._memory.note(json.loads(body[2:]))
            return
        s, event, note = split_event(body)
        if s != self.hi + 1:
            self.damaged = True
        if not segment.first_s:
            segment.first_s = s
        self._memory.apply(json.loads(event))
        if note:
            self._memory.note(json.loads(note))
        self.hi = s
