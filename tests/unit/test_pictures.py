"""Pictures from outside: sound ones pass without metadata, everything else is refused."""

from __future__ import annotations

import zlib

import pytest

from controller.pictures import MAX_BYTES, BadPicture, examine
from simulators.technician import photo

PNG = photo()


def segment(code: int, body: bytes) -> bytes:
    return bytes((0xFF, code)) + (len(body) + 2).to_bytes(2, "big") + body


FRAME = segment(0xC0, bytes((8, 0, 20, 0, 30, 1, 1, 0x11, 0)))
SCAN = segment(0xDA, bytes((1, 1, 0, 0, 63, 0))) + b"\x12\x34\xff\x00\x56"
JPEG = b"\xff\xd8" + segment(0xE0, b"JFIF\0") + segment(0xDB, bytes(65)) + FRAME + SCAN
JPEG += b"\xff\xd9"
EXIF = segment(0xE1, b"Exif\0\0GPS 52.5 13.4")


def chunk(name: bytes, body: bytes) -> bytes:
    check = zlib.crc32(name + body).to_bytes(4, "big")
    return len(body).to_bytes(4, "big") + name + body + check


def test_a_sound_picture_is_kept_byte_for_byte() -> None:
    assert examine(PNG) == ("png", 16, 16, PNG)
    assert examine(JPEG) == ("jpeg", 30, 20, JPEG)


def test_metadata_and_what_follows_the_picture_are_left_out() -> None:
    told = PNG[:33] + chunk(b"tEXt", b"Author\0somebody") + PNG[33:] + b"<script>"
    assert examine(told).content == PNG
    told = JPEG[:2] + EXIF + segment(0xFE, b"at home") + JPEG[2:]
    assert examine(told).content == JPEG


BAD = {
    "empty": (b"", "neither"),
    "a page": (b"<svg onload='x'/>", "neither"),
    "cut PNG": (PNG[:-12], "cut off"),
    "damaged PNG": (PNG[:20] + b"x" + PNG[21:], "damaged"),
    "no header": (PNG[:8] + chunk(b"IDAT", b""), "header"),
    "cut JPEG": (JPEG[:-2], "cut off"),
    "no frame": (b"\xff\xd8" + SCAN + b"\xff\xd9", "cut off"),
    "lost JPEG": (b"\xff\xd8\x00\x00\x00\x00", "damaged"),
    "two in one": (JPEG[:-2] + JPEG[:2] + JPEG[-2:], "another"),
    "wide": (PNG[:8] + chunk(b"IHDR", b"\xff" * 13) + PNG[33:], "sides"),
    "large": (PNG + bytes(MAX_BYTES), "larger"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_not_one_sound_picture_is_refused(case: str) -> None:
    content, words = BAD[case]
    with pytest.raises(BadPicture, match=words):
        examine(content)
