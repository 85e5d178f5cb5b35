"""Our streaming beside OctoPrint's and Printrun's, against one peer in one run.

The peer is our simulated printer behind a pty (tests/support/bench_peer.py): no baud rate, no
motion, so what is measured is the host. Ours is the whole firmware, with broker, journal on disk
and metering of each line, on CPython and on MicroPython's unix port; OctoPrint is its MachineCom
alone, Printrun its printcore alone, each in an environment and a process of its own. Once with a
clean line, once with one line in a hundred damaged. Rounds are interleaved, figures are medians.
Writes run/bench/firmware.json. ``--lines N``, ``--rounds N``, ``--only NAME,NAME``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support import bench_floor  # noqa: E402  # found by the path above
from support.bench_floor import Controller, Floor  # noqa: E402  # the same
from support.bench_peer import measured, peer, program  # noqa: E402  # the same
from support.waiting import until  # noqa: E402  # the same

BAD = 0.01  # of lines, in the noisy run
LIMIT_S = 1800
OURS = {"fabcommons, CPython": "cpython", "fabcommons, MicroPython": "micropython"}
THEIRS = {"OctoPrint": "octoprint", "Printrun": "printrun"}
FIGURES = ("lines_per_s", "cpu_ms_per_1000_lines", "recovery_ms_median", "recovery_ms_p99")
Row = dict[str, Any]


def ours(folder: Path, lines: int, interpreter: str, bad: float) -> Row:
    """The whole firmware between a broker, a program server and the peer."""
    (folder / "www").mkdir()
    with (
        bench_floor.mosquitto(folder) as port,
        bench_floor.program_server(folder / "www") as server,
        peer(folder, bad) as machine,
    ):
        floor = Floor(folder, port, server, interpreter)
        controller = Controller(port)
        with floor.firmware(spool_bytes=1 << 28) as running:
            (folder / "pid").write_text(str(running.pid))
            until(lambda: controller.state.get("st") == "idle", 120, "an idle machine")
            controller.command("clear")
            until(lambda: controller.state.get("ready"), 120, "a ready machine")
            lot = {"ch": 0, "lot": "lot-a", "ug_per_m": 2982000}
            controller.offer(1, floor.program(program(lines)), [lot])
            until(lambda: controller.heard("finished"), LIMIT_S, "the end of the order")
        controller.close()
        assert controller.heard("finished")[0]["ok"], controller.heard("finished")
    return measured(machine)


def theirs(folder: Path, lines: int, name: str, bad: float) -> Row:
    """A host of others, in its own environment."""
    (folder / "part.gcode").write_text(program(lines))
    python = ROOT / ".cache" / name / "bin" / "python"
    script = Path(__file__).with_name(f"oracle_{name}.py")
    with peer(folder, bad) as machine:
        command = [str(python), str(script), str(folder / "machine"), str(folder / "part.gcode")]
        with (
            (folder / "log.txt").open("wb") as log,
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as running,
        ):
            (folder / "pid").write_text(str(running.pid))
            assert running.stdout is not None
            try:
                assert "done" in running.stdout.read(), (folder / "log.txt").read_text()[-2000:]
            finally:
                running.kill()
    return measured(machine)


def once(name: str, lines: int, bad: float) -> Row:
    with tempfile.TemporaryDirectory() as folder:
        if name in OURS:
            return ours(Path(folder), lines, OURS[name], bad)
        return theirs(Path(folder), lines, THEIRS[name], bad)


def available(name: str) -> bool:
    """Make the environment of a host of others; say whether it is there."""
    if name in OURS:
        return True
    made = subprocess.run([f"scripts/{THEIRS[name]}"], check=False, cwd=ROOT)
    if made.returncode:
        print(f"{name} cannot be installed here, left out", file=sys.stderr)
    return not made.returncode


def bench(names: list[str], lines: int, rounds: int) -> dict[str, Row]:
    """Medians over the rounds; each round runs every host, clean and noisy."""
    rows: dict[str, dict[str, list[Row]]] = {n: {"clean": [], "noisy": []} for n in names}
    for number in range(rounds):
        for name in names:
            for kind, bad in (("clean", 0.0), ("noisy", BAD)):
                began = time.monotonic()
                rows[name][kind].append(once(name, lines, bad))
                took_s = time.monotonic() - began
                print(f"round {number + 1} {name} {kind}: {took_s:.0f} s", file=sys.stderr)
    return {name: {kind: medians(found[kind]) for kind in found} for name, found in rows.items()}


def medians(rows: list[Row]) -> Row:
    names = [name for name in rows[0] if all(name in row for row in rows)]
    return {name: round(statistics.median(row[name] for row in rows), 2) for name in names}


def show(figures: dict[str, Row]) -> None:
    print(f"{'':26}{'clean line':>22}{'1 % of lines damaged':>44}")
    heads = ("lines/s", "CPU ms/1000", "lines/s", "CPU ms/1000", "resent ms", "p99")
    print(f"{'host':26}" + "".join(f"{head:>12}" for head in heads))
    for name, row in figures.items():
        values = [row["clean"].get(f, "") for f in FIGURES[:2]]
        values += [row["noisy"].get(f, "") for f in FIGURES]
        print(f"{name:26}" + "".join(f"{value:>12}" for value in values))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=20000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default=",".join([*OURS.values(), *THEIRS.values()]))
    asked = parser.parse_args()
    every = {**OURS, **THEIRS}
    names = [n for n in every if every[n] in asked.only.split(",") and available(n)]
    figures = bench(names, asked.lines, asked.rounds)
    out = ROOT / "run" / "bench" / "firmware.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({"lines": asked.lines, "hosts": figures}, indent=1) + "\n")
    show(figures)


if __name__ == "__main__":
    main()
