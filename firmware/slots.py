"""Which of two firmwares to start: slots a and b, and a boot record that no power cut can spoil.

The record is kept twice, in ``boot-0`` and ``boot-1``, each with a checksum and a number; the
newer sound one counts and only the older one is ever written. So a torn write loses the write,
never the record. A new release is written into the slot not in use, its ``manifest`` last, and
goes on trial: each start is counted before it is made, and the third start without ``confirm``
is the last: the fourth goes back to the slot in use.

Copied to the top of flash beside ``main.py``: it never changes with an update, so it imports
nothing of the slots.
"""

import json
from binascii import crc32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Record = dict[str, Any]

SLOTS = ("a", "b")
TRIES = 3
_FILES = ("boot-0", "boot-1")
_MAX_BYTES = 1024


def _parse(data: bytes) -> "Record | None":
    try:
        record = json.loads(data[9:])
        if int(data[:8], 16) != crc32(data[9:]) or record["active"] not in SLOTS:
            return None
        return record if isinstance(record["n"], int) else None
    except (ValueError, TypeError, KeyError):
        return None


def _read(flash: "Any", name: str) -> "Record | None":
    try:
        with flash.open(name, "rb") as file:
            return _parse(file.read(_MAX_BYTES))
    except (OSError, KeyError):
        return None


def read_record(flash: "Any") -> "Record":
    """Record that counts; on flash that holds none: slot a, nothing on trial.

    n: +1 at each write. active: slot in use. trial, tries, version, online: slot on trial, its
    starts, its version, whether the machine answered before. floor: highest version confirmed.
    why, failed: what became of the last trial and its version, until told.
    """
    found = [record for record in [_read(flash, name) for name in _FILES] if record]
    if not found:
        return {"n": 0, "active": "a"}
    return max(found, key=lambda record: record["n"])


def write_record(flash: "Any", record: "Record") -> None:
    """Make a record durable in place of the older one; raise OSError."""
    record["n"] = record["n"] + 1
    data = json.dumps(record).encode()
    with flash.open(_FILES[record["n"] % 2], "wb") as file:
        file.write(b"%08x " % crc32(data) + data)
        flash.sync(file)


def other(slot: str) -> str:
    """The slot that is not this one."""
    return SLOTS[1 - SLOTS.index(slot)]


def running(record: "Record") -> str:
    """Slot that runs under a record as ``choose`` left it."""
    return record.get("trial") or record["active"]


def choose(flash: "Any") -> str:
    """Slot to start now; a start on trial is counted, durably, before it is made."""
    record = read_record(flash)
    if "trial" not in record:
        return record["active"]
    if record["tries"] >= TRIES:
        give_up(record, "did not come up healthy in {} starts".format(TRIES))
    else:
        record["tries"] += 1
    try:
        write_record(flash, record)
    except OSError:  # a start that cannot be counted must not be made
        return record["active"]
    return running(record)


def _forget(record: "Record", names: "tuple[str, ...]") -> None:
    for name in names:
        record.pop(name, None)


def put_on_trial(flash: "Any", version: str, online: bool) -> None:
    """From the next start on, try the slot not in use; raise OSError."""
    record = read_record(flash)
    trial = other(record["active"])
    _forget(record, ("why", "failed"))
    record.update({"trial": trial, "tries": 0, "version": version, "online": online})
    write_record(flash, record)


def give_up(record: "Record", why: str) -> None:
    """Take back a trial in a record that is then to be written."""
    record["failed"] = record.get("version", "")
    record["why"] = why
    _forget(record, ("trial", "tries", "version", "online"))


def confirm(flash: "Any") -> str:
    """The slot on trial is the one in use from now on; return its version. Raise OSError."""
    record = read_record(flash)
    if "trial" not in record:
        return ""
    record["active"] = record["trial"]
    record["floor"] = record["version"]
    _forget(record, ("trial", "tries", "version", "online", "why", "failed"))
    write_record(flash, record)
    return record["floor"]


def forget_why(flash: "Any") -> None:
    """What became of the last trial was told; raise OSError."""
    record = read_record(flash)
    _forget(record, ("why", "failed"))
    write_record(flash, record)


def fall_back(flash: "Any", has_slot: "Any") -> bool:
    """The slot in use cannot even be loaded: use the other one if it holds a whole release."""
    record = read_record(flash)
    if "trial" in record or not has_slot(other(record["active"])):
        return False
    record["why"] = "slot " + record["active"] + " could not be loaded"
    record["failed"] = record.get("floor", "")
    record["active"] = other(record["active"])
    write_record(flash, record)
    return True
