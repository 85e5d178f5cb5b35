"""One line a person sends to a machine that holds no order: what it may be, and what it does.

The table of what a program may not hold decides; besides, a line that draws material is refused,
because no order would account for it.
"""

from protocols.forbidden import forbidden
from protocols.gcode import command, strip, words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from protocols.records import Record

_READS = ("M20", "M27", "M31", "M105", "M114", "M115", "M119", "M155", "M503")


def refusal(line: str, dialect: str, rules: "Record | None" = None) -> str:
    """Why a line must not be sent to a ``marlin`` or ``grbl`` machine; "" when it may."""
    raw = line.encode()
    if b"\n" in raw or b"\r" in raw:
        return "must be one line"
    code = strip(raw)
    if not code:
        return "holds nothing to send"
    why = forbidden(raw, dialect, rules)
    if why is None and dialect == "marlin" and _draws(code):
        why = "draws material that no order accounts for"
    return why or ""


def only_reads(line: str) -> bool:
    """Say whether a line makes the machine tell something and do nothing."""
    return command(strip(line.encode())) in _READS


def _draws(code: str) -> bool:
    if command(code) not in ("G0", "G1", "G2", "G3", "G5"):
        return False
    return any([letter == "E" for letter, _ in words(code)])
