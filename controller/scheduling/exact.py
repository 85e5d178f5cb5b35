"""CP-SAT beside the search: proves bounds and optimality of small problems, hinted with a plan.

Makespan only, no calendars. Change-overs are circuits over each machine's operations.
"""

# OR-Tools leaves the last overload of only_enforce_if untyped:
# pyright: reportUnknownMemberType=false

from typing import NamedTuple

from ortools.sat.python import cp_model

from controller.scheduling.arrays import Instance
from controller.scheduling.kernels.compiled import ints
from controller.scheduling.kernels.tabu import Proof, Solution


class _Mode(NamedTuple):
    operation: int
    entry: int
    seconds: int
    here: cp_model.IntVar


class _Model:
    """The variables of one problem."""

    def __init__(self, instance: Instance, horizon: int) -> None:
        self.instance, self.cp = instance, cp_model.CpModel()
        n = len(instance.release)
        self.start = [self.cp.new_int_var(instance.release[o], horizon, "") for o in range(n)]
        self.end = [self.cp.new_int_var(0, horizon, "") for _ in range(n)]
        self.makespan = self.cp.new_int_var(0, horizon, "")
        self.on: list[list[_Mode]] = [[] for _ in range(len(instance.free))]
        self.modes = [self._modes(o) for o in range(n)]
        for o in range(n):
            for p in instance.pred[instance.pred_from[o] : instance.pred_from[o + 1]].tolist():
                self.cp.add(self.start[o] >= self.end[p])
        for m in range(len(self.on)):
            self._sequence(m)
        self.cp.add_max_equality(self.makespan, self.end)
        self.cp.minimize(self.makespan)

    def _modes(self, o: int) -> list[_Mode]:
        modes: list[_Mode] = []
        for entry in range(self.instance.elig_from[o], self.instance.elig_to[o]):
            seconds = (self.instance.rate[entry] * self.instance.scale[o] + 999) // 1000
            mode = _Mode(o, entry, seconds, self.cp.new_bool_var(""))
            machine = self.instance.elig_machine[entry]
            self.cp.add(self.end[o] == self.start[o] + seconds).only_enforce_if(mode.here)
            free = self.instance.free[machine]
            self.cp.add(self.start[o] >= free).only_enforce_if(mode.here)
            self.on[machine].append(mode)
            modes.append(mode)
        self.cp.add_exactly_one(mode.here for mode in modes)
        return modes

    def _sequence(self, machine: int) -> None:
        """One operation at a time, with change-overs where the machine has any."""
        self.cp.add_no_overlap(
            self.cp.new_optional_fixed_size_interval_var(
                self.start[mode.operation], mode.seconds, mode.here, ""
            )
            for mode in self.on[machine]
        )
        if self.instance.table[machine]:
            self._circuit(machine)

    def _circuit(self, machine: int) -> None:
        table = self.instance.table[machine]
        arcs: list[tuple[int, int, cp_model.LiteralT]] = [(0, 0, self.cp.new_bool_var(""))]
        for i, one in enumerate(self.on[machine], 1):
            first, last = self.cp.new_bool_var(""), self.cp.new_bool_var("")
            arcs += [(0, i, first), (i, 0, last), (i, i, one.here.negated())]
            held = self.instance.held[machine]
            change = self.instance.setup[table, held, self.instance.op_class[one.operation]]
            ready = self.instance.free[machine] + change
            self.cp.add(self.start[one.operation] >= ready).only_enforce_if(first)
            for j, other in enumerate(self.on[machine], 1):
                if i != j:
                    arcs.append((i, j, self._after(table, one, other)))
        self.cp.add_circuit(arcs)

    def _after(self, table: int, one: _Mode, other: _Mode) -> cp_model.IntVar:
        a, b = one.operation, other.operation
        change = self.instance.setup[table, self.instance.op_class[a], self.instance.op_class[b]]
        follows = self.cp.new_bool_var("")
        self.cp.add(self.start[b] >= self.end[a] + change).only_enforce_if(follows)
        return follows

    def hint(self, solution: Solution, starts: list[int]) -> None:
        """Begin from a plan."""
        for o, modes in enumerate(self.modes):
            self.cp.add_hint(self.start[o], starts[o])
            for mode in modes:
                self.cp.add_hint(mode.here, mode.entry == solution.entry[o])


def prove(
    instance: Instance, solution: Solution, starts: list[int], seed: int, seconds: float
) -> Proof:
    """Bound and perhaps a better plan within ``seconds``; ``starts`` are those of ``solution``."""
    horizon = 1 + max(
        starts[o] + (instance.rate[solution.entry[o]] * instance.scale[o] + 999) // 1000
        for o in range(len(starts))
    )
    model = _Model(instance, horizon - 1)
    model.hint(solution, starts)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = seed
    state = solver.solve(model.cp)
    bound = max(0, int(solver.best_objective_bound + 0.999999))
    if state not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return Proof(bound, 0, None)
    order = sorted(range(len(starts)), key=lambda o: (solver.value(model.start[o]), o))
    entry = [next(m.entry for m in modes if solver.value(m.here)) for modes in model.modes]
    made = Solution(ints(entry), ints(order))
    return Proof(bound, int(solver.objective_value), made)
