"""A simulated floor: which machines it has, and the processes that make them real.

Each printer and mill is two processes: a simulated machine behind a pseudo-terminal and the
firmware that drives it, on MicroPython where it is installed. A cell is an OPC UA server.
"""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from controller.adapters.broker import free_port
from controller.adapters.site_file import LotEntry, MachineEntry
from fabcommons.client import CliError
from fabcommons.processes import Children, ProcessError

PRINTER: dict[str, Any] = {
    "process": ["fdm"],
    "nozzle_um": 400,
    "volume_um": [250_000, 210_000, 200_000],
    "filament_diameter_um": 1750,
    "slicer_profile": ["petg-0.3mm"],
}
MILL: dict[str, Any] = {
    "process": ["mill"],
    "tool_um": 3000,
    "spindle_rpm": 24_000,
    "volume_um": [400_000, 300_000, 80_000],
}
CELL: dict[str, Any] = {"process": ["assemble"], "payload_g": 3000}
BENCH: dict[str, Any] = {
    "process": ["inspect", "station", "clean", "deburr", "tap", "load", "move", "pack"]
}
CLEAR_S = 30  # floor time in which a robot clears a bed
PETG_UG_PER_M = 3_054_738  # 1.75 mm, 1.27 g/cm3
SPOOL_MG = 1_000_000
PLATES = 60
PLATE_MG = 38_000


@dataclass(frozen=True, slots=True)
class Extent:
    """How many machines of each kind, and how fast their time runs."""

    printers: int = 4
    mills: int = 2
    cells: int = 1
    stations: int = 1
    time_scale: int = 60
    seed: int = 1
    firmware: str = "auto"
    robot_clears: bool = False  # cells clear the beds of printers
    faults: dict[str, str] = field(default_factory=dict[str, str])


