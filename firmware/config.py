"""Settings of one machine: a JSON file; errors name the field."""

from firmware.sensors import SENSOR_FIELDS
from firmware.underrun import UNDERRUN_FIELDS
from protocols.errors import WireError
from protocols.records import check, parse, unpack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from protocols.records import Record

_MAX_BYTES = 4096
_PORT = ("int", 1, 65535)
_BROKER = (
    ("host", ("text", 255), True, "name or address"),
    ("port", _PORT, False, "1883 when absent"),
    ("user", ("text", 64), False, "login"),
    ("password", ("text", 128), False, "login"),
    ("ca", ("text", 1600), False, "TLS: the only CA to trust, DER in base64"),
)
_SERIAL = (
    ("port", ("text", 200), True, "device, or tcp:host:port, or uart:number on a board"),
    ("baud", ("int", 1200, 4000000), False, "115200 when absent"),
)
_WIFI = (
    ("ssid", ("text", 64), True, "network"),
    ("password", ("text", 128), True, "key"),
)
_UPDATE = (
    ("root", ("text", 100), True, "folder of the slots; empty = top of flash"),
    ("key", ("text", 128), True, "public key of releases: x and y, hexadecimal"),
    ("healthy_s", ("int", 1, 600), False, "a release on trial is confirmed after; 60 when absent"),
)
FIELDS = (
    ("site", ("id",), True, "site this machine belongs to"),
    ("machine", ("id",), True, "id of the machine"),
    ("broker", ("record", _BROKER), True, "MQTT broker"),
    ("serial", ("record", _SERIAL), True, "line to the machine"),
    ("dialect", ("word", ("marlin", "grbl")), True, "language of the machine"),
    ("flash", ("text", 200), True, "folder of journal and programs"),
    ("journal_bytes", ("int", 16384, 2**31 - 1), False, "room of the journal"),
    ("spool_bytes", ("int", 4096, 2**31 - 1), False, "room for programs"),
    ("auto_ready", ("bool",), False, "the machine clears itself after each good order"),
    (
        "g90_sets_e",
        ("bool",),
        False,
        "G90 and G91 also switch the E axis; as the machine's firmware does when absent",
    ),
    ("sensors", ("list", ("record", SENSOR_FIELDS), 8), False, "beside the machine"),
    ("underrun", ("record", UNDERRUN_FIELDS), False, "when a streamed program stays away"),
    ("heartbeat_s", ("int", 1, 3600), False, "up/state at least so often; 15 when absent"),
    ("wifi", ("record", _WIFI), False, "on a board"),
    ("pins", ("id",), False, "pin map of the board"),
    ("prompt", ("bool",), False, "leave the board's USB prompt on; off when absent"),
    ("update", ("record", _UPDATE), False, "where updates go and who signs them"),
)
_DEFAULTS: "Record" = {
    "journal_bytes": 262144,
    "spool_bytes": 67108864,
    "auto_ready": False,
    "heartbeat_s": 15,
    "prompt": False,
}


def read(data: bytes) -> "Record":
    """Settings of the bytes of a file; raise WireError naming the field."""
    value = dict(_DEFAULTS)
    value.update(check(unpack(FIELDS), parse(data, _MAX_BYTES)))
    value["broker"].setdefault("port", 1883)
    value["serial"].setdefault("baud", 115200)
    return value


def load(path: str) -> "Record":
    """Settings of a file; raise WireError."""
    try:
        with open(path, "rb") as file:
            return read(file.read(_MAX_BYTES + 1))
    except OSError as error:
        raise WireError("config", path, "cannot be read: {}".format(error))
