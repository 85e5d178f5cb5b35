"""GRBL's serial protocol: real-time bytes, status reports and replies, as twins.

Source: gnea/grbl 1.1h ``doc/markdown/interface.md`` and ``grbl/report.c``. Lengths are integer um,
feeds mm/min, speeds 1/min, overrides percent. A reply is ``(kind, ...)``:

    ("ok",)                      one line taken
    ("error", code)              one line refused; words in grbl_codes
    ("alarm", code)              locked; position may be lost
    ("status", report)           dict with the keys of parse_status
    ("banner", firmware, version)   grbl, grblhal or fluidnc: the machine was reset
    ("msg", text) ("echo", text) ("help", text)
    ("gc", text)                 modes, as of ``$G``
    ("ver", version, text)  ("opt", flags, blocks, rx_bytes)   as of ``$I``
    ("prb", position, hit)       probe, um
    ("offset", name, position)   G54-G59, G28, G30, G92: um
    ("tlo", length)              tool length offset, um
    ("setting", number, text)    ``$10=1``
    ("startup", text)            start-up line being run
    ("unknown", text)            nothing of the above, damaged lines too
"""

from protocols.gcode import ascii_text, number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    Reply = tuple[Any, ...]
    Report = dict[str, Any]

RX_BUFFER_SIZE = 128  # serial.h
BLOCK_BUFFER_SIZE = 16  # planner.h; one block is always free, so $I says 15
LINE_BUFFER_SIZE = 80  # protocol.h, closing zero included

# real-time bytes (interface.md, config.h): act at once, no line end, no answer
STATUS = b"?"
HOLD = b"!"
RESUME = b"~"
RESET = b"\x18"
DOOR = b"\x84"
JOG_CANCEL = b"\x85"
FEED_100, FEED_UP_10, FEED_DOWN_10, FEED_UP_1, FEED_DOWN_1 = 0x90, 0x91, 0x92, 0x93, 0x94
RAPID_100, RAPID_50, RAPID_25 = 0x95, 0x96, 0x97
SPINDLE_100, SPINDLE_UP_10, SPINDLE_DOWN_10, SPINDLE_UP_1, SPINDLE_DOWN_1 = (
    0x99,
    0x9A,
    0x9B,
    0x9C,
    0x9D,
)
SPINDLE_STOP, FLOOD_TOGGLE, MIST_TOGGLE = 0x9E, 0xA0, 0xA1

STATES = ("Idle", "Run", "Hold", "Jog", "Alarm", "Door", "Check", "Home", "Sleep", "Tool")
_BANNERS = (("GrblHAL ", "grblhal"), ("grblHAL ", "grblhal"), ("Grbl ", "grbl"))
_OFFSETS = ("G54", "G55", "G56", "G57", "G58", "G59", "G28", "G30", "G92")


def is_realtime(byte: int) -> bool:
    """Say whether GRBL takes this byte out of the stream and acts on it (serial.c)."""
    return byte in (0x18, 0x21, 0x3F, 0x7E) or byte >= 0x80


def _mm(um: int) -> str:
    sign = "-" if um < 0 else ""
    whole, part = divmod(abs(um), 1000)
    return "{}{}.{:03d}".format(sign, whole, part)


def axes_text(position: "list[int]") -> str:
    """Position in um as GRBL prints it, mm with three decimals; the twin of parse_position."""
    return ",".join([_mm(um) for um in position])


