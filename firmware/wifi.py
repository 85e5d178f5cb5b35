"""Keeps a board in its Wi-Fi network: joins, notices that it is out, joins again with backoff.

``isconnected`` may stay true after the access point is gone (micropython#13370), so the broker
counts too: without it for long the radio is switched off and on.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from protocols.records import Record

FIRST_PAUSE_MS, LAST_PAUSE_MS = 5000, 60000
DEAF_MS = 120000  # joined, yet no broker for so long


class Wifi:
    """One station; ``tick`` several times a second, ``broker_up`` says whether the link is up."""

    def __init__(self, station: "Any", settings: "Record") -> None:
        self._station = station
        self._settings = settings
        self._pause_ms = 0
        self._tried_ms = 0
        self._heard_ms = 0
        self.joins_n = 0

    def tick(self, now_ms: int, broker_up: bool) -> None:
        """Join when it is time."""
        joined = self._station.isconnected()
        if broker_up or (joined and not self._heard_ms):
            self._heard_ms = now_ms
            self._pause_ms = FIRST_PAUSE_MS
        deaf = joined and now_ms - self._heard_ms > DEAF_MS
        if (joined and not deaf) or now_ms - self._tried_ms < self._pause_ms:
            return
        self._tried_ms = self._heard_ms = now_ms
        self._pause_ms = min(LAST_PAUSE_MS, max(FIRST_PAUSE_MS, self._pause_ms * 2))
        self._join()

    def _join(self) -> None:
        self.joins_n += 1
        try:
            self._station.active(False)
            self._station.active(True)
            self._station.connect(self._settings["ssid"], self._settings["password"])
        except OSError:  # the radio is busy: at the next try
            pass
