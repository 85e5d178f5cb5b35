"""Messages between machine and controller, each declared once; encode and decode are twins.

Integers are in the unit their name ends with (mg, um, ms, mc = thousandths of a degree Celsius);
times named ``t`` are milliseconds of UTC since 1970. Tables are checked against docs/wire.md.
"""

from protocols.errors import WireError
from protocols.identity import IDENTITY_FIELDS
from protocols.records import MAX_INT, check, parse, unpack, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from protocols.records import Fields, Record

MAX_UP_BYTES = 4096
MAX_DOWN_BYTES = 4096

_COUNT = ("int", 0, MAX_INT)
_EPOCH = ("int", 1, 2**31 - 1)
_ID = ("id",)
_WHY = ("text", 160)
_V = ("v", ("int", 1, 1), True, "version of this protocol")
_T = ("t", _COUNT, False, "floor time in ms of UTC; absent while the machine has no time")
_TQ = ("tq", ("word", ("none", "held", "synced")), True, "quality of t: held = since dn/time")
_TERM = ("term", _COUNT, True, "term of the controller; a lower one than seen is refused")
_TERM_LATER = (
    "term",
    _COUNT,
    False,
    "as in dn/want; older controllers leave it out",
)
_BN = ("bn", _ID, True, "boot nonce: new at each start of the firmware")
_JID = ("jid", _ID, True, "journal id: new whenever flash was empty")

MACHINE_STATES = ("off", "idle", "busy", "paused", "fault", "maintenance", "stopped")
PHASES = ("idle", "offer", "grant", "stop")
COMMANDS = tuple("pause resume cancel stop clear load unload identify hello update console".split())
PROGRAM_KINDS = ("marlin", "grbl")

_ORDER = ("order", _ID, True, "job order")
_EP = ("ep", _EPOCH, True, "epoch: the fencing number of this attempt")
_ORDER_FIELDS = (_ORDER, _EP)

RUNNING_FIELDS = (
    _ORDER,
    _EP,
    (
        "st",
        ("word", ("claimed", "running", "paused", "ended")),
        True,
        "where the order stands on the machine",
    ),
    ("done_ppm", ("int", 0, 1000000), True, "share of the program acknowledged by the machine"),
)
COUNTER_FIELDS = (
    ("ch", ("int", 0, 15), True, "channel: tool or feeder of the machine"),
    ("lot", _ID, True, "lot loaded there"),
    ("cum_mg", _COUNT, True, "mass drawn since the journal began; never decreases"),
    ("unc_mg", _COUNT, True, "part of cum_mg that is not known for certain"),
)
LOT_FIELDS = (
    ("ch", ("int", 0, 15), True, "channel"),
    ("lot", _ID, True, "lot that must be loaded there"),
    ("ug_per_m", _COUNT, False, "filament: mass of one metre in micrograms"),
    ("piece_mg", _COUNT, False, "stock: mass of the piece consumed when cutting begins"),
)
PROGRAM_FIELDS = (
    ("url", ("text", 400), True, "where the bytes are, by ranged HTTP"),
    ("sha", ("sha256",), True, "SHA-256 of the program"),
    ("size", _COUNT, True, "bytes"),
    ("kind", ("word", PROGRAM_KINDS), True, "language of the program"),
    (
        "rules",
        ("map", ("list", ("text", 24), 16), 3),
        False,
        "commands this machine takes: allow, deny, only",
    ),
)
RELEASE_FIELDS = (
    ("url", ("text", 400), True, "where its manifest is; its files are beside it"),
    ("sha", ("sha256",), True, "SHA-256 of the manifest"),
    ("size", _COUNT, True, "bytes of the manifest"),
    ("version", ("text", 20), True, "of the firmware, as 1.2.3"),
)
_CLAIM_BN = (
    "bn",
    _ID,
    False,
    "boot the claim was made in: a clone of the flash holds the claim too",
)
CLAIM_FIELDS = (_JID, ("s", _COUNT, True, "sequence number of the claim granted"), _CLAIM_BN)

