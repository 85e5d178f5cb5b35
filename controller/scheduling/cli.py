"""``fabcommons schedule solve``: a problem file, or a folder of them, to plans, JSON, a chart."""

import json as json_text
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, TextIO

from controller.scheduling.effort import Budget
from controller.scheduling.energy import from_csv
from controller.scheduling.errors import ReadError
from controller.scheduling.gantt import gantt
from controller.scheduling.generate import fab_day
from controller.scheduling.planner import plan
from controller.scheduling.problem import Curve, Problem
from controller.scheduling.readers import from_text, read_problem
from controller.scheduling.schedule import Plan, Value, makespan, value, violations

DONE, PARTLY, UNREADABLE = 0, 1, 2
TINY = "2 2\n2 2 0 4 1 6 1 1 3\n1 1 0 5\n"


class Solved(NamedTuple):
    """What one file gave."""

    path: Path
    problem: Problem
    plan: Plan
    cpu_s: float


def warm_up() -> None:
    """Compile (first time on a machine) or load the search, outside anybody's budget."""
    plan(from_text(TINY, "tiny"), budget=Budget(5.0), exact=True)
    plan(fab_day(4, 8, 1), budget=Budget(rounds=2))


def solve_file(
    path: Path,
    seconds: float,
    seed: int,
    energy: Curve = (),
    clock: Callable[[], float] = time.process_time,
) -> Solved:
    """The best plan of a file in ``seconds`` of CPU; ReadError when it cannot be read."""
    problem = read_problem(path)
    problem = replace(problem, energy=energy or problem.energy)
    begun = clock()
    made = plan(problem, seed, Budget(seconds), exact=True, cpu_clock=clock)
    return Solved(path, problem, made, clock() - begun)


def result(solved: Solved) -> dict[str, object]:
    """What ``--json`` prints of one file; times in seconds (or the file's own unit)."""
    made = solved.plan
    return {
        "file": str(solved.path),
        "makespan": makespan(made),
        "bound": made.bound_s,
        "cpu_s": round(solved.cpu_s, 3),
        "operations": len(solved.problem.operations),
        "machines": len(solved.problem.machines),
        "violations": violations(solved.problem, made),
        "value": value(solved.problem, made)._asdict(),
        "problems": [
            {"operation": p.operation, "code": p.code, "text": p.text} for p in made.problems
        ],
    }


class Wish(NamedTuple):
    """How to solve: CPU seconds a file, seed, a price or carbon curve, JSON, where to draw."""

    seconds: float = 10.0
    seed: int = 1
    energy: Path | None = None
    json: bool = False
    gantt: Path | None = None


def solve(path: Path, wish: Wish, out: TextIO = sys.stdout) -> int:
    """Solve a file or every file of a folder; 0 all planned, 1 some not, 2 some unreadable."""
    files = _files(path)
    if not files:
        print(f"{path}: no such file, or an empty folder", file=sys.stderr)
        return UNREADABLE
    try:
        curve = _curve(wish.energy)
    except ReadError as error:
        print(error, file=sys.stderr)
        return UNREADABLE
    warm_up()
    results: list[dict[str, object]] = []
    code = DONE
    for number, file in enumerate(files, 1):
        if len(files) > 1:
            print(f"{number}/{len(files)} {file}", file=sys.stderr)
        try:
            solved = solve_file(file, wish.seconds, wish.seed, curve)
        except ReadError as error:
            print(error, file=sys.stderr)
            results.append({"file": str(file), "error": str(error)})
            code = UNREADABLE
            continue
        if len(solved.plan.assignments) < len(solved.problem.operations):
            code = max(code, PARTLY)
        results.append(result(solved))
        _show(solved, wish.json, wish.gantt if len(files) == 1 else None, out)
    if wish.json:
        shown = results if path.is_dir() else results[0]
        print(json_text.dumps(shown, indent=2), file=out)
    return code


def _curve(path: Path | None) -> Curve:
    """The curve of a file; ReadError names it."""
    try:
        return () if path is None else from_csv(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ReadError) as error:
        raise ReadError(f"{path}: {error}") from error


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(f for f in path.rglob("*") if f.is_file() and f.suffix not in (".csv", ".md"))
    return [path] if path.exists() else []


def _show(solved: Solved, json: bool, gantt_path: Path | None, out: TextIO) -> None:
    """One line and the problems for people; the chart where it is asked for."""
    made = solved.plan
    for problem in made.problems:
        print(problem.text, file=sys.stderr)
    if gantt_path is not None:
        gantt_path.write_text(gantt(solved.problem, made), encoding="utf-8")
    if json:
        return
    worth = value(solved.problem, made)
    late = worth.late_hard_s + worth.late_urgent + worth.weighted_tardiness
    print(
        f"{solved.path.name}: makespan {makespan(made)}, bound {made.bound_s}, "
        f"weighted tardiness {late}, {_energy(solved.problem, worth)}"
        f"{len(made.assignments)} operations, {solved.cpu_s:.1f} CPU-s",
        file=out,
    )


def _energy(problem: Problem, worth: Value) -> str:
    """What energy costs, in the curve's own unit, where there is a curve."""
    return (
        f"energy {worth.energy_cost / 1000:.2f} for {worth.energy_wh} Wh, "
        if problem.energy
        else ""
    )
