"""Other schedulers on our problems: PyJobShop and a plain CP-SAT model, one thread, by CPU time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable

from ortools.sat.python import cp_model
from pyjobshop import Model
from pyjobshop.solvers.ortools.CPModel import CPModel

from controller.scheduling.problem import Operation, Problem

Found = tuple[int, int]


def solve_for(cp: cp_model.CpModel, cpu_s: float) -> Found:
    """(objective or 0, bound) of a model after that much CPU; the clock starts here."""
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    begun, done = time.process_time(), threading.Event()
    watch = threading.Thread(target=_stop_at, args=(solver, begun + cpu_s, done))
    watch.start()
    state = solver.solve(cp)
    done.set()
    watch.join()
    solved = state in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    bound = max(0, int(solver.best_objective_bound)) if solved else 0
    return (int(solver.objective_value) if solved else 0), bound


def _stop_at(solver: cp_model.CpSolver, cpu_s: float, done: threading.Event) -> None:
    while not done.wait(0.1):
        if time.process_time() >= cpu_s:
            solver.stop_search()
            return


def pyjobshop(problem: Problem, cpu_s: float) -> Found:
    """(makespan or 0, bound) of PyJobShop's own model, solved as it does, but timed by CPU."""
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
        model.add_setup_time(machines[name], tasks[one.name], tasks[other.name], change)
    return solve_for(CPModel(model.data()).model, cpu_s)


def change_overs(problem: Problem) -> Iterable[tuple[str, Operation, Operation, int]]:
    """(machine, operation before, after, seconds) where there is any."""
    for machine in problem.machines:
        if machine.setups is None:
            continue
        row_of = {name: i for i, name in enumerate(machine.setups.classes)}
        here = [o for o in problem.operations if machine.name in o.eligible]
        for one in here:
            for other in here:
                row, column = row_of.get(one.setup_class), row_of.get(other.setup_class)
                if row is None or column is None or one is other:
                    continue
                if change := machine.setups.seconds[row][column]:
                    yield machine.name, one, other, change


def cpsat(problem: Problem, cpu_s: float) -> Found:
    """(makespan or 0, bound) of the direct model: optional intervals; circuits for change-overs."""
    cp = cp_model.CpModel()
    horizon = sum(max(o.eligible.values()) for o in problem.operations)
    horizon += len(problem.operations) * max((c for *_, c in change_overs(problem)), default=0)
    starts = {o.name: cp.new_int_var(0, horizon, "") for o in problem.operations}
    ends = {o.name: cp.new_int_var(0, horizon, "") for o in problem.operations}
    here: dict[tuple[str, str], cp_model.IntVar] = {}
    on: dict[str, list[cp_model.IntervalVar]] = {machine.name: [] for machine in problem.machines}
    for operation in problem.operations:
        for name in operation.eligible:
            literal = here[name, operation.name] = cp.new_bool_var("")
            length = operation.seconds_on(name)
            start, end = starts[operation.name], ends[operation.name]
            on[name].append(cp.new_optional_interval_var(start, length, end, literal, ""))
        cp.add_exactly_one(here[name, operation.name] for name in operation.eligible)
        for before in operation.after:
            cp.add(starts[operation.name] >= ends[before])
    for intervals in on.values():
        cp.add_no_overlap(intervals)
    _circuits(cp, problem, here, (starts, ends))
    longest = cp.new_int_var(0, horizon, "")
    cp.add_max_equality(longest, list(ends.values()))
    cp.minimize(longest)
    return solve_for(cp, cpu_s)


Times = dict[str, cp_model.IntVar]


def _circuits(
    cp: cp_model.CpModel,
    problem: Problem,
    here: dict[tuple[str, str], cp_model.IntVar],
    times: tuple[Times, Times],
) -> None:
    """The order on each machine with change-overs, as a round trip over what is there."""
    between = {(name, a.name, b.name): change for name, a, b, change in change_overs(problem)}
    for machine in problem.machines:
        if machine.setups is None:
            continue
        names = [o.name for o in problem.operations if machine.name in o.eligible]
        arcs: list[tuple[int, int, cp_model.LiteralT]] = [(0, 0, cp.new_bool_var(""))]
        for i, one in enumerate(names, 1):
            arcs += [(0, i, cp.new_bool_var("")), (i, 0, cp.new_bool_var(""))]
            arcs.append((i, i, here[machine.name, one].negated()))
            for j, other in enumerate(names, 1):
                if i != j:
                    follows = cp.new_bool_var("")
                    change = between.get((machine.name, one, other), 0)
                    ready = times[1][one] + change
                    cp.add(times[0][other] >= ready).only_enforce_if(follows)
                    arcs.append((i, j, follows))
        cp.add_circuit(arcs)