MESSAGES = {
    "up/state": (
        _V,
        ("on", ("bool",), True, "false in the last will"),
        _BN,
        _JID,
        ("st", ("word", MACHINE_STATES), True, "state of the machine"),
        ("ready", ("bool",), True, "bed or fixture confirmed clear since the last motion"),
        ("hi", _COUNT, False, "last event written"),
        ("last_ep", ("int", 0, 2**31 - 1), False, "highest epoch ever claimed, 0 = none"),
        ("order", ("record", RUNNING_FIELDS), False, "order held"),
        ("need", ("text", 80), False, "what the machine needs a person for, in words"),
        ("fw", ("text", 40), True, "firmware version"),
        _T,
        _TQ,
    ),
    "up/hello": (
        _V,
        _BN,
        _JID,
        ("lo", _COUNT, True, "first event still in the journal"),
        ("hi", _COUNT, True, "last event written"),
        ("last_ep", ("int", 0, 2**31 - 1), True, "highest epoch ever claimed, 0 = none"),
        _TERM,
        ("order", ("record", RUNNING_FIELDS), False, "order held"),
        ("ctr", ("list", ("record", COUNTER_FIELDS), 16), True, "material counters"),
        ("fw", ("text", 40), True, "firmware version"),
        ("boot", ("text", 40), True, "cause of the last start"),
        ("machine", ("record", IDENTITY_FIELDS), False, "what answers on the serial line"),
    ),
    "up/ev": (
        _V,
        _JID,
        ("s", ("int", 1, MAX_INT), True, "+1 for each event of the journal"),
        _T,
        _TQ,
        ("ty", _ID, True, "type of event"),
    ),
    "up/tele": (
        _V,
        _BN,
        ("n", _COUNT, True, "+1 per message since the start; gaps are losses"),
        _T,
        _TQ,
        (
            "m",
            ("map", ("int", -MAX_INT, MAX_INT), 32),
            True,
            "values by field name, see the field registry",
        ),
    ),
    "up/rsp": (
        _V,
        ("id", _ID, True, "id of the command answered"),
        ("ok", ("bool",), True, "whether it was done"),
        ("code", _ID, True, "done, stale, expired, refused, unknown"),
        ("msg", _WHY, False, "reason in words"),
        ("lines", ("list", ("text", 120), 16), False, "what the machine answered; with console"),
    ),
    "dn/want": (
        _V,
        _TERM,
        ("rev", _COUNT, True, "+1 at each change for this machine"),
        ("ph", ("word", PHASES), True, "what the controller wants"),
        ("order", _ID, False, "job order; with offer, grant, stop"),
        ("ep", _EPOCH, False, "epoch; with offer, grant, stop"),
        ("claim", ("record", CLAIM_FIELDS), False, "the claim granted; with grant"),
        ("prog", ("record", PROGRAM_FIELDS), False, "program; with offer, grant"),
        (
            "lots",
            ("list", ("record", LOT_FIELDS), 16),
            False,
            "lots to draw from; with offer, grant",
        ),
        ("label", ("text", 60), False, "what people call this order"),
    ),
    "dn/ack": (_V, _TERM, _JID, ("s", _COUNT, True, "every event up to this one is committed")),
    "dn/cmd": (
        _V,
        _TERM,
        ("id", _ID, True, "idempotency key"),
        ("bn", _ID, True, "boot the command was meant for"),
        ("t", _COUNT, False, "floor time in ms of UTC when it was asked"),
        ("do", ("word", COMMANDS), True, "verb"),
        ("ep", _EPOCH, False, "epoch it was meant for"),
        ("upto", _COUNT, False, "refused after an order of a later epoch; with clear"),
        ("ttl_ms", ("int", 1, 3600000), True, "real ms after t; then not done, if t is known"),
        ("who", ("text", 60), True, "person who asked"),
        ("ch", ("int", 0, 15), False, "channel; with load, unload"),
        ("lot", _ID, False, "lot; with load, unload"),
        ("release", ("record", RELEASE_FIELDS), False, "firmware; with update"),
        ("line", ("text", 100), False, "line for the machine; with console"),
    ),
    "dn/time": (
        _V,
        ("t", _COUNT, True, "floor time in ms of UTC"),
        ("rate", ("int", 1, 10000), True, "floor seconds per second; 1 on a real floor"),
        _TERM_LATER,
    ),
    "state": (_V, ("on", ("bool",), True, "false in the last will"), _TERM, _T),
}

