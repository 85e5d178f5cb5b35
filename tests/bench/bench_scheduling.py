"""Our scheduler beside PyJobShop and a plain CP-SAT model, same CPU time; a table and JSON.

    make bench-scheduling
    make bench-scheduling BENCH="--data DIR --seconds 10 --only brandimarte,dauzere --every 2"

Without ``--data``: a few shops of our own (written to ``run/bench/shops`` as our JSON), the first
instance of each published family where those files are there, a fab day and its events; under
three minutes. ``DIR`` holds families of instances and ``best_known.csv``. Every plan of ours is
checked by the independent checker. ``--fab`` are generated days against the best tuned rule.
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from controller.scheduling.annealing import best_rule, improve
from controller.scheduling.arrays import number
from controller.scheduling.cli import warm_up
from controller.scheduling.decode import decode
from controller.scheduling.documents import to_json
from controller.scheduling.generate import Shop, fab_day, shop
from controller.scheduling.planner import Budget, plan
from controller.scheduling.problem import Problem
from controller.scheduling.readers import read_problem
from controller.scheduling.rolling import Known, roll
from controller.scheduling.schedule import Plan, Value, makespan, value, violations
from support.plan_peers import cpsat, pyjobshop  # found by the path above
from support.replans import EVENTS, morning

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = ROOT.parent / "shared" / "data" / "fjsp"
SHOPS = ROOT / "run" / "bench" / "shops"
OWN = (
    Shop(6, 5, 5, 3),
    Shop(10, 6, 6, 3),
    Shop(15, 8, 8, 3),
    Shop(20, 10, 10, 5),
    Shop(8, 5, 5, 2, 30),
    Shop(20, 8, 5, 4, 40),
)


class Row(NamedTuple):
    """One method on one instance."""

    family: str
    file: str
    method: str
    makespan: int
    bound: int
    cpu_s: float
    best: int


def ours(problem: Problem, seconds: float) -> tuple[int, int]:
    """(makespan, bound) of our plan, checked."""
    made = plan(problem, 1, Budget(seconds), exact=True)
    wrong = violations(problem, made)
    if wrong:
        raise AssertionError(f"{problem.name}: {wrong[0]}")
    return makespan(made), made.bound_s


METHODS: dict[str, Callable[[Problem, float], tuple[int, int]]] = {
    "ours": ours,
    "pyjobshop": pyjobshop,
    "cpsat": cpsat,
}


def instances(data: Path, only: set[str], limit: int, every: int = 1) -> Iterable[tuple[Path, int]]:
    """Every so-many-th file of each family, at most ``limit`` of a family."""
    table = data / "best_known.csv"
    rows = csv.DictReader(table.open()) if table.exists() else ()
    best = {(r["family"], r["file"]): int(r["best_ub"] or 0) for r in rows}
    for folder in sorted(data.iterdir()):
        if folder.is_dir() and folder.name != "fab-synthetic" and (not only or folder.name in only):
            for path in sorted(folder.iterdir())[::every][:limit]:
                yield path, best.get((folder.name, path.name), 0)


def own_shops() -> Iterable[tuple[Path, int]]:
    """Shops of our own making as files of our JSON; no best is known of them."""
    folder = SHOPS / "own-shops"
    folder.mkdir(parents=True, exist_ok=True)
    for seed, size in enumerate(OWN, 1):
        made = shop(size, seed)
        path = folder / f"{made.name.split()[1]}{'-setups' if size.change_over_s else ''}.json"
        path.write_text(to_json(made))
        yield path, 0


def chosen(options: argparse.Namespace) -> Iterable[tuple[Path, int]]:
    """The instances asked for; without a folder our own and one of each published family."""
    only = set(filter(None, options.only.split(",")))
    if options.data is None:
        yield from own_shops()
        if not PUBLISHED.is_dir():
            print(f"no published instances at {PUBLISHED}; name a folder with --data", flush=True)
            return
    yield from instances(options.data or PUBLISHED, only, options.limit, options.every)


def run(options: argparse.Namespace) -> list[Row]:
    rows: list[Row] = []
    peers = [peer for peer in options.peers.split(",") if peer]
    for path, best in chosen(options):
        problem = read_problem(path)
        for method in ("ours", *peers):
            begun = time.process_time()
            found, bound = METHODS[method](problem, options.seconds)
            cpu_s = round(time.process_time() - begun, 1)
            rows.append(Row(path.parent.name, path.name, method, found, bound, cpu_s, best))
        print(line([row for row in rows if row.file == path.name]), flush=True)
    return rows


def line(rows: list[Row]) -> str:
    cells = [f"{rows[0].family + '/' + rows[0].file:32} best {rows[0].best or '-':>6}"]
    for row in rows:
        gap = f"{100 * (row.makespan / row.best - 1):6.2f} %" if row.best and row.makespan else ""
        cells.append(f"{row.method} {row.makespan or 'none':>6} {gap:8} {row.cpu_s:5.1f} s")
    return " | ".join(cells)


def means(rows: list[Row]) -> None:
    """Mean gap by family and method, to best known or else to the best of all methods here."""
    least: dict[tuple[str, str], int] = {}
    for row in rows:
        if row.makespan:
            at = (row.family, row.file)
            least[at] = min(least.get(at, row.makespan), row.makespan)
    groups: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        if row.makespan:
            best = row.best or least[row.family, row.file]
            groups.setdefault((row.family, row.method), []).append(100 * (row.makespan / best - 1))
    for (family, method), gaps in sorted(groups.items()):
        met = sum(gap <= 0 for gap in gaps)
        mean = sum(gaps) / len(gaps)
        print(f"{family:16} {method:10} mean gap {mean:6.2f} % over {len(gaps)}, met {met}")
    worse = [
        f"{row.family}/{row.file}"
        for row in rows
        if row.method == "ours" and row.makespan > least[row.family, row.file]
    ]
    print(f"a peer was better on {len(worse)}: {', '.join(worse) or '-'}")


def _late(worth: Value) -> int:
    """Weighted tardiness of all needs, urgent ones as well."""
    return worth.late_hard_s + worth.late_urgent + worth.weighted_tardiness


class Day(NamedTuple):
    """A generated day: its size, and the share of machine time asked for besides change-overs."""

    machines: int
    operations: int
    load: float

    @classmethod
    def read(cls, text: str) -> Day:
        """From words such as 50x500 or 50x500@0.8."""
        size, _, load = text.partition("@")
        machines, operations = map(int, size.split("x"))
        return cls(machines, operations, float(load or 0.75))


def fab(days: Iterable[Day], seconds: float) -> list[dict[str, object]]:
    """Generated days: the best of 25 tuned rules against ours after it; memory of the process."""
    out: list[dict[str, object]] = []
    for day in days:
        problem = fab_day(day.machines, day.operations, 1, day.load)
        begun = time.process_time()
        first = plan(problem, budget=Budget(0.0))
        first_s = time.process_time() - begun
        numbered = number(problem, {})
        ruled = best_rule(numbered.instance, lambda: 0.0)
        start = time.process_time()
        given = (ruled.best.solution,)

        def used(start: float = start) -> float:
            return (time.process_time() - start) / seconds

        ours_ = improve(numbered.instance, given, 1, used)
        plans = [
            Plan(tuple(decode(problem, numbered, solution, {})))
            for solution in (ruled.best.solution, ours_.solution)
        ]
        worth = [value(problem, made) for made in plans]
        wrong = violations(problem, plans[1])
        if wrong or len(first.assignments) < len(problem.operations):
            raise AssertionError(f"{problem.name}: {wrong[:1]}")
        work_s = sum(o.scale_permille for o in problem.operations)
        row = {
            "problem": problem.name,
            "load": day.load,
            "load_with_change_overs": round(day.load * (1 + worth[1].setup_s / work_s), 2),
            "less_percent": round(100 * (1 - _late(worth[1]) / max(1, _late(worth[0]))), 1),
            "rule": worth[0]._asdict(),
            "ours": worth[1]._asdict(),
            "first_plan_s": round(first_s, 2),
            "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }
        print(json.dumps(row), flush=True)
        out.append(row)
    return out


def events(machines: int, operations: int) -> list[dict[str, object]]:
    """CPU seconds of a new plan after each kind of event: the step at once, search and step."""
    now = morning(machines, operations)
    out: list[dict[str, object]] = []
    for name, happen in EVENTS.items():
        problem = happen(now)
        begun = time.process_time()
        step = roll(problem, Known(now.running))
        at_once = time.process_time() - begun
        found = plan(problem, 1, Budget(1.0), Plan(step.assignments))
        begun = time.process_time()
        taken = roll(problem, Known(Plan(step.assignments), found))
        again = time.process_time() - begun
        if violations(problem, Plan(taken.assignments)):
            raise AssertionError(f"{name}: the plan does not hold")
        row = {
            "event": name,
            "at_once_s": round(at_once, 2),
            "by": step.by,
            "with_search_s": round(at_once + 1.0 + again, 2),
            "weighted_tardiness": [step.worth.weighted_tardiness, taken.worth.weighted_tardiness],
        }
        print(json.dumps(row), flush=True)
        out.append(row)
    return out


def with_defaults(options: argparse.Namespace) -> argparse.Namespace:
    """Short for everything without a folder; with one, what was asked for and nothing else."""
    short = options.data is None
    usual = {
        "seconds": 2.0 if short else 10.0,
        "limit": 1 if short else 1000,
        "fab": "50x500" if short else "",
        "events": "20x150" if short else "",
    }
    for name, value_ in usual.items():
        if getattr(options, name) is None:
            setattr(options, name, value_)
    return options


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="families of instances and best_known.csv")
    parser.add_argument("--seconds", type=float, help="CPU per instance and method (10; 2 short)")
    parser.add_argument("--only", default="")
    parser.add_argument("--limit", type=int, help="files of a family (all; 1 without --data)")
    parser.add_argument("--every", type=int, default=1, help="a sample: every so-many-th file")
    parser.add_argument("--peers", default="pyjobshop,cpsat")
    parser.add_argument("--fab", help="days, e.g. 50x500,500x5000@0.6")
    parser.add_argument("--events", help="size, e.g. 50x500: a new plan per event")
    parser.add_argument("--out", type=Path, default=ROOT / "run" / "bench" / "scheduling.json")
    options = with_defaults(parser.parse_args())
    warm_up()
    days = fab([Day.read(text) for text in options.fab.split(",") if text], options.seconds)
    floor = [int(number) for number in options.events.split("x") if number]
    replans = events(*floor) if floor else []
    rows = [] if options.only == "none" else run(options)
    means(rows)
    document = {"rows": [row._asdict() for row in rows], "fab": days, "events": replans}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(document, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
