"""PNG and JPEG files from outside: bounded, walked from start to end, without what tells on people.

``examine`` reads structure only, never pixels: PNG chunks with their CRC (W3C PNG 3, section 5),
JPEG segments up to the scan and the end of image (ITU-T T.81, annex B). ``clean`` leaves out
metadata (EXIF with its place and time, comments, text) and anything after the picture's end.
"""

import zlib
from collections.abc import Iterator
from typing import NamedTuple

MAX_BYTES = 4 * 1024 * 1024
MAX_SIDE = 12_000
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"sRGB", b"cHRM", b"bKGD")
_SOF = (0xC0, 0xC1, 0xC2)
_PLAIN = (0xC4, 0xDB, 0xDD, 0xE0, *_SOF)  # tables, restart interval, JFIF, frame


class BadPicture(Exception):
    """Bytes that are not one sound picture; the message says why."""


class PictureFacts(NamedTuple):
    """Kind (png or jpeg), sides in pixels, and the file without metadata."""

    kind: str
    width: int
    height: int
    content: bytes


def examine(content: bytes) -> PictureFacts:
    """Facts of a picture file; raise BadPicture."""
    if len(content) > MAX_BYTES:
        raise BadPicture(f"is larger than {MAX_BYTES // 1024 // 1024} MiB")
    if content.startswith(_PNG):
        found = _png(content)
    elif content.startswith(b"\xff\xd8"):
        found = _jpeg(content)
    else:
        raise BadPicture("is neither PNG nor JPEG")
    if not (0 < found.width <= MAX_SIDE and 0 < found.height <= MAX_SIDE):
        raise BadPicture(f"has sides of {found.width} x {found.height}, at most {MAX_SIDE} allowed")
    return found


def _png(content: bytes) -> PictureFacts:
    kept = [_PNG]
    size = (0, 0)
    names: list[bytes] = []
    for name, body in _chunks(content):
        if not names and (name != b"IHDR" or len(body) != 13):
            raise BadPicture("is a PNG without its header")
        names.append(name)
        if name == b"IHDR":
            size = (int.from_bytes(body[:4], "big"), int.from_bytes(body[4:8], "big"))
        if name in _PNG_KEPT:
            check = zlib.crc32(name + body).to_bytes(4, "big")
            kept.append(len(body).to_bytes(4, "big") + name + body + check)
    if names[-1:] != [b"IEND"] or b"IDAT" not in names:
        raise BadPicture("is a PNG that was cut off")
    return PictureFacts("png", *size, b"".join(kept))


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_PNG)
    while at + 12 <= len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        name, body = content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        check = content[at + 8 + length : at + 12 + length]
        if len(check) < 4 or zlib.crc32(name + body).to_bytes(4, "big") != check:
            raise BadPicture("is a damaged PNG")
        yield name, body
        if name == b"IEND":
            return
        at += 12 + length


def _jpeg(content: bytes) -> PictureFacts:
    kept = [b"\xff\xd8"]
    size = (0, 0)
    at = 2
    while at + 4 <= len(content):
        if content[at] != 0xFF:
            raise BadPicture("is a damaged JPEG")
        code, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4], "big")
        segment = content[at : at + 2 + length]
        if length < 2 or len(segment) < 2 + length:
            raise BadPicture("is a JPEG that was cut off")
        if code in _SOF and length >= 8:
            size = (
                int.from_bytes(segment[7:9], "big"),
                int.from_bytes(segment[5:7], "big"),
            )
        if code == 0xDA:  # the scan: entropy-coded up to the end of image
            end = content.rfind(b"\xff\xd9")
            if end < at or size == (0, 0):
                raise BadPicture("is a JPEG that was cut off")
            kept.append(_scan(content[at:end]) + b"\xff\xd9")
            return PictureFacts("jpeg", *size, b"".join(kept))
        if code in _PLAIN:
            kept.append(segment)
        at += 2 + length
    raise BadPicture("is a JPEG without a picture")


def _scan(content: bytes) -> bytes:
    """The scans of a picture; a second picture inside (a thumbnail's end) is not one of ours."""
    if b"\xff\xd8" in content:
        raise BadPicture("is a JPEG with another one inside")
    return content