SOURCES = ("lines", "piece", "sensor", "host", "estimate")

EVENTS = {
    "claim": _ORDER_FIELDS + (_CLAIM_BN,),
    "declined": _ORDER_FIELDS + (("why", _WHY, True, "reason in words"),),
    "started": _ORDER_FIELDS
    + (("sha", ("sha256",), True, "program that is about to move the machine"),),
    "paused": _ORDER_FIELDS + (("why", _WHY, True, "reason in words"),),
    "resumed": _ORDER_FIELDS,
    "finished": _ORDER_FIELDS
    + (
        ("ok", ("bool",), True, "whole program executed"),
        ("why", _WHY, False, "reason when not ok"),
        ("cancelled", ("bool",), False, "ended because a person asked"),
        ("lines", _COUNT, True, "program lines acknowledged by the machine"),
        ("len_um", ("list", _COUNT, 16), True, "filament the program drew per tool"),
        ("run_ms", _COUNT, True, "floor time from started to the end"),
    ),
    "interrupted": _ORDER_FIELDS
    + (
        ("lines", _COUNT, True, "lines known to be acknowledged; more may have been executed"),
        ("why", _WHY, True, "reason in words"),
    ),
    "material": COUNTER_FIELDS
    + (
        ("order", _ID, False, "order it was drawn for"),
        ("ep", _EPOCH, False, "epoch"),
        ("src", ("word", SOURCES), True, "how it is known; host: the machine's own program"),
    ),
    "load": (("ch", ("int", 0, 15), True, "channel"), ("lot", _ID, True, "lot")),
    "unload": (("ch", ("int", 0, 15), True, "channel"), ("lot", _ID, True, "lot")),
    "weigh": (("lot", _ID, True, "lot"), ("mass_mg", _COUNT, True, "mass on the scale")),
    "fault": (("code", _ID, True, "stable word"), ("msg", _WHY, True, "what the machine said")),
    "update": (
        ("fw", ("text", 20), True, "firmware version that was tried"),
        ("ok", ("bool",), True, "confirmed; else refused or rolled back"),
        ("why", _WHY, True, "reason in words"),
    ),
    "op": (
        ("who", ("text", 60), True, "person"),
        ("act", ("word", COMMANDS), True, "what the person did"),
        ("id", _ID, False, "command it came by"),
    ),
}


def _limit(leaf: str) -> int:
    return MAX_UP_BYTES if leaf.startswith("up/") else MAX_DOWN_BYTES


def fields_of(leaf: str, value: "Record") -> "Fields":
    """Table of a message; an event's is its head and the body of its type (none when unknown)."""
    if leaf not in MESSAGES:
        raise WireError("unknown", "", "is not a message: " + leaf)
    head = unpack(MESSAGES[leaf])
    ty = value.get("ty")
    if leaf == "up/ev" and isinstance(ty, str) and ty in EVENTS:
        return head + unpack(EVENTS[ty])
    return head


def encode(leaf: str, value: "Record") -> bytes:
    """Message to bytes (UTF-8 JSON); raise WireError naming the field that does not fit."""
    fields = fields_of(leaf, value)
    data = write(fields, check(fields, value)).encode()
    if len(data) > _limit(leaf):
        raise WireError(
            "size", "", "is {} bytes, at most {} allowed".format(len(data), _limit(leaf))
        )
    return data


def decode(leaf: str, data: bytes) -> "Record":
    """Bytes to message; raise WireError. An event of unknown type keeps its head only."""
    value = parse(data, _limit(leaf))
    head = check(fields_of(leaf, {}), value)
    if leaf == "up/ev" and head["ty"] in EVENTS:
        head.update(check(unpack(EVENTS[head["ty"]]), value))
    return head
