"""What goes wrong in a world: one method for each class of fault, drawn from the world's seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from support.chaos_board import Board
from support.chaos_broker import Weather

WRITE_POINTS = ("writer.ran", "writer.settled", "writer.committed", "writer.acknowledged",
                "writer.released", "link.send")  # fmt: skip


class Faults:
    """``begin`` them; ``calm`` ends them and mends what they broke."""

    def __init__(self, world: Any) -> None:
        self.world, self.rng = world, world.rng
        names = world.scope.fault.split("+") if world.scope.fault != "mixed" else list(MIXED)
        self._acts = [] if names == ["none"] else [(name, CLASSES[name]) for name in names]
        self._on = True
        self._restoring = False

    def begin(self) -> None:
        if self._acts:
            self._next()

    def _next(self) -> None:
        if self._on:
            self.world.later(self.rng.expovariate(1 / self.world.scope.every_ms), self._act)

    def _act(self) -> None:
        if not self._on:
            return
        name, act = self.rng.choice(self._acts)
        self.world.faults[name] += 1
        act(self)
        self._next()

    def calm(self) -> None:
        """No more faults; what is broken is mended."""
        self._on = False
        world = self.world
        world.broker.weather = Weather()
        world.broker.start()
        world.desk.frozen = False
        world.desk.kill_at = None
        world.clock.jump_ms = 0
        world.desk.fill_disk(False)
        for board in world.boards.values():
            board.flash.limit = board.flash.cut_at = None

    def _board(self) -> Board:
        """A machine, rather one that is at work."""
        boards = list(self.world.boards.values())
        busy = [board for board in boards if board.order() is not None]
        return self.rng.choice(busy if busy and self.rng.random() < 0.7 else boards)

    def _for(self, ms: float, end: Callable[[], None]) -> None:
        self.world.later(ms, end)

    # processes killed --------------------------------------------------------------------------
    def kill_controller(self) -> None:
        self.world.desk.crash()

    def kill_at_write(self) -> None:
        self._arm(WRITE_POINTS)

    def _arm(self, points: tuple[str, ...]) -> None:
        desk = self.world.desk
        if desk.kill_at is None and desk.site is not None:
            busy = self.rng.random() < 0.7
            point = self.world.scope.point or self.rng.choice(points)
            desk.kill_at = (point, self.rng.randint(1, 4), busy)

    def torn_wal(self) -> None:
        self.world.desk.torn = True
        self._arm(WRITE_POINTS[:3])

    def kill_broker(self) -> None:
        self.world.broker.kill()
        self._for(self.rng.randint(200, 40_000), self.world.broker.start)

    def power_cut(self) -> None:
        both = self.rng.random() < 0.6
        self._board().cut(iron_too=both, off_ms=self.rng.randint(500, 200_000))

    def cut_at_flash_write(self) -> None:
        flash = self._board().flash
        flash.cut_at = flash.operations + self.rng.randint(0, 12)

    # messages ----------------------------------------------------------------------------------
    def _weather(self, weather: Weather, most_ms: int = 90_000) -> None:
        broker = self.world.broker
        broker.weather = weather
        self._for(self.rng.randint(10_000, most_ms), lambda: setattr(broker, "weather", Weather()))

    def drop(self) -> None:
        self._weather(Weather(drop=self.rng.choice((0.05, 0.3, 0.9))))

    def lie(self) -> None:
        self._weather(Weather(lie=self.rng.choice((0.1, 0.5, 1.0))))

    def double(self) -> None:
        self._weather(Weather(double=self.rng.choice((0.2, 0.9))))

    def reorder(self) -> None:
        self._weather(Weather(reorder=self.rng.choice((0.2, 0.6))))

    def delay(self) -> None:
        self._weather(Weather(late=self.rng.choice((0.1, 0.5)), late_ms=90_000))

    def storm(self) -> None:
        self._weather(Weather(0.1, 0.05, 0.5, 0.3, 120_000, 0.2), 300_000)

    # freezes and clocks ------------------------------------------------------------------------
    def freeze_controller(self) -> None:
        desk, broker = self.world.desk, self.world.broker
        ms = self.rng.choice((5000, 70_000, 200_000))
        if desk.frozen or desk.site is None:
            return
        desk.frozen = True
        link = desk.link

        def give_up() -> None:
            if desk.frozen and link is not None and link is broker.link:
                link.lose()

        def thaw() -> None:
            desk.frozen = False
            self.world._work_soon()

        self._for(45_000, give_up)
        self._for(ms, thaw)

    def freeze_machine(self) -> None:
        board = self._board()
        life, ms = board.life, self.rng.choice((5000, 70_000, 200_000))
        if life is None:
            return
        life.frozen_until = self.world.now + ms
        session = life.session
        if session is not None:
            self._for(30_000, lambda: ms > 30_000 and life.alive() and life.socket_dies(session))
        self._for(ms + 10, life.connect)

    def freeze_broker(self) -> None:
        broker = self.world.broker
        broker.frozen = True
        ms = self.rng.choice((5000, 70_000, 150_000))

        def lost() -> None:
            if broker.frozen and broker.link is not None:
                broker.link.lose()

        self._for(45_000, lost)
        self._for(ms, lambda: setattr(broker, "frozen", False))

    def clock_jump(self) -> None:
        clock = self.world.clock
        clock.jump_ms = self.rng.choice((-86_400_000, -3_600_000, 60_000, 3_600_000, 86_400_000))
        self._for(self.rng.randint(20_000, 120_000), lambda: setattr(clock, "jump_ms", 0))

    # disks and flash ---------------------------------------------------------------------------
    def full_store(self) -> None:
        desk = self.world.desk
        desk.fill_disk(True)
        self._for(self.rng.randint(3000, 90_000), lambda: desk.fill_disk(False))

    def full_flash(self) -> None:
        flash = self._board().flash
        flash.limit = sum(map(len, flash.files.values())) + self.rng.choice((1, 300, 1500))
        self._for(self.rng.randint(5000, 120_000), lambda: setattr(flash, "limit", None))

    def replaced_flash(self) -> None:
        board = self._board()
        if board.life is not None:
            self.world.people.replace_flash(board)

    def old_backup(self) -> None:
        """A backup is made; later the store is lost and the backup takes its place; one at once."""
        world = self.world
        if self._restoring:
            return
        self._restoring = True
        world.desk.back_up()

        def restore() -> None:
            self._restoring = False
            if self._on and world.desk.restore():
                world.restore()

        self._for(self.rng.randint(20_000, 200_000), restore)

    # identities --------------------------------------------------------------------------------
    def clone(self) -> None:
        """A second board with a copy of the flash comes up under the same name."""
        world, board = self.world, self._board()
        if board.life is None or any(c.name == board.name for c in world.people.clones):
            return
        twin = world.new_board(board.name, board.kind)
        twin.flash = type(board.flash)(board.flash.files)
        world.people.clones.append(twin)
        self._for(self.rng.randint(10, 3000), twin.boot)

    def namesake(self) -> None:
        """A second board with a flash of its own was given a name that is taken."""
        world, board = self.world, self._board()
        if any(c.name == board.name for c in world.people.clones):
            return
        twin = world.new_board(board.name, board.kind)
        world.people.clones.append(twin)
        self._for(self.rng.randint(10, 3000), twin.boot)


IDENTITIES = ("flash cloned", "flash replaced", "two boards of one name")
CLASSES: dict[str, Callable[[Faults], None]] = {
    "kill controller": Faults.kill_controller,
    "kill controller at a write point": Faults.kill_at_write,
    "torn WAL": Faults.torn_wal,
    "kill broker": Faults.kill_broker,
    "power cut of a machine": Faults.power_cut,
    "power cut at a flash write": Faults.cut_at_flash_write,
    "messages dropped": Faults.drop,
    "acknowledged and dropped": Faults.lie,
    "messages doubled": Faults.double,
    "messages reordered": Faults.reorder,
    "messages delayed": Faults.delay,
    "storm of all five": Faults.storm,
    "controller frozen": Faults.freeze_controller,
    "machine frozen": Faults.freeze_machine,
    "broker frozen": Faults.freeze_broker,
    "clock jumps": Faults.clock_jump,
    "store full": Faults.full_store,
    "flash full": Faults.full_flash,
    "flash replaced": Faults.replaced_flash,
    "old backup restored": Faults.old_backup,
    "flash cloned": Faults.clone,
    "two boards of one name": Faults.namesake,
}
MIXED = (
    "kill controller at a write point", "torn WAL", "kill broker", "power cut of a machine",
    "power cut at a flash write", "messages dropped", "acknowledged and dropped",
    "messages doubled", "messages reordered", "messages delayed", "storm of all five",
    "controller frozen",
    "machine frozen", "broker frozen", "clock jumps", "store full", "flash full",
)  # fmt: skip
