"""G-code text: one line to words, without floats.

A word is ``(letter, value)``; value is an integer in millionths of the word's unit (mm gives nm,
G1 gives 1000000), None for a bare letter (``G28 X``). Boards have single-precision floats, which
lose steps on a long print's E axis; integers do not. Source: NIST RS274NGC 3 section 3.3; Marlin
``gcode/parser.cpp``; GRBL 1.1 ``protocol.c``, ``gcode.c``.
"""

from protocols.errors import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    Word = tuple[str, int | None]
    Words = list[Word]

SCALE = 1000000
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DIGITS = "0123456789"
_NUMERIC = _DIGITS + ".+-"
_SPACE = " \t"
_MAX_DIGITS = 9  # before the point; no axis, feed, or code needs more

# Marlin commands whose argument is free text up to the end of the line (parser.cpp, string_arg).
TEXT_COMMANDS = ("M117", "M118", "M0", "M1", "M16", "M23", "M28", "M30", "M32", "M928")


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeError:
        return "".join([chr(b) for b in raw])


def ascii_text(raw: bytes) -> str:
    """Line of a machine as text, ends trimmed; what is not printable ASCII becomes ``?``."""
    data = bytes(raw).strip()
    if data and (max(data) > 126 or min(data) < 32):
        return "".join([chr(b) if 32 <= b < 127 else "?" for b in data])
    return data.decode()


def _without_comments(text: str) -> str:
    while True:
        start = text.find("(")
        if start < 0:
            return text
        end = text.find(")", start)
        text = text[:start] + (text[end + 1 :] if end >= 0 else "")


def _without_number(text: str) -> str:
    at = 1
    while at < len(text) and text[at] in _DIGITS:
        at += 1
    if at == 1:
        return text
    return text[at:].split("*", 1)[0].strip(_SPACE)


def strip(raw: bytes) -> str:
    """Line of a program file as a machine needs it; "" when nothing is left to send.

    Drops ``;`` and ``(...)`` comments, ``%``, line numbers with their checksum, and whole lines
    marked ``/`` (block delete is on). Free text of Marlin (M117 ...) keeps its parentheses.
    """
    at = raw.find(b";")
    text = _text(bytes(raw if at < 0 else raw[:at]).strip())
    if not text or text[0] in "/%":
        return ""
    if text[0] in "Nn":
        text = _without_number(text)
    if "(" in text and command(text) not in TEXT_COMMANDS:
        text = _without_comments(text).strip(_SPACE)
    return text


def number(text: str) -> int:
    """Decimal number in millionths, rounded half away from zero; raise ValueError."""
    digits = text[1:] if text and text[0] in "+-" else text
    whole, _, part = digits.partition(".")
    if not (whole + part).isdigit() or len(whole) > _MAX_DIGITS:
        raise ValueError("not a number")
    value = int(whole or "0") * SCALE + int((part + "000000")[:6])
    if len(part) > 6 and part[6] >= "5":
        value += 1
    return -value if text[0] == "-" else value


def number_text(value: int) -> str:
    """Shortest decimal text of millionths; the twin of ``number``."""
    whole, part = divmod(abs(value), SCALE)
    text = str(whole)
    if part:
        text += "." + "{:06d}".format(part).rstrip("0")
    return "-" + text if value < 0 else text


def _glued_words(code: str) -> "Words":
    compact = "".join(code.split()).upper()
    out: "Words" = []
    at = 0
    while at < len(compact):
        letter = compact[at]
        if letter not in _LETTERS:
            raise WireError("gcode", letter, "a letter is expected")
        start = at = at + 1
        while at < len(compact) and compact[at] in _NUMERIC:
            at += 1
        try:
            out.append((letter, number(compact[start:at]) if at > start else None))
        except ValueError:
            raise WireError("gcode", letter, "is not followed by a number")
    return out


def words(code: str) -> "Words":
    """Words of a stripped line in their order; raise WireError naming the letter."""
    code = code.replace("\t", " ")
    if code and (max(code) > "~" or min(code) < " "):
        raise WireError("gcode", "", "has characters that are not printable ASCII")
    out: "Words" = []
    try:
        for token in code.split():
            letter = token[0]
            if letter not in _LETTERS:
                return _glued_words(code)
            out.append((letter, number(token[1:])))
    except ValueError:
        return _glued_words(code)
    return out


def write_words(line: "Words") -> str:
    """Line of words, separated by spaces; the twin of ``words``."""
    return " ".join([k if v is None else k + number_text(v) for k, v in line])


def command(code: str) -> str:
    """First word of a stripped line in its shortest form (``G01`` is ``G1``); "" when none."""
    at = 1
    while at < len(code) and code[at] in "0123456789.":
        at += 1
    letter = code[:1].upper()
    try:
        return letter + number_text(number(code[1:at]))
    except ValueError:
        return letter


class Modal:
    """Modes that decide what a program's numbers mean: units, distance, tool.

    g90_sets_e: on Marlin G90 and G91 also switch the E axis; elsewhere only M82 and M83 do.
    """

    def __init__(self, g90_sets_e: bool = True) -> None:
        self.g90_sets_e = g90_sets_e
        self.inch = False
        self.relative = False
        self.e_relative = False
        self.tool = 0

    def feed(self, line: "Words") -> None:
        """Take the modal words of one line."""
        for letter, value in line:
            if value is None:
                continue
            if letter == "G":
                self._group(value)
            elif letter == "M" and value in (82 * SCALE, 83 * SCALE):
                self.e_relative = value == 83 * SCALE
            elif letter == "T":
                self.tool = value // SCALE

    def _group(self, code: int) -> None:
        if code in (20 * SCALE, 21 * SCALE):
            self.inch = code == 20 * SCALE
        elif code in (90 * SCALE, 91 * SCALE):
            self.relative = code == 91 * SCALE
            if self.g90_sets_e:
                self.e_relative = self.relative

    def nm(self, value: int) -> int:
        """Length word as nm in the units now in force."""
        return value * 254 // 10 if self.inch else value
