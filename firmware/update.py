"""Update of the firmware itself: a signed release into the slot not in use, tried, confirmed.

Nothing of the running slot is touched. The slot not in use loses its ``manifest`` first and gets
the new one last, after each file was read back from flash with the right hash; then the boot
record puts it on trial (``firmware.slots``) and the firmware restarts. On trial the machine takes
no orders. It is confirmed once the broker, and the machine if it answered before, have been there
for 60 s; if that does not come within 10 min it restarts, which counts as a start that failed.
"""

from binascii import unhexlify

from firmware import slots
from firmware.net import Refused
from firmware.version import VERSION
from protocols.errors import WireError
from protocols.records import cut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from firmware.core import Core
    from firmware.installer import Installer
    from protocols.records import Record

HEALTHY_S = 60
TRIAL_MS = 600000
TOLD_MS = 3000  # between the last words and the restart


class Update:
    """Updates of one machine; ``restart()`` starts the firmware anew and may return."""

    def __init__(
        self,
        core: "Core",
        base: "Any",
        slot: str,
        installer: "Callable[[Callable[[str], None]], Installer]",
        restart: "Callable[[], None]",
    ) -> None:
        self._core = core
        core.why_no_update = self.why_not
        self._base = base
        self._restart = restart
        self.healthy_s = HEALTHY_S
        self._installer = installer  # made when there is something to install
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
        core = self._core
        if core.memory.order is not None or core.fetching is not None:
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
            floor = slots.read_record(self._base).get("floor", VERSION)
            version = await self._installer(self._note).install(release, floor)
            slots.put_on_trial(self._base, version, self._core.online)
            self._restart_ms = self._core.now_ms + TOLD_MS
            self._note("restarts with " + version)
        except (Refused, OSError, WireError) as error:
            self._tell(version, False, str(error))
            self._note("")
        self._busy = False

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
        if self._record.get("online") and not self._core.online:
            healthy = False
        if not healthy:
            self._healthy_ms = None
        elif self._healthy_ms is None:
            self._healthy_ms = now_ms
        elif now_ms - self._healthy_ms >= self.healthy_s * 1000:
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
        self._tell(version, True, "healthy for {} s".format(self.healthy_s))
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
        return self._core.tell("update", {"fw": version, "ok": ok, "why": cut(why, 160)})

    def _note(self, text: str) -> None:
        self._core.upkeep = "update " + text if text else ""
        self._core.changed = True


def key_of(text: str) -> bytes:
    """Public key of its 128 hexadecimal digits; raise WireError."""
    try:
        key = unhexlify(text)
    except ValueError:
        key = b""
    if len(key) != 64:
        raise WireError("config", "update.key", "must be 128 hexadecimal digits")
    return key
