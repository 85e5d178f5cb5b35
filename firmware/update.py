"""Update of the firmware itself: a signed release into the slot not in use, tried, confirmed.

Nothing of the running slot is touched. The slot not in use loses its ``manifest`` first and gets
the new one last, after each file was read back from flash with the right hash; then the boot
record puts it on trial (``firmware.slots``) and the firmware restarts. On trial the machine takes
no orders. It is confirmed once the broker, and the machine if it answered before, have been there
for 60 s; if that does not come within 10 min it restarts, which counts as a start that failed.
"""

import hashlib
import os
from binascii import hexlify, unhexlify

from firmware import slots
from firmware.fetch import Refused
from firmware.flash import Flash, make_folder
from firmware.reports import cut
from firmware.version import VERSION
from protocols import manifest
from protocols.errors import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Awaitable, Callable

    from firmware.agent import Agent
    from protocols.records import Record

    Fetch = Callable[[Any, Record], Awaitable[None]]  # into an open file; raise OSError

HEALTHY_MS = 60000
TRIAL_MS = 600000
TOLD_MS = 3000  # between the last words and the restart
_CHUNK_BYTES = 512
_NEW = manifest.NAME + ".new"


class SlotFlash(Flash):
    """Files of one slot, in folders of their own."""

    def open(self, name: str, mode: str) -> "Any":
        """Open a file in a binary mode, making its folders to write it."""
        if mode == "wb" and "/" in name:
            make_folder(self.folder + "/" + name.rpartition("/")[0])
        return Flash.open(self, name, mode)

    def names(self) -> "list[str]":
        """Paths of all files, sorted."""
        return sorted(self._below(""))

    def _below(self, folder: str) -> "list[str]":
        found: "list[str]" = []
        for name in os.listdir(self.folder + "/" + folder):
            path = folder + name
            if os.stat(self.folder + "/" + path)[0] & 0x4000:
                found += self._below(path + "/")
            else:
                found.append(path)
        return found


def _sha_of(flash: "Any", path: str) -> str:
    total = hashlib.sha256()
    with flash.open(path, "rb") as file:
        part = file.read(_CHUNK_BYTES)
        while part:
            total.update(part)
            part = file.read(_CHUNK_BYTES)
    return hexlify(total.digest()).decode()


class Installer:
    """Brings a release into a slot; ``note`` is told how far it is."""

    def __init__(
        self, slot: "Any", key: bytes, fetch: "Fetch", note: "Callable[[str], None]"
    ) -> None:
        self._slot = slot
        self._key = key
        self._fetch = fetch
        self._note = note

    async def install(self, release: "Record", floor: str) -> str:
        """Have a release {url, sha, size} whole in the slot; return its version.

        Raise Refused, or OSError when it cannot be fetched or written; the slot is then not whole.
        """
        for name in [manifest.NAME] + self._slot.names():
            self._slot.remove(name)
        await self._get(release["url"], dict(release, path=_NEW))
        head = self._judge(floor)
        base = release["url"].rpartition("/")[0] + "/"
        with self._slot.open(_NEW, "rb") as lines:
            lines.readline()
            for n in range(head["files"]):
                file = manifest.file_of(lines.readline())
                self._note("{}: file {} of {}".format(head["version"], n + 1, head["files"]))
                await self._get(base + file["path"], file)
        self._slot.rename(_NEW, manifest.NAME)
        return head["version"]

    def _judge(self, floor: str) -> "Record":
        """Head of the manifest fetched, if it may be installed; raise Refused."""
        try:
            with self._slot.open(_NEW, "rb") as lines:
                head = manifest.read(lines, self._key)
        except WireError as error:
            raise Refused("manifest: {}".format(error))
        asked = manifest.version_of(head["version"])
        if head["version"] == VERSION:
            raise Refused("{} is what runs here".format(VERSION))
        if asked < manifest.version_of(floor):
            raise Refused("{} is older than {}".format(head["version"], floor))
        return head

    async def _get(self, url: str, file: "Record") -> None:
        """Fetch one file and read it back; raise OSError."""
        path = file["path"]
        with self._slot.open(path, "wb") as out:
            await self._fetch(out, {"url": url, "size": file["size"], "sha": file["sha"]})
            self._slot.sync(out)
        if self._slot.size(path) != file["size"] or _sha_of(self._slot, path) != file["sha"]:
            raise Refused(path + " does not match its hash")


