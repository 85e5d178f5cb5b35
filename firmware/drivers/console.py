"""What a machine answered to a line of a person, as text of bounded size."""

MAX_LINES = 16
MAX_CHARS = 120


def answer(raw: "list[bytes]") -> "list[str]":
    """Lines of a serial line as text; what is not printable ASCII shows as ``?``."""
    return [_plain(line[:MAX_CHARS]) for line in raw[:MAX_LINES]]


def _plain(line: bytes) -> str:
    return "".join([chr(c) if 32 <= c < 127 else "?" for c in line])
