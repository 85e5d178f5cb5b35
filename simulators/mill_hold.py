"""How a mill holds and goes on: feed hold, safety door, spindle stop (GRBL 1.1h ``protocol.c``)."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulators.mill import Mill

_DOOR_SPIN_UP_MS = 4000.0  # config.h SAFETY_DOOR_SPINDLE_DELAY
_SPIN_UP_MS = 1000.0  # a spindle turns slower than it should for so long


class Hold:
    """hold: "", braking or done; door: "", open or closed (and waiting for cycle start)."""

    def __init__(self, mill: Mill) -> None:
        self._mill = mill
        self.hold = ""
        self.door = ""
        self.early_moves = 0
        self._closes_at = inf
        self.forget()

    def forget(self) -> None:
        """After a reset; an open door stays open."""
        self.hold = ""
        self._stands_at = inf
        self._goes_at = inf
        self._spun_down = False
        self.door = "open" if self.door == "open" else ""

    @property
    def stands(self) -> bool:
        """Say whether a hold is complete."""
        return self.hold == "done"

    def state(self) -> tuple[str, int | None] | None:
        """State as the status report says it, None when nothing is held."""
        if self.door and self.hold:
            return "Door", self._door_state()
        if self.hold:
            return "Hold", 0 if self.stands else 1
        return None

    def _door_state(self) -> int:
        if self._goes_at < inf:
            return 3
        if not self.stands:
            return 2
        return 1 if self.door == "open" else 0

    # what may happen -------------------------------------------------------------------------
    def feed_hold(self, why: str) -> None:
        """``!`` or the door's byte or pin."""
        mill = self._mill
        if mill.check or mill.alarm:
            return
        if why == "door":
            self.door = self.door or "closed"
        elif not mill.planner.blocks:
            return
        if not self.hold:
            self.hold = "braking"
            self._stands_at = mill.brake()

    def pause(self) -> None:
        """M0: hold where it stands until cycle start."""
        self.hold = "done"

    def open_door(self, for_ms: float) -> None:
        """Spindle off, and no going on before it is closed."""
        self.door = "open"
        self._closes_at = self._mill.now + for_ms
        self.feed_hold("door")

    def toggle_spindle(self) -> None:
        """Spindle stop override, in a hold only."""
        mill = self._mill
        if not self.stands or self.door:
            return
        self._spun_down = not self._spun_down and mill.spindle != 5
        mill.turn_spindle(5 if self._spun_down else mill.modes.spindle)

    def cycle_start(self) -> None:
        """``~`` or the button."""
        mill = self._mill
        if not self.stands or mill.alarm or self.door == "open" or self._goes_at < inf:
            return
        start = mill.spindle == 5 and mill.modes.spindle != 5
        if start:
            mill.turn_spindle(mill.modes.spindle)
        if self.door and start:
            self._goes_at = mill.now + _DOOR_SPIN_UP_MS
        else:  # GRBL 1.1h does not wait for the spindle here, whatever its manual says
            self._go_on()

    def _go_on(self) -> None:
        mill = self._mill
        self._goes_at = inf
        self.hold = self.door = ""
        self._spun_down = False
        if mill.spindle != 5 and mill.planner.blocks and mill.spinning_ms() < _SPIN_UP_MS:
            self.early_moves += 1
        mill.planner.resume(mill.now)

    # time ------------------------------------------------------------------------------------
    def next_ms(self) -> float:
        """When something here is due."""
        return min(self._stands_at, self._closes_at, self._goes_at)

    def on_time(self) -> None:
        """Do what is due."""
        now = self._mill.now
        if self._stands_at <= now:
            self._stand()
        if self._closes_at <= now:
            self._closes_at = inf
            self.door = "closed" if self.hold else ""
        if self._goes_at <= now:
            self._go_on()

    def _stand(self) -> None:
        mill = self._mill
        self._stands_at = inf
        self.hold = "done"
        if self.door:
            mill.turn_spindle(5)
            mill.coolant = frozenset()
        if mill.jogging:
            mill.end_jog()
            self.hold = "done" if self.door else ""
