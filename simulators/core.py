"""What all simulated motion machines share: virtual time, waiting commands, a faulty wire.

``feed`` takes what the host sent, ``step`` lets time pass and gives what the machine says;
``next_ms`` is when it next has something to say. The same seed, bytes and times give the same
output.

A command that waits is a generator that yields when it may go on: ``("room", inf)`` in the planner,
``("sync", inf)`` nothing moves, ``("until", ms)``, or a word its machine knows. One command runs at
a time, and its answer comes when it is through.
"""

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterable
from math import inf

from simulators.faults import Fault, Faults
from simulators.motion import Block, Planner

BOOT_MS = 500.0  # a board's boot loader
Wait = tuple[str, float]
Work = Generator[Wait, None, None]


class Core(ABC):
    """One machine. Times are ms of the virtual clock, never backwards."""

    planner: Planner
    eol = b"\n"

    def __init__(self, faults: Iterable[str], seed: int) -> None:
        self.faults = Faults(faults, seed)
        self._rx_noise = self.faults.noise("rx", seed * 3 + 1)
        self._tx_noise = self.faults.noise("tx", seed * 3 + 2)
        self.now: float = 0.0
        self.lines: int = 0
        self.moves: int = 0
        self._out = bytearray()
        self._gone_until = 0.0
        self._stalled_until = 0.0
        self._deaf_until = 0.0
        self._work: Work | None = None
        self._wait: Wait = ("until", 0.0)

    # for the machine to fill in --------------------------------------------------------------
    @abstractmethod
    def _take(self, data: bytes) -> None:
        """Bytes that arrived."""
        ...

    @abstractmethod
    def _timer_ms(self) -> float:
        """When the machine's own timers are due next."""
        ...

    @abstractmethod
    def _on_time(self) -> None:
        """Do what those timers ask for."""
        ...

    @abstractmethod
    def _ended(self, block: Block) -> None:
        """A motion has ended."""
        ...

    @abstractmethod
    def _next_command(self) -> bool:
        """Run the next command received; False when there is none."""
        ...

    @abstractmethod
    def _answer(self) -> None:
        """The command that waited is through."""
        ...

    @abstractmethod
    def _halted(self) -> bool:
        """Say whether commands stand still."""
        ...

    @abstractmethod
    def _happens(self, fault: Fault) -> bool:
        """Let a fault of this kind of machine happen; False when the command is gone with it."""
        ...

    # bytes -----------------------------------------------------------------------------------
    def say(self, line: str) -> None:
        """Print one line."""
        self._out += line.encode("latin-1", "replace") + self.eol

    def feed(self, data: bytes, now_ms: float) -> None:
        """Bytes from the host. What does not fit into the receive buffer is lost."""
        self._run_to(now_ms)
        if self.now >= max(self._gone_until, self._deaf_until):
            self._take(self._rx_noise(data))
            self._go_on()

    def _reboot(self, now_ms: float) -> None:
        """The board was reset: it says nothing, and what arrives while it starts is lost."""
        self.now = max(self.now, now_ms)
        self._deaf_until = self.now + BOOT_MS

    def step(self, now_ms: float) -> bytes:
        """Let time pass; what the machine says."""
        self._run_to(now_ms)
        if not self._out or self.now < self._deaf_until:
            return b""
        out, self._out = bytes(self._out), bytearray()
        return b"" if self.now < self._gone_until else self._tx_noise(out)

    # time ------------------------------------------------------------------------------------
    def next_ms(self) -> float:
        """When ``step`` next has something to say; inf for never."""
        if self._out and self.now < self._deaf_until:
            return self._deaf_until
        waits = self._work is not None and self._wait[0] in ("room", "sync")
        if waits or self.faults.next_mm < inf:
            return self._event_ms()
        return self._due_ms()

    def _due_ms(self) -> float:
        if self.now < self._stalled_until:
            return self._stalled_until
        until = inf if self._work is None or self._halted() else self._wait[1]
        return min(until, self._timer_ms(), self.faults.next_ms)

    def _event_ms(self) -> float:
        if self.now < self._stalled_until:
            return self._stalled_until
        return min(self._due_ms(), self.planner.end_ms(self.now))

    def _run_to(self, now_ms: float) -> None:
        while True:
            at = self._event_ms()
            if at > now_ms:
                break
            self.now = max(self.now, at)
            self._happen()
        self.now = max(self.now, now_ms)

    def _happen(self) -> None:
        """Do what is due now, then let commands go on."""
        if self.faults.next_ms <= self.now:
            for fault in self.faults.take("ms", self.now):
                self._fault(fault)
        if self.planner.end_ms(self.now) <= self.now:
            self.moves += 1
            self._ended(self.planner.retire())
        self._go_on()
        if self._timer_ms() <= self.now:
            self._on_time()
            self._go_on()

    # commands --------------------------------------------------------------------------------
    def _may_go_on(self) -> bool:
        kind, until = self._wait
        if kind == "room":
            return not self.planner.full
        if kind == "sync":
            return not self.planner.blocks
        return self.now >= until

    def _go_on(self) -> None:
        """Run commands until one has to wait or none is left."""
        while not self._halted() and self.now >= self._stalled_until:
            work = self._work
            if work is None:
                if not self._next_command():
                    return
            elif not self._may_go_on():
                return
            else:
                self._resume(work)

    def _resume(self, work: Work) -> None:
        try:
            self._wait = next(work)
        except StopIteration:
            if self._work is work:
                self._work = None
                self._answer()

    def _begin(self, work: Work) -> None:
        self._work = work
        self._wait = ("until", self.now)

    # faults ----------------------------------------------------------------------------------
    def _line_faults(self, count: int) -> bool:
        """Let the faults of the count-th line happen; False when the line is gone with them."""
        if count < self.faults.next_line:
            return True
        return all([self._fault(fault) for fault in self.faults.take("line", count)])

    def _fault(self, fault: Fault) -> bool:
        if fault.name == "stall":
            self._stalled_until = self.now + fault.for_ms
        elif fault.name == "unplug":
            self._gone_until = self.now + fault.for_ms
        else:
            return self._happens(fault)
        return True
