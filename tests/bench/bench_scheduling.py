"""Our scheduler beside PyJobShop and a plain CP-SAT model, same CPU time; a table and JSON.

    uv run --group bench python tests/bench/bench_scheduling.py --data DIR --seconds 10
        --only brandimarte,dauzere --limit 4 --peers pyjobshop,cpsat --out bench-scheduling.json

``DIR`` holds families of instances and ``best_known.csv``. Every plan of ours is checked by the
independent checker. ``--fab`` adds generated fab days against the best tuned dispatch rule.
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from ortools.sat.python import cp_model
from pyjobshop import Model

sys.path.insert(0, str(Path(__file__).parents[1]))

from controller.scheduling.annealing import best_rule, improve
from controller.scheduling.arrays import number
from controller.scheduling.cli import solve_file, warm_up
from controller.scheduling.decode import decode
from controller.scheduling.generate import fab_day
from controller.scheduling.planner import Budget, plan
from controller.scheduling.problem import Problem
from controller.scheduling.readers import read_problem
from controller.scheduling.rolling import Known, roll
from controller.scheduling.schedule import Plan, makespan, value, violations
from support.replans import EVENTS, morning  # found by the path above


class Row(NamedTuple):
    """One method on one instance."""

    family: str
    file: str
    method: str
    makespan: int
    bound: int
    cpu_s: float
    best: int


def wall_for(cpu_s: float) -> float:
    """Wall seconds that give one thread that much CPU under the load of this moment."""
    wall, cpu = time.perf_counter(), time.process_time()
    while time.process_time() - cpu < 0.2:
        pass
    return cpu_s * (time.perf_counter() - wall) / (time.process_time() - cpu)


def ours(path: Path, problem: Problem, seconds: float) -> tuple[int, int]:
    solved = solve_file(path, seconds, 1)
    wrong = violations(problem, solved.plan)
    if wrong:
        raise AssertionError(f"{path}: {wrong[0]}")
    return makespan(solved.plan), solved.plan.bound_s


def pyjobshop(path: Path, problem: Problem, seconds: float) -> tuple[int, int]:
    model = Model()
    machines = {machine.name: model.add_machine(name=machine.name) for machine in problem.machines}
    jobs = {job.name: model.add_job(name=job.name) for job in problem.jobs}
    tasks = {o.name: model.add_task(job=jobs[o.job], name=o.name) for o in problem.operations}
    for operation in problem.operations:
        for name in operation.eligible:
            seconds_on = operation.seconds_on(name)
            model.add_mode(tasks[operation.name], machines[name], seconds_on)
        for before in operation.after:
            model.add_end_before_start(tasks[before], tasks[operation.name])
    for name, one, other, change in change_overs(problem):
        model.add_setup_time(machines[name], tasks[one], tasks[other], change)
    found = model.solve(time_limit=wall_for(seconds), display=False, num_workers=1)
    objective = found.objective
    return (int(objective) if objective < 1e15 else 0), int(max(0, found.lower_bound))


def change_overs(problem: Problem) -> Iterable[tuple[str, str, str, int]]:
    """(machine, operation before, after, seconds); classes are operations in these files."""
    for machine in problem.machines:
        if machine.setups is not None:
            for one, row in zip(machine.setups.classes, machine.setups.seconds, strict=True):
                for other, change in zip(machine.setups.classes, row, strict=True):
                    if change:
                        yield machine.name, one, other, change


def cpsat(path: Path, problem: Problem, seconds: float) -> tuple[int, int]:
    cp = cp_model.CpModel()
    horizon = sum(max(o.eligible.values()) for o in problem.operations)
    starts = {o.name: cp.new_int_var(0, horizon, "") for o in problem.operations}
    ends = {o.name: cp.new_int_var(0, horizon, "") for o in problem.operations}
    on: dict[str, list] = {machine.name: [] for machine in problem.machines}
    for operation in problem.operations:
        here = []
        for name in operation.eligible:
            literal = cp.new_bool_var("")
            length = operation.seconds_on(name)
            start, end = starts[operation.name], ends[operation.name]
            on[name].append(cp.new_optional_interval_var(start, length, end, literal, ""))
            here.append(literal)
        cp.add_exactly_one(here)
        for before in operation.after:
            cp.add(starts[operation.name] >= ends[before])
    for intervals in on.values():
        cp.add_no_overlap(intervals)
    longest = cp.new_int_var(0, horizon, "")
    cp.add_max_equality(longest, list(ends.values()))
    cp.minimize(longest)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    begun, done = time.process_time(), threading.Event()
    watch = threading.Thread(target=_stop_at, args=(solver, begun + seconds, done))
    watch.start()
    state = solver.solve(cp)
    done.set()
    watch.join()
    solved = state in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    return (int(solver.objective_value) if solved else 0), int(solver.best_objective_bound)


def _stop_at(solver: cp_model.CpSolver, cpu_s: float, done: threading.Event) -> None:
    while not done.wait(0.1):
        if time.process_time() >= cpu_s:
            solver.stop_search()
            return


METHODS: dict[str, Callable[[Path, Problem, float], tuple[int, int]]] = {
    "ours": ours,
    "pyjobshop": pyjobshop,
    "cpsat": cpsat,
}


def instances(data: Path, only: set[str], limit: int, every: int = 1) -> Iterable[tuple[Path, int]]:
    """Every so-many-th file of each family, at most ``limit`` of a family."""
    rows = csv.DictReader((data / "best_known.csv").open())
    best = {(r["family"], r["file"]): int(r["best_ub"] or 0) for r in rows}
    for folder in sorted(data.iterdir()):
        if folder.is_dir() and folder.name != "fab-synthetic" and (not only or folder.name in only):
            for path in sorted(folder.iterdir())[::every][:limit]:
                yield path, best.get((folder.name, path.name), 0)


def run(options: argparse.Namespace) -> list[Row]:
    rows: list[Row] = []
    only = set(filter(None, options.only.split(",")))
    peers = [peer for peer in options.peers.split(",") if peer]
    for path, best in instances(options.data, only, options.limit, options.every):
        problem = read_problem(path)
        has_setups = any(machine.setups for machine in problem.machines)
        for method in ("ours", *peers):
            if method == "cpsat" and has_setups:
                continue
            begun = time.process_time()
            found, bound = METHODS[method](path, problem, options.seconds)
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
    """Mean gap to best known by family and method."""
    groups: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        if row.best and row.makespan:
            gap = 100 * (row.makespan / row.best - 1)
            groups.setdefault((row.family, row.method), []).append(gap)
    for (family, method), gaps in sorted(groups.items()):
        met = sum(gap <= 0 for gap in gaps)
        mean = sum(gaps) / len(gaps)
        print(f"{family:16} {method:10} mean gap {mean:6.2f} % over {len(gaps)}, met {met}")


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
            "less_percent": round(100 * (1 - ours_.cost / ruled.best.cost), 1),
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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--only", default="")
    parser.add_argument("--limit", type=int, default=1000)
    parser.add_argument("--every", type=int, default=1, help="a sample: every so-many-th file")
    parser.add_argument("--peers", default="pyjobshop,cpsat")
    parser.add_argument("--fab", default="", help="days, e.g. 50x500,500x5000@0.6")
    parser.add_argument("--events", default="", help="size, e.g. 50x500: a new plan per event")
    parser.add_argument("--out", type=Path, default=Path("bench-scheduling.json"))
    options = parser.parse_args()
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
