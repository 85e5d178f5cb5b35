"""Lines a program must not hold: settings, emergency commands, what no machine can read.

Sources: as ``protocols.gcode``; Marlin ``gcode/gcode.cpp``, GRBL 1.1 ``gcode.c``.
"""

from protocols.errors import WireError
from protocols.gcode import SCALE, TEXT_COMMANDS, command, number_text, strip, words

# Longest program line. Marlin: MAX_CMD_SIZE 96 also holds "N1234567 ", "*255" and a zero. GRBL:
# LINE_BUFFER_SIZE 80 with its zero.
MAX_LINE = {"marlin": 82, "grbl": 79}

_MARLIN_FORBIDDEN = (
    ("uses the memory card", "M20 M21 M22 M23 M24 M25 M26 M27 M28 M29 M30 M32 M33 M524 M928"),
    ("changes the machine's steps per mm", "M92"),
    ("changes the machine's heater guards", "M301 M302 M303 M304"),
    ("reads or writes the machine's kept settings", "M500 M501 M502 M504"),
    ("changes the serial speed", "M575"),
    ("updates the firmware", "M997"),
    ("restarts a stopped machine", "M999"),
    ("is an emergency command, not program text", "M108 M112 M410"),
    ("sets line numbers, which the driver owns", "M110"),
    ("would speak with the machine's voice", "M118"),
    ("answers a prompt that a person must answer", "M876"),
)


def _marlin_reason(code: str) -> "str | None":
    name = command(code)
    for reason, names in _MARLIN_FORBIDDEN:
        if name in names.split():
            return name + " " + reason
    if name in TEXT_COMMANDS:
        return None
    return _words_reason(code)


def _words_reason(code: str) -> "str | None":
    try:
        words(code)
        return None
    except WireError as error:
        return "cannot be read: " + str(error)


def _grbl_reason(code: str) -> "str | None":
    if code[0] == "$":
        return "$ lines command or set up the machine; they are not program text"
    for c in code:
        if c in "?!~" or c > "~":
            return "holds a real-time character, which acts at once"
    reason = _words_reason(code)
    if reason:
        return reason
    for letter, value in words(code):
        if letter == "G" and value in (10 * SCALE, 28100000, 30100000):
            return "G" + number_text(value) + " writes the machine's kept offsets"
    return None


def forbidden(raw: bytes, dialect: str) -> "str | None":
    """Why a line of a program must not be sent to a ``marlin`` or ``grbl`` machine; else None."""
    code = strip(raw)
    if not code:
        return None
    size = len(code.encode())
    if size > MAX_LINE[dialect]:
        return "is {} bytes long, at most {} allowed".format(size, MAX_LINE[dialect])
    for c in code:
        if c < " " and c != "\t":
            return "holds a control character"
    return _marlin_reason(code) if dialect == "marlin" else _grbl_reason(code)