def parse_axes(text: str) -> "list[int]":
    """Comma-separated mm as um; raise ValueError."""
    return [number(part) // 1000 for part in text.split(",")]


def _ints(text: str) -> "list[int]":
    """Comma-separated numbers without their decimals; raise ValueError."""
    return [number(part) // 1000000 for part in text.split(",")]


def _ints_text(values: "list[int]") -> str:
    return ",".join([str(v) for v in values])


# report key: (name on the wire, read, write), in the order GRBL prints them
_FIELDS: "dict[str, tuple[str, Callable[[str], Any], Callable[[Any], str]]]" = {
    "mpos": ("MPos", parse_axes, axes_text),
    "wpos": ("WPos", parse_axes, axes_text),
    "bf": ("Bf", _ints, _ints_text),
    "ln": ("Ln", lambda t: _ints(t)[0], str),
    "feed": ("F", lambda t: _ints(t)[0], str),
    "fs": ("FS", _ints, _ints_text),
    "pins": ("Pn", str, str),
    "wco": ("WCO", parse_axes, axes_text),
    "ov": ("Ov", _ints, _ints_text),
    "accessories": ("A", str, str),
}
_ORDER = ("mpos", "wpos", "bf", "ln", "feed", "fs", "pins", "wco", "ov", "accessories")
_KEYS = {_FIELDS[key][0]: key for key in _FIELDS}


def status(report: "Report") -> str:
    """Status report line of a dict as parse_status gives it."""
    state = report["state"]
    if report.get("sub") is not None:
        state += ":" + str(report["sub"])
    parts = [state]
    for key in _ORDER:
        if key in report:
            name, _, write = _FIELDS[key]
            parts.append(name + ":" + write(report[key]))
    return "<" + "|".join(parts) + ">"


def parse_status(text: str) -> "Report | None":
    """Status report as a dict, None when damaged.

    Keys: state, sub (or None), and where told mpos, wpos, wco (um), bf (blocks, bytes), ln, feed,
    fs (feed, speed), pins, ov (feed, rapid, spindle percent), accessories. Others are dropped.
    """
    if len(text) < 3 or text[0] != "<" or text[-1] != ">":
        return None
    parts = text[1:-1].split("|")
    state, _, sub = parts[0].partition(":")
    if state not in STATES or (sub and not sub.isdigit()):
        return None
    report: "Report" = {"state": state, "sub": int(sub) if sub else None}
    try:
        for part in parts[1:]:
            name, _, value = part.partition(":")
            if name in _KEYS:
                report[_KEYS[name]] = _FIELDS[_KEYS[name]][1](value)
    except ValueError:
        return None
    return report


def _coded(text: str, kind: str, prefix: str) -> "Reply | None":
    digits = text[len(prefix) :]
    if text[: len(prefix)] == prefix and digits.isdigit() and len(digits) <= 4:
        return (kind, int(digits))
    return None


def _banner(text: str) -> "Reply | None":
    for prefix, firmware in _BANNERS:
        if text[: len(prefix)] == prefix:
            version = text[len(prefix) :].split(" ", 1)[0]
            return ("banner", "fluidnc" if "FluidNC" in text else firmware, version)
    return None


def _opt(value: str) -> "Reply":
    parts = (value + ",,").split(",")
    return ("opt", parts[0], int(parts[1]), int(parts[2]))


def _prb(value: str) -> "Reply":
    position, _, hit = value.partition(":")
    return ("prb", parse_axes(position), hit == "1")


def _ver(value: str) -> "Reply":
    version, _, text = value.partition(":")
    return ("ver", version, text)


_BRACKETS: "dict[str, Callable[[str], Reply]]" = {
    "MSG": lambda v: ("msg", v),
    "GC": lambda v: ("gc", v),
    "VER": _ver,
    "OPT": _opt,
    "PRB": _prb,
    "TLO": lambda v: ("tlo", parse_axes(v)[-1]),
    "echo": lambda v: ("echo", v),
    "HLP": lambda v: ("help", v),
}


def _bracket(text: str) -> "Reply | None":
    if text[:1] != "[" or text[-1:] != "]":
        return None
    name, colon, value = text[1:-1].partition(":")
    try:
        if name in _OFFSETS and colon:
            return ("offset", name, parse_axes(value))
        return _BRACKETS[name](value) if name in _BRACKETS and colon else None
    except ValueError:
        return None


def _line(text: str) -> "Reply | None":
    if text[:1] == "$":
        name, equals, value = text[1:].partition("=")
        if equals and name.isdigit() and len(name) <= 4:
            return ("setting", int(name), value)
    if text[:1] == ">":
        return ("startup", text[1:])
    return None


def parse_reply(line: bytes) -> "Reply":
    """One line of the machine as a reply; never raises."""
    text = ascii_text(line)
    if text == "ok":
        return ("ok",)
    if text[:1] == "<":
        report = parse_status(text)
        return ("unknown", text) if report is None else ("status", report)
    reply = _coded(text, "error", "error:") or _coded(text, "alarm", "ALARM:")
    return reply or _bracket(text) or _banner(text) or _line(text) or ("unknown", text)


_WRITERS: "dict[str, Callable[[Reply], str]]" = {
    "ok": lambda r: "ok",
    "error": lambda r: "error:{}".format(r[1]),
    "alarm": lambda r: "ALARM:{}".format(r[1]),
    "status": lambda r: status(r[1]),
    "banner": lambda r: _write_banner(r[1], r[2]),
    "msg": lambda r: "[MSG:" + r[1] + "]",
    "echo": lambda r: "[echo:" + r[1] + "]",
    "help": lambda r: "[HLP:" + r[1] + "]",
    "gc": lambda r: "[GC:" + r[1] + "]",
    "ver": lambda r: "[VER:" + r[1] + ":" + r[2] + "]",
    "opt": lambda r: "[OPT:{},{},{}]".format(r[1], r[2], r[3]),
    "prb": lambda r: "[PRB:{}:{:d}]".format(axes_text(r[1]), r[2]),
    "offset": lambda r: "[{}:{}]".format(r[1], axes_text(r[2])),
    "tlo": lambda r: "[TLO:" + axes_text([r[1]]) + "]",
    "setting": lambda r: "${}={}".format(r[1], r[2]),
    "startup": lambda r: ">" + r[1],
    "unknown": lambda r: r[1],
}


def _write_banner(firmware: str, version: str) -> str:
    name = "GrblHAL" if firmware == "grblhal" else "Grbl"
    help_text = "FluidNC '$' for help" if firmware == "fluidnc" else "'$' for help"
    return "{} {} [{}]".format(name, version, help_text)


def write_reply(reply: "Reply") -> str:
    """One line as the machine prints it; the twin of parse_reply."""
    return _WRITERS[reply[0]](reply)
