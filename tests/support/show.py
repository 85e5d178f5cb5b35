"""The floor of the show: ten machines, three designs mixed, failures, one tight rack; its picture.

python tests/support/show.py --needs 200 --out docs/images/routes-timeline.svg
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from controller.definition import load_design  # noqa: E402
from controller.routed import Place  # noqa: E402
from controller.scheduling import problem as scheduling  # noqa: E402
from controller.scheduling.gantt import gantt  # noqa: E402
from controller.scheduling.schedule import Assignment, Plan  # noqa: E402
from fabcommons.floor import BENCH, CELL, MILL, PRINTER  # noqa: E402
from support import quick_floor, quick_parts  # noqa: E402

DESIGNS = ("toggle-clamp", "cable-clip", "clamp-plate")
RACK = 4  # the clamp alone takes three: two clamps at once only with credit
CHANCE = quick_parts.Chance(fail=0.05, bad=0.05, off=0.05)


def floor(folder: Path, chance: quick_parts.Chance = CHANCE, plan: Any = None) -> Any:
    """Four printers, a mill, two cells, three stations, and one rack of four slots."""
    made = quick_floor.QuickFloor(folder, chance, plan)
    printers = [quick_parts.machine(f"printer-{n}", PRINTER) for n in range(1, 5)]
    cells = [quick_parts.machine(f"cell-{n}", CELL) for n in range(1, 3)]
    benches = [quick_parts.machine(f"bench-{n}", BENCH) for n in range(1, 4)]
    made.machines(*printers, quick_parts.machine("mill-1", MILL), *cells, *benches)
    made.stock_up()
    made.places(Place("rack", "Rack", RACK, ["fdm", "mill", "assemble"]))
    for name in DESIGNS:
        made.design(load_design(ROOT / "designs" / name))
    return made


def requests(count: int) -> list[Any]:
    """So many needs of the three designs in turn."""
    return [quick_parts.request(n, DESIGNS[n % 3]) for n in range(count)]


def timeline(made: Any, title: str, hours: int = 0) -> str:
    """What ran where and when, as the plan chart draws it; the first hours only when asked."""
    first = min(bar.start_at for bar in made.bars)
    end_s = hours * 3600 or 10**9
    bars = [bar for bar in made.bars if (bar.end_at - first) // 1000 <= end_s]
    machines = tuple(scheduling.Machine(name) for name in sorted(made.fakes))
    names = {n: f"{bar.operation} run {n}" for n, bar in enumerate(bars)}
    operations = tuple(
        scheduling.Operation(names[n], bar.need, {bar.machine: 1}) for n, bar in enumerate(bars)
    )
    jobs = tuple(scheduling.Job(need) for need in dict.fromkeys(bar.need for bar in bars))
    plan = Plan(
        tuple(
            Assignment(
                names[n],
                bar.machine,
                (bar.start_at - first) // 1000,
                (bar.end_at - first) // 1000,
            )
            for n, bar in enumerate(bars)
        )
    )
    return gantt(scheduling.Problem(machines, jobs, operations, name=title), plan)


def main() -> int:
    """Run the show; exit 1 when a promise was not kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--needs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hours", type=int, default=0, help="hours of the timeline to draw")
    parser.add_argument("--out", type=Path, help="where the timeline goes, SVG")
    options = parser.parse_args()
    began_s = time.process_time()
    chance = quick_parts.Chance(CHANCE.fail, CHANCE.bad, CHANCE.off, options.seed)
    with tempfile.TemporaryDirectory() as folder:
        made = floor(Path(folder), chance, quick_parts.greedy)
        made.stream(requests(options.needs), 24)
        made.run()
        wrong = made.verdict()
        failed = sum(not bar.ok for bar in made.bars)
        print(
            f"{options.needs} needs, {len(made.bars)} runs on {len(made.fakes)} machines, {failed}"
            f" failed or rejected, at most {made.most['rack']} of {RACK} slots taken,"
            f" {made.hours():.1f} floor hours, {time.process_time() - began_s:.0f} s CPU"
        )
        print("\n".join(wrong) or "all delivered, every milligram accounted for")
        if options.out:
            title = f"{options.needs} needs on {len(made.fakes)} machines"
            options.out.write_text(timeline(made, title, options.hours))
        made.close()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
