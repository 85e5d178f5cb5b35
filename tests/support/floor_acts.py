"""What is done to a floor of real processes: one function for each kind of act, drawn by its seed.

Where an act has a name on virtual time (``support.chaos_faults``), it has that name and meaning
here. Times are real seconds: firmware and broker have real time-outs, of which the longest is 45 s.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

from controller.adapters.faultpoints import WRITER
from support.chaos_broker import Weather

if TYPE_CHECKING:
    from support.chaos_floor import RealFloor

FLASH = ("flash.write", "flash.torn", "flash.sync", "flash.synced", "flash.rename", "flash.renamed")
FREEZES_S = (5.0, 70.0)
LATE_MS = 20_000


# processes killed ------------------------------------------------------------------------------
def kill_controller(floor: RealFloor) -> None:
    floor.children.kill("controller")


def kill_controller_at_write(floor: RealFloor) -> None:
    floor.children.kill("controller")
    floor.start_controller(f"{floor.rng.choice(WRITER)}:{floor.rng.randint(8, 60)}")


def torn_wal(floor: RealFloor) -> None:
    """Killed, and behind the last whole frame of the write-ahead log lies garbage."""
    floor.children.kill("controller")
    for path in floor.folder.glob("*.db-wal"):
        with path.open("ab") as file:
            file.write(floor.rng.randbytes(floor.rng.randint(1, 5000)))


def store_full(floor: RealFloor) -> None:
    floor.children.kill("controller")
    floor.start_controller(f"{floor.rng.choice(WRITER[:2])}:{floor.rng.randint(8, 40)}:full:6")


def kill_firmware(floor: RealFloor) -> None:
    floor.children.kill(floor.some_machine())


def power_cut(floor: RealFloor) -> None:
    """Of board and machine: what the machine had planned is not executed."""
    machine = floor.some_machine()
    floor.children.kill(machine)
    floor.children.signal(f"{machine}.machine", signal.SIGUSR1)


def cut_at_flash_write(floor: RealFloor) -> None:
    machine = floor.some_machine()
    floor.children.kill(machine)
    floor.start_firmware(machine, f"{floor.rng.choice(FLASH)}:{floor.rng.randint(2, 14)}")


def flash_full(floor: RealFloor) -> None:
    machine = floor.some_machine()
    floor.children.kill(machine)
    floor.start_firmware(machine, f"flash.full:{floor.rng.randint(2, 10)}:6")


def torn_program(floor: RealFloor) -> None:
    """Power fails, and a program on flash lost its end."""
    machine = floor.some_machine()
    floor.children.kill(machine)
    for path in floor.flash(machine).glob("p-*.bin"):
        path.write_bytes(path.read_bytes()[:-20] + b"\xff" * 7)


def kill_broker(floor: RealFloor) -> None:
    floor.broker_away(floor.rng.random() * 15)


def kill_database(floor: RealFloor) -> None:
    if floor.database is not None:
        floor.database.stop("immediate")
        floor.database.start()


# freezes ---------------------------------------------------------------------------------------
def freeze_controller(floor: RealFloor) -> None:
    _freeze(floor, floor.children.pid("controller"))


def freeze_machine(floor: RealFloor) -> None:
    _freeze(floor, floor.children.pid(floor.some_machine()))


def freeze_broker(floor: RealFloor) -> None:
    if floor.broker is not None:
        _freeze(floor, floor.broker.pid, group=False)


def _freeze(floor: RealFloor, pid: int, *, group: bool = True) -> None:
    """Stop a process, and what runs below it, for less or more than every time-out."""
    send = os.killpg if group else os.kill
    try:
        send(pid, signal.SIGSTOP)
    except ProcessLookupError:
        return

    def go_on() -> None:
        try:
            send(pid, signal.SIGCONT)
        except ProcessLookupError:
            return  # killed meanwhile

    floor.later(floor.rng.choice(floor.plan.freezes_s), go_on)


# messages --------------------------------------------------------------------------------------
def _weather(floor: RealFloor, weather: Weather) -> None:
    floor.relay.courier.weather = weather
    most_s = floor.plan.weather_s
    floor.later(most_s * (0.2 + 0.8 * floor.rng.random()), floor.clear_up)


def drop(floor: RealFloor) -> None:
    _weather(floor, Weather(drop=floor.rng.choice((0.05, 0.3, 0.9))))


def lie(floor: RealFloor) -> None:
    _weather(floor, Weather(lie=floor.rng.choice((0.1, 0.5, 1.0))))


def double(floor: RealFloor) -> None:
    _weather(floor, Weather(double=floor.rng.choice((0.2, 0.9))))


def reorder(floor: RealFloor) -> None:
    _weather(floor, Weather(reorder=floor.rng.choice((0.2, 0.6))))


def delay(floor: RealFloor) -> None:
    _weather(floor, Weather(late=floor.rng.choice((0.1, 0.5)), late_ms=LATE_MS))


def storm(floor: RealFloor) -> None:
    _weather(floor, Weather(0.1, 0.05, 0.5, 0.3, LATE_MS, 0.2))


def cut(floor: RealFloor) -> None:
    floor.relay.cut(floor.some_machine())


def cut_within(floor: RealFloor) -> None:
    floor.relay.cut(floor.some_machine(), within=True)


def stall(floor: RealFloor) -> None:
    floor.relay.stall(floor.some_machine(), floor.rng.choice(floor.plan.freezes_s))


ACTS: dict[str, Callable[[RealFloor], None]] = {
    "kill controller": kill_controller,
    "kill controller at a write point": kill_controller_at_write,
    "torn WAL": torn_wal,
    "store full": store_full,
    "kill database": kill_database,
    "kill broker": kill_broker,
    "kill firmware": kill_firmware,
    "power cut of a machine": power_cut,
    "power cut at a flash write": cut_at_flash_write,
    "flash full": flash_full,
    "torn program on flash": torn_program,
    "controller frozen": freeze_controller,
    "machine frozen": freeze_machine,
    "broker frozen": freeze_broker,
    "messages dropped": drop,
    "acknowledged and dropped": lie,
    "messages doubled": double,
    "messages reordered": reorder,
    "messages delayed": delay,
    "storm of all five": storm,
    "connection cut": cut,
    "cut within a packet": cut_within,
    "connection stalled": stall,
}
SQLITE, POSTGRESQL = ("torn WAL",), ("kill database",)  # acts that only one kind of store knows


def acts_of(*, postgres: bool) -> list[str]:
    """Acts that can be done to a floor with this kind of store."""
    return [name for name in ACTS if name not in (SQLITE if postgres else POSTGRESQL)]
