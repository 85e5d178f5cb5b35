"""One file of the journal: lines with a checksum each, and what of it is remembered in memory."""

from binascii import crc32


class Segment:
    """A file by its number."""

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
        """Name of the file."""
        return "j-{:08d}.log".format(self.number)


def as_line(body: bytes) -> bytes:
    """Line of a content; the twin of ``body_of``."""
    return b"%08x " % (crc32(body) & 0xFFFFFFFF) + body + b"\n"


def body_of(line: bytes) -> "bytes | None":
    """Content of a whole line, None when it is torn or rotten."""
    if len(line) < 11 or line[-1] != 10 or line[8] != 32:
        return None
    body = line[9:-1]
    return body if line[:8] == b"%08x" % (crc32(body) & 0xFFFFFFFF) else None


def split_event(body: bytes) -> "tuple[int, bytes, bytes]":
    """(s, event, note) of an E record; the note is empty when there is none."""
    space = body.find(b" ", 2)
    tab = body.find(b"\t", space)
    end = len(body) if tab < 0 else tab
    return int(body[2:space]), body[space + 1 : end], body[end + 1 :]
