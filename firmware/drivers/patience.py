"""When to ask a GRBL machine for a report, and how long its silence is borne. Times in ms."""

BUSY_ASK_MS = 200
IDLE_ASK_MS = 1000
LOST_AFTER_MS = 12000
HOMING_MS = 120000


class Patience:
    """Last asked, last heard."""

    def __init__(self) -> None:
        self.heard_ms = 0
        self._asked_ms = -IDLE_ASK_MS

    def is_due(self, now_ms: int, busy: bool) -> bool:
        """Say whether to ask now; it then counts as asked."""
        if now_ms - self._asked_ms < (BUSY_ASK_MS if busy else IDLE_ASK_MS):
            return False
        self._asked_ms = now_ms
        return True

    def is_over(self, now_ms: int, homing: bool) -> bool:
        """Say whether the machine was silent for too long; a homing one may be."""
        return now_ms - self.heard_ms > (HOMING_MS if homing else LOST_AFTER_MS)
