"""Fields inside Marlin's replies: ``ok`` counters, temperatures, positions, as twins.

Source: Marlin ``gcode/queue.cpp`` ok_to_send (ADVANCED_OK), ``module/temperature.cpp``
print_heater_states, ``module/motion.cpp`` report_current_position.
"""

from protocols.gcode import number

TYPE_CHECKING = False
if TYPE_CHECKING:
    Temps = dict[str, tuple[int, int | None]]

_NUMERIC = "0123456789.-"
_HEATERS = "TBCPRA"  # hotend, bed, chamber, probe, redundant, ambient
_AXES = "XYZE"


def _number_at(text: str, at: int) -> "tuple[int | None, int]":
    """Number at or after the spaces at ``at`` in millionths, and where it ends."""
    while at < len(text) and text[at] == " ":
        at += 1
    start = at
    while at < len(text) and text[at] in _NUMERIC:
        at += 1
    try:
        return number(text[start:at]), at
    except ValueError:
        return None, at


def _heater_name(text: str, colon: int) -> str:
    at = colon
    while at and text[at - 1] in "0123456789":
        at -= 1
    if not at or text[at - 1] not in _HEATERS:
        return ""
    if at > 1 and text[at - 2] not in " okT0123456789.":
        return ""
    return text[at - 1 : colon]


def parse_temps(text: str) -> "Temps":
    """Heaters named in text: name -> (now, target or None) in thousandths of a degree."""
    out: "Temps" = {}
    colon = text.find(":")
    while colon >= 0:
        name = _heater_name(text, colon)
        if name:
            now, at = _number_at(text, colon + 1)
            target: "int | None" = None
            while at < len(text) and text[at] == " ":
                at += 1
            if text[at : at + 1] == "/":
                target, at = _number_at(text, at + 1)
            if now is not None:
                out[name] = (now // 1000, None if target is None else target // 1000)
        colon = text.find(":", colon + 1)
    return out


def _degrees(thousandths: int) -> str:
    sign = "-" if thousandths < 0 else ""
    whole, part = divmod(abs(thousandths) // 10, 100)
    return "{}{}.{:02d}".format(sign, whole, part)


def temps_text(temps: "Temps") -> str:
    """Heaters as Marlin prints them, tools first, hundredths of a degree; of parse_temps."""
    out: "list[str]" = []
    for name in sorted(temps, key=lambda n: (_HEATERS.find(n[0]), n)):
        now, target = temps[name]
        out.append(name + ":" + _degrees(now))
        if target is not None:
            out.append("/" + _degrees(target))
    return " ".join(out)


def parse_ok_fields(text: str) -> "tuple[int | None, int | None, int | None]":
    """N, P and B after an ``ok``; None each when absent or damaged."""
    found: "dict[str, int]" = {}
    for token in text.split()[:3]:
        digits = token[1:]
        if token[0] in "NPB" and digits.isdigit() and len(digits) <= 9:
            found[token[0]] = int(digits)
    return found.get("N"), found.get("P"), found.get("B")


def ok_text(n: "int | None", p: "int | None", b: "int | None") -> str:
    """``ok`` with the fields that are not None; the twin of parse_ok_fields."""
    out = "ok"
    for letter, value in (("N", n), ("P", p), ("B", b)):
        if value is not None:
            out += " {}{}".format(letter, value)
    return out


def parse_axes(text: str) -> "dict[str, int]":
    """Axes of an M114 answer, name -> um; empty when the line is none."""
    out: "dict[str, int]" = {}
    if text[:2] != "X:":
        return out
    for token in text.split("Count", 1)[0].split():
        name, _, digits = token.partition(":")
        if name not in ("X", "Y", "Z", "E"):
            continue
        try:
            out[name] = number(digits) // 1000
        except ValueError:
            continue
    return out


def axes_text(axes: "dict[str, int]") -> str:
    """Axes as M114 prints them, in XYZE order; the twin of parse_axes for hundredths of mm."""
    return " ".join([a + ":" + _degrees(axes[a]) for a in _AXES if a in axes])
