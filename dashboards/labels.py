"""Labels for parts: a QR code that leads to the part's record, with a few words beside it.

One page of 80 x 40 mm as PDF, written here: the QR modules as rectangles, the words in Helvetica.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

import segno

MM = 72 / 25.4
WIDTH_MM, HEIGHT_MM, EDGE_MM = 80.0, 40.0, 3.0
QUIET = 4  # modules of white around the code, ISO/IEC 18004 section 9.1
LINE_MM = 5.2
MAX_LETTERS = 26


def qr(url: str) -> segno.QRCode:
    """QR code of a URL; survives a quarter of it being dirty."""
    return segno.make_qr(url, error="q")


def png(url: str) -> bytes:
    """The QR code alone, to print by any means."""
    out = io.BytesIO()
    qr(url).save(out, kind="png", scale=8, border=4)
    return out.getvalue()


def pdf(url: str, words: Sequence[str]) -> bytes:
    """The label: QR code left, at most six lines right, the first one larger."""
    drawing = "\n".join((*_modules(url), *_words(words[:6]))).encode("cp1252", "replace")
    size = f"[0 0 {WIDTH_MM * MM:.2f} {HEIGHT_MM * MM:.2f}]"
    return _file(
        (
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            f"<< /Type /Page /Parent 2 0 R /MediaBox {size} /Contents 4 0 R"
            " /Resources << /Font << /F 5 0 R >> >> >>".encode(),
            b"<< /Length %d >>\nstream\n%b\nendstream" % (len(drawing), drawing),
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        )
    )


def _modules(url: str) -> Iterable[str]:
    """Dark modules as rectangles, y upwards from the bottom as PDF counts."""
    matrix = [list(row) for row in qr(url).matrix]
    side = HEIGHT_MM * MM / (len(matrix) + 2 * QUIET)
    left, top = QUIET * side, HEIGHT_MM * MM - QUIET * side
    for y, row in enumerate(matrix):
        for x, dark in enumerate(row):
            if dark:
                corner = f"{left + x * side:.3f} {top - (y + 1) * side:.3f}"
                yield f"{corner} {side:.3f} {side:.3f} re f"


def _words(words: Sequence[str]) -> Iterable[str]:
    x = HEIGHT_MM * MM  # the code and its white are a square
    for line, text in enumerate(words):
        y = (HEIGHT_MM - 2 * EDGE_MM - 1 - line * LINE_MM) * MM
        short = text if len(text) <= MAX_LETTERS else text[: MAX_LETTERS - 1] + "…"
        plain = short.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
        plain = "".join(letter if letter.isprintable() else " " for letter in plain)
        yield f"BT /F {9 if line == 0 else 7} Tf {x:.2f} {y:.2f} Td ({plain}) Tj ET"


def _file(objects: Sequence[bytes]) -> bytes:
    """A PDF 1.4 of these objects, numbered from 1, with its cross-reference table."""
    out = io.BytesIO()
    out.write(b"%PDF-1.4\n")
    places: list[int] = []
    for number, body in enumerate(objects, 1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%b\nendobj\n" % (number, body))
    begin = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    for place in places:
        out.write(b"%010d 00000 n \n" % place)
    size = len(objects) + 1
    out.write(b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, begin))
    return out.getvalue()
