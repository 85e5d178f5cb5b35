"""Lines a program must not hold: settings, emergency commands, what no machine can read.

Sources: as ``protocols.gcode``; Marlin ``gcode/gcode.cpp``, GRBL 1.1 ``gcode.c``, Klipper
``docs/G-Codes.md``. A machine's own rules ({"allow", "deny", "only"}: lists of commands) come
after what no machine is given: kept settings, firmware, restarts, and what the driver owns.
"""

from protocols.errors import WireError
from protocols.gcode import TEXT_COMMANDS, command, number_text, strip, words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from protocols.records import Record

# Longest program line. Marlin: MAX_CMD_SIZE 96 also holds "N1234567 ", "*255" and a zero. GRBL:
# LINE_BUFFER_SIZE 80 with its zero.
MAX_LINE = {"marlin": 82, "grbl": 79}

_MARLIN_NEVER = (
    (
        "uses the memory card",
        "M20 M21 M22 M23 M24 M25 M26 M27 M28 M29 M30 M32 M33 M524 M928 SDCARD_PRINT_FILE",
    ),
    (
        "reads or writes the machine's kept settings",
        "M500 M501 M502 M504 M559 M560 SAVE_CONFIG SAVE_VARIABLE",
    ),
    ("runs a program of the host", "RUN_SHELL_COMMAND"),
    ("changes the serial speed", "M575"),
    ("updates the firmware", "M997"),
    ("restarts a stopped machine", "M999 RESTART FIRMWARE_RESTART"),
    ("is an emergency command, not program text", "M108 M112 M410"),
    ("sets line numbers, which the driver owns", "M110"),
)
_MARLIN_ASKED = (
    ("changes the machine's steps per mm", "M92"),
    ("changes the machine's heater guards", "M301 M302 M303 M304"),
    ("would speak with the machine's voice", "M118"),
    ("answers a prompt that a person must answer", "M876"),
)
_GRBL_NEVER = ("G10", "G28.1", "G30.1")
MOVES = ("G0", "G1", "G2", "G3")  # no rule takes them away
NOT_HERE = " is denied on this machine"
NOT_LISTED = " is not on this machine's list"


def names(code: str, dialect: str) -> "list[str]":
    """Commands of a stripped line, as rules name them; raise WireError when it cannot be read."""
    if dialect == "grbl":
        return [k + number_text(v) for k, v in words(code) if k in "GM" and v is not None]
    if code[1:2] == "_" or code[:2].isalpha():  # a macro by name
        return [code.split()[0].upper()]
    return [command(code)]


def _named(table: "tuple[tuple[str, str], ...]", name: str) -> "str | None":
    for reason, listed in table:
        if name in listed.split():
            return name + " " + reason
    return None


def never(name: str, dialect: str) -> "str | None":
    """Why a command runs on no machine, whatever its rules say; else None."""
    if dialect == "marlin":
        return _named(_MARLIN_NEVER, name)
    return name + " writes the machine's kept offsets" if name in _GRBL_NEVER else None


def by_rules(name: str, rules: "Record") -> "str | None":
    """Why a machine's own rules refuse a command; else None."""
    if name in rules.get("deny", ()):
        return name + NOT_HERE
    only = rules.get("only")
    if only and name[:1] in "GM" and name not in MOVES and name not in only:
        return None if name in rules.get("allow", ()) else name + NOT_LISTED
    return None


def asked(code: str, name: str, dialect: str) -> "str | None":
    """Why a line runs only where its command is allowed; None when it runs anywhere."""
    if dialect == "marlin":
        if len(name) > 1 and name[1:2] not in "0123456789.":
            return name + " is a macro"
        reason = _named(_MARLIN_ASKED, name)
        if reason or name in TEXT_COMMANDS:
            return reason
    return _words_reason(code)


def _words_reason(code: str) -> "str | None":
    try:
        words(code)
        return None
    except WireError as error:
        return "cannot be read: " + str(error)


def _unsendable(code: str, dialect: str) -> "str | None":
    size = len(code.encode())
    if size > MAX_LINE[dialect]:
        return "is {} bytes long, at most {} allowed".format(size, MAX_LINE[dialect])
    for c in code:
        if c < " " and c != "\t":
            return "holds a control character"
        if dialect == "grbl" and (c in "?!~" or c > "~"):
            return "holds a real-time character, which acts at once"
    if dialect == "grbl" and code[0] == "$":
        return "$ lines command or set up the machine; they are not program text"
    return None


def _judged(code: str, dialect: str, rules: "Record | None") -> "str | None":
    if not code:
        return None
    reason = _unsendable(code, dialect)
    if reason:
        return reason
    try:
        for name in names(code, dialect):
            reason = reason or never(name, dialect)
            if rules is not None:
                reason = reason or by_rules(name, rules)
                if name not in rules.get("allow", ()):
                    reason = reason or asked(code, name, dialect)
    except WireError as error:
        return "cannot be read: " + str(error)
    return reason


def kept_out(raw: bytes, dialect: str) -> "str | None":
    """Why a line runs on no machine of a dialect, whatever its rules say; else None."""
    return _judged(strip(raw), dialect, None)


def forbidden(raw: bytes, dialect: str, rules: "Record | None" = None) -> "str | None":
    """Why a line of a program must not be sent to a ``marlin`` or ``grbl`` machine; else None."""
    return _judged(strip(raw), dialect, rules or {})
