"""Sensors beside the machine: what they saw, in the units of the field registry. No I/O.

A board (or a test) reads pins and calls ``feed(number, raw, now_ms)``; the contract of each kind:

    runout   raw = level of the switch         event ("runout", ch) once it is steadily out
    encoder  raw = pulses counted so far       filament_um; event ("slip", ch) when the machine
                                               pushes and the wheel does not turn
    scale    raw = reading of an HX711          spool_mg, from a median of five
    energy   raw = pulses counted so far       energy_mwh, power_mw

Measured values are telemetry and a check of the count by lines; they never replace it silently.
HX711 data sheet: 24 bits, two's complement, 0x7FFFFF and 0x800000 when out of range.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from protocols.records import Record

SENSOR_FIELDS = (
    ("kind", ("word", ("runout", "encoder", "scale", "energy")), True, "what it is"),
    ("pin", ("text", 40), True, "where it is wired"),
    ("ch", ("int", 0, 15), False, "channel of the machine; 0 when absent"),
    ("out_level", ("int", 0, 1), False, "runout: level when there is no filament; 1 when absent"),
    ("um_per_pulse", ("int", 1, 100000), False, "encoder: filament per pulse"),
    ("zero", ("int", -(2**23), 2**23), False, "scale: reading with nothing on it"),
    ("ug_per_count", ("int", 1, 10**9), False, "scale: mass of one count"),
    ("pulses_per_kwh", ("int", 1, 10**6), False, "energy: as printed on the meter"),
)
DEBOUNCE_MS = 500
MEDIAN_N = 5
SLIP_UM = 8000  # pushed so far beyond what the wheel saw
_RANGE = (-(2**23), 2**23 - 1)  # readings that mean: out of range


class Runout:
    """Switch that the filament holds."""

    def __init__(self, settings: "Record") -> None:
        self._out_level = settings.get("out_level", 1)
        self._since_ms = -1
        self._told = False

    def feed(self, raw: int, now_ms: int) -> "str | None":
        """Take a level; "runout" once when it says so steadily."""
        if raw != self._out_level:
            self._since_ms = -1
            self._told = False
            return None
        if self._since_ms < 0:
            self._since_ms = now_ms
        if self._told or now_ms - self._since_ms < DEBOUNCE_MS:
            return None
        self._told = True
        return "runout"

    def values(self) -> "dict[str, int]":
        """Nothing to measure."""
        return {}


class Encoder:
    """Wheel that the filament turns; compare with what the machine was told to push."""

    def __init__(self, settings: "Record") -> None:
        self._um_per_pulse = settings.get("um_per_pulse", 1000)
        self._first: "int | None" = None
        self._um = 0
        self._slack_um = 0  # pushed by the lines less seen by the wheel
        self._pushed_um = 0
        self._told = False

    def push(self, used_um: int) -> None:
        """Take what the lines have pushed since the order began."""
        self._slack_um += max(0, used_um - self._pushed_um)
        self._pushed_um = used_um

    def feed(self, raw: int, now_ms: int) -> "str | None":
        """Take a pulse count; "slip" once when the filament does not follow."""
        if self._first is None or raw * self._um_per_pulse < self._um:
            self._first = raw  # it was reset
        um = (raw - self._first) * self._um_per_pulse
        if um > self._um:
            self._slack_um = max(0, self._slack_um - (um - self._um))
        self._um = um
        slips = self._slack_um > SLIP_UM
        told, self._told = self._told, slips
        return "slip" if slips and not told else None

    def values(self) -> "dict[str, int]":
        """Length seen since the start."""
        return {"filament_um": self._um}


class Scale:
    """Load cell under a spool, through an HX711."""

    def __init__(self, settings: "Record") -> None:
        self._zero = settings.get("zero", 0)
        self._ug_per_count = settings.get("ug_per_count", 1000)
        self._recent: "list[int]" = []
        self.refused_n = 0

    def feed(self, raw: int, now_ms: int) -> "str | None":
        """Take 24 bits as read; readings out of range are counted and dropped."""
        value = raw - 2**24 if raw >= 2**23 else raw
        if value in _RANGE or not -(2**23) <= value < 2**23:
            self.refused_n += 1
            return None
        self._recent = self._recent[1 - MEDIAN_N :] + [value]
        return None

    def values(self) -> "dict[str, int]":
        """Mass, once there are enough readings."""
        if len(self._recent) < MEDIAN_N:
            return {}
        middle = sorted(self._recent)[MEDIAN_N // 2]
        return {"spool_mg": max(0, (middle - self._zero) * self._ug_per_count // 1000)}


class Energy:
    """Meter with a pulse output (S0, IEC 62053-31)."""

    def __init__(self, settings: "Record") -> None:
        self._per_kwh = settings.get("pulses_per_kwh", 1000)
        self._first: "int | None" = None
        self._last = 0
        self._last_ms = 0
        self._mw = 0

    def feed(self, raw: int, now_ms: int) -> "str | None":
        """Take a pulse count."""
        if self._first is None or raw < self._last:
            self._first = raw - self._total()
            self._last_ms = now_ms
        elif raw > self._last and now_ms > self._last_ms:
            mwh = (raw - self._last) * 10**6 // self._per_kwh
            self._mw = mwh * 3600000 // (now_ms - self._last_ms)
            self._last_ms = now_ms
        self._last = raw
        return None

    def _total(self) -> int:
        return 0 if self._first is None else self._last - self._first

    def values(self) -> "dict[str, int]":
        """Energy since the start and the power between the last two pulses."""
        return {"energy_mwh": self._total() * 10**6 // self._per_kwh, "power_mw": self._mw}


_KINDS = {"runout": Runout, "encoder": Encoder, "scale": Scale, "energy": Energy}


class Sensors:
    """All sensors of one machine, by their number in the settings."""

    def __init__(self, settings: "list[Record]") -> None:
        self.channels: "list[int]" = [each.get("ch", 0) for each in settings]
        self._all: "list[Any]" = [_KINDS[each["kind"]](each) for each in settings]
        self._encoders = [(c, s) for c, s in zip(self.channels, self._all) if hasattr(s, "push")]
        self.events: "list[tuple[str, int]]" = []

    def feed(self, number: int, raw: int, now_ms: int) -> None:
        """Take a raw reading of one sensor."""
        event = self._all[number].feed(raw, now_ms)
        if event is not None:
            self.events.append((event, self.channels[number]))

    def push(self, used_um: "list[int]") -> None:
        """Tell the encoders what the lines have pushed, per channel."""
        for ch, sensor in self._encoders:
            if ch < len(used_um):
                sensor.push(used_um[ch])

    def values(self) -> "dict[str, int]":
        """Telemetry."""
        out: "dict[str, int]" = {}
        for sensor in self._all:
            out.update(sensor.values())
        return out
