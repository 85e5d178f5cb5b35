"""How often somebody may: buckets of permits that refill with time, bounded in number."""

import threading
from collections import OrderedDict
from collections.abc import Callable

MOST = 10_000  # buckets kept; the one used longest ago goes first


class Limit:
    """``burst`` permits by key, one more every ``every_s`` seconds."""

    def __init__(self, burst: int, every_s: float, monotonic_s: Callable[[], float]) -> None:
        self._burst = burst
        self._every_s = every_s
        self._monotonic_s = monotonic_s
        self._lock = threading.Lock()
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> float:
        """Take a permit: 0, or the seconds until there is one."""
        with self._lock:
            now_s = self._monotonic_s()
            left = self._now(key, now_s)
            if left < 1:
                return (1 - left) * self._every_s
            self._left[key] = (left - 1, now_s)
            self._left.move_to_end(key)
            if len(self._left) > MOST:
                self._left.popitem(last=False)
            return 0.0

    def give_back(self, key: str) -> None:
        """All permits of a key again: what it was limited for went well."""
        with self._lock:
            self._left.pop(key, None)

    def _now(self, key: str, now_s: float) -> float:
        left, at_s = self._left.get(key, (float(self._burst), now_s))
        return min(float(self._burst), left + (now_s - at_s) / self._every_s)
