"""``fabcommons schedule``: plans for problem files, beside any floor."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from fabcommons.options import command

_EXAMPLES = """\
examples:
  fabcommons schedule solve mk01.txt --seconds 10 --gantt mk01.svg
  fabcommons schedule solve instances/ --seconds 10 --seed 1 --json > results.json
  fabcommons schedule solve day.json --energy prices.csv   cheap hours where nothing gets late

Files: flexible job shops (Brandimarte's format), with set-ups or assembly graphs, or our JSON."""


def add(commands: Any) -> None:
    """Add the command to the command line."""
    schedule = command(
        commands, "schedule", "solve a scheduling problem, draw its chart", _EXAMPLES
    )
    verbs = schedule.add_subparsers(metavar="VERB", required=True)
    solver = verbs.add_parser("solve", help="the best plan of a file, or of each file of a folder")
    solver.add_argument("file", type=Path, help="problem file, or a folder of them")
    solver.add_argument("--seconds", type=float, default=10, help="CPU seconds per file (10)")
    solver.add_argument("--seed", type=int, default=1)
    solver.add_argument(
        "--energy", type=Path, metavar="FILE", help="CSV: from when, price or CO2 of a kWh"
    )
    solver.add_argument("--json", action="store_true", help="print JSON for programs")
    solver.add_argument("--gantt", type=Path, metavar="OUT.svg", help="draw the plan")
    solver.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Solve; exit 1 when some file could not be read, 2 when none could."""
    from controller.scheduling.cli import Wish, solve

    wish = Wish(options.seconds, options.seed, options.energy, options.json, options.gantt)
    return solve(options.file, wish)