class Update:
    """Updates of one machine; ``restart()`` starts the firmware anew and may return."""

    def __init__(
        self,
        agent: "Agent",
        base: "Any",
        slot: str,
        installer: "Callable[[Callable[[str], None]], Installer]",
        restart: "Callable[[], None]",
    ) -> None:
        self._agent = agent
        self._base = base
        self._restart = restart
        self._installer = installer(self._note)
        record = slots.read_record(base)
        self._record: "Record" = record if slots.running(record) == slot else {"active": slot}
        self._started_ms: "int | None" = None
        self._healthy_ms: "int | None" = None
        self._restart_ms: "int | None" = None
        self._busy = False
        if self.on_trial:
            self._note("{} on trial, start {}".format(VERSION, record["tries"]))

    @property
    def on_trial(self) -> bool:
        """Whether what runs is not confirmed yet."""
        return "trial" in self._record

    def why_not(self) -> str:
        """Why an update cannot begin now, "" when it can."""
        agent = self._agent
        if agent.memory.order is not None or agent.fetching is not None:
            return "an order is here: update when the machine is idle"
        if self._busy or self._restart_ms is not None:
            return "an update is being made already"
        if self.on_trial:
            return "{} is on trial: wait until it is confirmed".format(VERSION)
        return ""

    async def run(self, release: "Record") -> None:
        """Install a release and put it on trial, or tell why not; never raises OSError."""
        self._busy = True
        version = release["version"]
        self._note("to " + version)
        try:
            version = await self._installer.install(release, self._floor())
            slots.put_on_trial(self._base, version, self._agent.online)
            self._restart_ms = self._agent.now_ms + TOLD_MS
            self._note("restarts with " + version)
        except (Refused, OSError, WireError) as error:
            self._tell(version, False, str(error))
            self._note("")
        self._busy = False

    def _floor(self) -> str:
        floor = slots.read_record(self._base).get("floor", VERSION)
        return max([floor, VERSION], key=manifest.version_of)

    def tick(self, now_ms: int, healthy: bool) -> None:
        """Call several times a second; healthy: the broker is there and the serial line open."""
        if self._started_ms is None:
            self._started_ms = now_ms
            self._tell_failed()
        if self._restart_ms is not None and now_ms >= self._restart_ms:
            self._restart_ms = None
            self._restart()
        if self.on_trial:
            self._try(now_ms, healthy)

    def _try(self, now_ms: int, healthy: bool) -> None:
        if self._record.get("online") and not self._agent.online:
            healthy = False
        if not healthy:
            self._healthy_ms = None
        elif self._healthy_ms is None:
            self._healthy_ms = now_ms
        elif now_ms - self._healthy_ms >= HEALTHY_MS:
            self._confirm()
            return
        if now_ms - (self._started_ms or 0) >= TRIAL_MS and self._restart_ms is None:
            self._restart_ms = now_ms

    def _confirm(self) -> None:
        try:
            version = slots.confirm(self._base)
        except OSError:  # flash is full or failing: tried again
            self._healthy_ms = None
            return
        self._record = slots.read_record(self._base)
        self._restart_ms = None
        self._tell(version, True, "healthy for {} s".format(HEALTHY_MS // 1000))
        self._note("")

    def _tell_failed(self) -> None:
        """An earlier start gave up a trial: say so once."""
        if "why" not in self._record:
            return
        if self._tell(self._record.get("failed") or "0.0.0", False, self._record["why"]):
            try:
                slots.forget_why(self._base)
            except OSError:
                pass  # told again at the next start

    def _tell(self, version: str, ok: bool, why: str) -> bool:
        return self._agent.tell("update", {"fw": version, "ok": ok, "why": cut(why, 160)})

    def _note(self, text: str) -> None:
        self._agent.upkeep = "update " + text if text else ""
        self._agent.changed = True


def key_of(text: str) -> bytes:
    """Public key of its 128 hexadecimal digits; raise WireError."""
    try:
        key = unhexlify(text)
    except ValueError:
        key = b""
    if len(key) != 64:
        raise WireError("config", "update.key", "must be 128 hexadecimal digits")
    return key