class Floor:
    """The simulated machines of a demo in a folder; ``truths`` says what they physically did."""

    def __init__(self, extent: Extent, folder: Path) -> None:
        self.extent = extent
        self.folder = folder
        self._cell_ports = [free_port() for _ in range(extent.cells)]

    def machines(self) -> list[MachineEntry]:
        """Entries for the site's settings."""
        extent = self.extent
        entries = [_entry("printer", n, PRINTER) for n in range(1, extent.printers + 1)]
        entries += [_entry("mill", n, MILL) for n in range(1, extent.mills + 1)]
        for n, port in enumerate(self._cell_ports, 1):
            url = f"opc.tcp://127.0.0.1:{port}/cell"
            can = self._cell(n)
            entries.append(MachineEntry(f"cell-{n}", "cell", "opcua", f"Cell {n}", url, can))
        for n in range(1, extent.stations + 1):
            entries.append(
                MachineEntry(f"bench-{n}", "station", "person", f"Bench {n}", None, BENCH)
            )
        return entries

    def _cell(self, number: int) -> dict[str, Any]:
        """Capability of a cell; the printers are shared out among those that clear beds."""
        extent = self.extent
        if not extent.robot_clears:
            return CELL
        served = [f"printer-{n}" for n in range(number, extent.printers + 1, extent.cells)]
        return {**CELL, "clears": served, "pose": "stub", "clear_s": CLEAR_S}

    def lots(self) -> list[LotEntry]:
        """A spool for each printer and a stack of plates for each mill."""
        colours = ("orange", "black", "white", "blue")
        spools = [
            LotEntry(
                id=f"spool-{n}",
                material="petg",
                kind="spool",
                mass_mg=SPOOL_MG,
                ug_per_m=PETG_UG_PER_M,
                colour=colours[n % len(colours)],
                machine=f"printer-{n}",
            )
            for n in range(1, self.extent.printers + 1)
        ]
        plates = [
            LotEntry(
                id=f"plates-{n}",
                material="mdf-6",
                kind="plate",
                pieces=PLATES,
                piece_mg=PLATE_MG,
                machine=f"mill-{n}",
            )
            for n in range(1, self.extent.mills + 1)
        ]
        return spools + plates

    def start(self, children: Children, site: str, broker: tuple[str, int]) -> None:
        """Start every simulated machine and its firmware."""
        for n, port in enumerate(self._cell_ports, 1):
            name = f"cell-{n}"
            command = ["-m", "simulators", "cell", "--port", str(port), *self._common(name, n)]
            children.start(name, [sys.executable, *command])
        for entry in self.machines():
            if entry.link == "mqtt":
                self._start_machine(children, entry, site, broker)

    def _common(self, name: str, n: int) -> list[str]:
        options = ["--time-scale", str(self.extent.time_scale), "--seed", str(self.extent.seed + n)]
        options += ["--truth", str(self.truth_path(name))]
        faults = self.extent.faults.get(name)
        return [*options, "--faults", faults] if faults else options

    def _start_machine(
        self, children: Children, entry: MachineEntry, site: str, broker: tuple[str, int]
    ) -> None:
        number = int(entry.id.rpartition("-")[2])
        line = self.folder / f"{entry.id}.line"
        command = ["-m", "simulators", entry.kind, "--link", str(line)]
        simulator = f"{entry.id}.machine"
        children.start(simulator, [sys.executable, *command, *self._common(entry.id, number)])
        children.wait_for_file(simulator, line)
        config = self.folder / f"{entry.id}.json"
        flash = self.folder / f"{entry.id}.flash"
        flash.mkdir(parents=True, exist_ok=True)
        dialect = "marlin" if entry.kind == "printer" else "grbl"
        config.write_text(
            json.dumps(
                {
                    "site": site,
                    "machine": entry.id,
                    "broker": {"host": broker[0], "port": broker[1]},
                    "serial": {"port": str(line), "baud": 115200},
                    "dialect": dialect,
                    "flash": str(flash),
                }
            )
        )
        pid = str(children.pid(simulator))
        (self.folder / f"{entry.id}.pid").write_text(pid)  # where its buttons are
        self.start_firmware(children, entry.id)

    def start_firmware(self, children: Children, machine: str) -> None:
        """Start the firmware of a machine, on the flash it has."""
        config = self.folder / f"{machine}.json"
        children.start(machine, [*firmware_command(self.extent.firmware), str(config)])

    def truth_path(self, machine: str) -> Path:
        """File that says what a machine physically did."""
        return self.folder / f"{machine}.truth.json"

    def truths(self) -> dict[str, dict[str, Any]]:
        """What each machine physically did, as far as it has written it down."""
        found: dict[str, dict[str, Any]] = {}
        for entry in self.machines():
            path = self.truth_path(entry.id)
            if path.exists():
                found[entry.id] = json.loads(path.read_text())
        return found

    def settle(self, children: Children) -> None:
        """End the simulated machines, so that each writes down the last of what it did."""
        for entry in self.machines():
            for name in (entry.id, f"{entry.id}.machine"):
                try:
                    children.stop(name)
                except (KeyError, ProcessError):  # a station has no process
                    continue


def _entry(kind: str, number: int, capability: dict[str, Any]) -> MachineEntry:
    return MachineEntry(
        f"{kind}-{number}", kind, "mqtt", f"{kind.title()} {number}", None, capability
    )


def find_micropython() -> str | None:
    """The MicroPython interpreter of this environment, or of the system, or None."""
    beside = Path(sys.executable).parent / "micropython"
    return str(beside) if beside.exists() else shutil.which("micropython")


def firmware_command(kind: str) -> list[str]:
    """Command that runs the firmware: ``micropython``, ``cpython`` or ``auto``; raise CliError."""
    micropython = find_micropython()
    if kind == "cpython" or (kind == "auto" and micropython is None):
        return [sys.executable, "-m", "firmware"]
    if micropython is None:
        raise CliError("MicroPython is not installed: use --firmware cpython")
    return [micropython, "-X", "heapsize=512k", "-m", "firmware"]
