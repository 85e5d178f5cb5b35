"""When moves end: a look-ahead planner with trapezoidal speeds, on a virtual clock.

Lengths are mm, speeds mm/s, accelerations mm/s2, times ms of the virtual clock. Each block may
enter at most at the speed its corner allows (``corner2``) and from which the blocks behind it can
still stop. That second limit is found backwards each time a block is added (``entry2``, squared
speeds; stops at the first block whose limit did not change); what the block before can reach is
found when that block starts. So a machine starved by its host slows down as a real one does.
"""

from collections.abc import Sequence
from math import atan2, cos, hypot, inf, pi, sin, sqrt
from typing import NamedTuple

Vector = tuple[float, ...]
FULL_SPEED_BLOCKS = 3  # queued blocks that end the wait for look-ahead (Marlin planner.cpp)


class Arc(NamedTuple):
    """Circle part in a plane: centre, radius mm, start angle and signed sweep in rad."""

    axes: tuple[int, int]
    centre: tuple[float, float]
    radius: float
    start: float
    sweep: float


class Block:
    """One planned motion. delta: change of every axis; unit: direction at its two ends."""

    __slots__ = (
        "accel",
        "arc",
        "corner2",
        "delta",
        "entry2",
        "length",
        "safe",
        "speed",
        "tag",
        "units",
    )

    def __init__(self, delta: Vector, length: float, speed: float, accel: float) -> None:
        self.delta = delta
        self.length = length
        self.speed = speed
        self.accel = accel
        unit = tuple([d / length for d in delta])
        self.units = (unit, unit)
        self.corner2 = 0.0
        self.safe = 0.0
        self.entry2 = 0.0
        self.arc: Arc | None = None
        self.tag: object = None


def arc_of(start: Sequence[float], centre: Sequence[float], end: Sequence[float], cw: bool) -> Arc:
    """Arc in the plane of the first two axes; start equal to end is a full circle."""
    begin = atan2(start[1] - centre[1], start[0] - centre[0])
    sweep = atan2(end[1] - centre[1], end[0] - centre[0]) - begin
    if cw:
        sweep = sweep - 2 * pi if sweep >= -1e-9 else sweep
    else:
        sweep = sweep + 2 * pi if sweep <= 1e-9 else sweep
    radius = hypot(start[0] - centre[0], start[1] - centre[1])
    return Arc((0, 1), (centre[0], centre[1]), radius, begin, sweep)


def arc_block(arc: Arc, delta: Vector, speed: float, accel: float) -> Block:
    """Block along an arc; the speed is bounded by the centripetal acceleration."""
    a, b = arc.axes
    flat = abs(arc.sweep) * arc.radius
    rise = [d for i, d in enumerate(delta[:3]) if i not in arc.axes]
    length = hypot(flat, *rise)
    block = Block(delta, length, min(speed, sqrt(accel * arc.radius)), accel)
    turn = flat / length if arc.sweep > 0 else -flat / length
    ends: list[Vector] = []
    for angle in (arc.start, arc.start + arc.sweep):
        unit = [d / length for d in delta]
        unit[a], unit[b] = -sin(angle) * turn, cos(angle) * turn
        ends.append(tuple(unit))
    block.units = (ends[0], ends[1])
    block.arc = arc
    return block


def _trapezoid(block: Block, entry2: float, exit2: float) -> tuple[float, float]:
    """Peak speed and duration in s of a block between two squared speeds."""
    twice = 2 * block.accel
    peak2 = block.speed * block.speed
    ramps = (2 * peak2 - entry2 - exit2) / twice
    if ramps <= block.length:
        peak = block.speed
        flat = (block.length - ramps) / peak
    else:
        peak = sqrt(max(block.accel * block.length + (entry2 + exit2) / 2, entry2, exit2))
        flat = 0.0
    return peak, (2 * peak - sqrt(entry2) - sqrt(exit2)) / block.accel + flat


class Planner:
    """Queue of blocks being executed. capacity: blocks it holds; delay_ms: wait for look-ahead."""

    def __init__(self, capacity: int, axes: int, delay_ms: float = 0.0) -> None:
        self.capacity = capacity
        self.delay_ms = delay_ms
        self.blocks: list[Block] = []
        self.position: list[float] = [0.0] * axes
        self.moved_ms = 0.0
        self._last: Block | None = None
        self._entry2 = 0.0
        self._exit2 = 0.0
        self._peak = 0.0
        self._start = 0.0
        self._end = inf
        self._running = False

    @property
    def full(self) -> bool:
        """Say whether the next block has to wait."""
        return len(self.blocks) >= self.capacity

    @property
    def last(self) -> Block | None:
        """Block that a new one would follow without a stop; None after a stop."""
        return self._last if self.blocks else None

    def add(self, block: Block, now_ms: float) -> None:
        """Queue a block whose corner2 is set; the caller has seen that there is room."""
        blocks = self.blocks
        if not blocks:
            self._entry2 = 0.0
            self._start = now_ms + self.delay_ms
            self._running = False
            block.corner2 = 0.0
        blocks.append(block)
        if not self._running and len(blocks) >= FULL_SPEED_BLOCKS:
            self._start = min(self._start, now_ms)
        self._last = block
        limit = 0.0
        for i in range(len(blocks) - 1, 0, -1):
            at = blocks[i]
            limit = min(limit + 2 * at.accel * at.length, at.corner2)
            if limit == at.entry2:
                break
            at.entry2 = limit

    def end_ms(self, now_ms: float) -> float:
        """When the block in motion ends, inf when there is none; starts it if it is time."""
        if self._running:
            return self._end
        if not self.blocks:
            return inf
        if self._start > now_ms:
            return self._start
        block = self.blocks[0]
        reach2 = self._entry2 + 2 * block.accel * block.length
        exit2 = self.blocks[1].entry2 if len(self.blocks) > 1 else 0.0
        self._exit2 = min(exit2, reach2, block.speed * block.speed)
        self._peak, seconds = _trapezoid(block, self._entry2, self._exit2)
        self._end = self._start + seconds * 1000
        self._running = True
        return self._end

    def retire(self) -> Block:
        """Take the block that has ended; the next one starts where and when it ended."""
        block = self.blocks.pop(0)
        position = self.position
        for i, d in enumerate(block.delta):
            position[i] += d
        self.moved_ms += self._end - self._start
        self._start = self._end
        self._entry2 = self._exit2
        self._running = False
        return block

    def speed(self, now_ms: float) -> float:
        """Speed along the path now."""
        if not self._running:
            return 0.0
        block = self.blocks[0]
        after = max(0.0, (now_ms - self._start) / 1000)
        left = max(0.0, (self._end - now_ms) / 1000)
        entry, leave = sqrt(self._entry2), sqrt(self._exit2)
        return min(self._peak, entry + block.accel * after, leave + block.accel * left)

    def _travelled(self, now_ms: float) -> float:
        block = self.blocks[0]
        t = min(max(0.0, (now_ms - self._start) / 1000), (self._end - self._start) / 1000)
        entry, leave, accel = sqrt(self._entry2), sqrt(self._exit2), block.accel
        up = (self._peak - entry) / accel
        if t <= up:
            return entry * t + accel * t * t / 2
        left = (self._end - self._start) / 1000 - t
        if left <= (self._peak - leave) / accel:
            return block.length - (leave * left + accel * left * left / 2)
        return (self._peak * self._peak - self._entry2) / (2 * accel) + self._peak * (t - up)

    def _delta_at(self, block: Block, part: float) -> list[float]:
        out = [d * part for d in block.delta]
        arc = block.arc
        if arc is not None:
            angle = arc.start + arc.sweep * part
            a, b = arc.axes
            out[a] = arc.radius * (cos(angle) - cos(arc.start))
            out[b] = arc.radius * (sin(angle) - sin(arc.start))
        return out

    def part_done(self, now_ms: float) -> float:
        """Share of the block in motion that has been travelled, 0 to 1."""
        if not self._running or not self.blocks:
            return 0.0
        return min(1.0, self._travelled(now_ms) / self.blocks[0].length)

    def where(self, now_ms: float) -> list[float]:
        """Position of every axis now."""
        part = self.part_done(now_ms)
        if part <= 0:
            return list(self.position)
        delta = self._delta_at(self.blocks[0], part)
        return [p + d for p, d in zip(self.position, delta, strict=True)]

    def stop(self, now_ms: float) -> list[Block]:
        """Stop dead and forget what is queued; the blocks given up, the first one partly done."""
        self.position = self.where(now_ms)
        left, self.blocks = self.blocks, []
        self._running = False
        self._end = inf
        return left

    def hold(self, now_ms: float) -> tuple[float, list[Block]]:
        """Brake along the path; when it stands, and the blocks finished on the way.

        The rest of the last block stays at the head of the queue; ``resume`` starts it.
        """
        if not self._running:
            self._start = inf
            return now_ms, []
        speed = self.speed(now_ms)
        brake = speed * speed / (2 * self.blocks[0].accel)
        stands_at = now_ms + speed / self.blocks[0].accel * 1000
        done = self._travelled(now_ms)
        finished: list[Block] = []
        while self.blocks and brake >= self.blocks[0].length - done - 1e-9:
            brake -= self.blocks[0].length - done
            self._end = now_ms
            finished.append(self.retire())
            done = 0.0
        if self.blocks:
            self._cut(min(done + brake, self.blocks[0].length * 0.999999))
        self._start = inf
        self._running = False
        self._entry2 = 0.0
        return stands_at, finished

    def _cut(self, done: float) -> None:
        block = self.blocks[0]
        part = done / block.length
        delta = self._delta_at(block, part)
        self.position = [p + d for p, d in zip(self.position, delta, strict=True)]
        block.delta = tuple([d - s for d, s in zip(block.delta, delta, strict=True)])
        block.length -= done
        if block.arc is not None:
            arc = block.arc
            start, sweep = arc.start + arc.sweep * part, arc.sweep * (1 - part)
            block.arc = arc._replace(start=start, sweep=sweep)

    def resume(self, now_ms: float) -> None:
        """Go on after ``hold``."""
        self._start = now_ms
        self._entry2 = 0.0
