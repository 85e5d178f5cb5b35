"""Which commands each machine takes: its own rules against the commands of a program.

Rules stand in a machine's capability under ``gcode``: ``allow`` (beyond the common table), ``deny``
(refused here), ``only`` (nothing else, moves besides). What no machine is given stays refused
whatever they say (protocols/forbidden.py); the firmware checks every line by them once more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from controller.values import Json, Machine, Operation
from protocols.forbidden import MOVES, by_rules, never

if TYPE_CHECKING:
    from controller.adapters.store import Tx

WhyNot = Callable[[Operation, Machine], str]
Refusals = Mapping[str, Mapping[str, str]]  # by machine, by program: why, in words
KEY = "gcode"
LISTS = ("allow", "deny", "only")
MOST, LONGEST = 16, 24  # as the wire takes them
DIALECTS = {"printer": "marlin", "mill": "grbl"}
OLD = "was read before machines had rules: import its design again"


def rules_of(machine: Machine) -> Json:
    """A machine's own rules; empty when it has none."""
    return {name: listed for name, listed in machine.capability.get(KEY, {}).items() if listed}


def problems(rules: Any, kind: str) -> list[str]:
    """Everything wrong with the rules of a machine of a kind: field and fix."""
    if not isinstance(rules, dict) or kind not in DIALECTS:
        return [f"{KEY}: is for printers and mills: lists {', '.join(LISTS)} of commands"]
    wrong: list[str] = []
    for name, listed in rules.items():  # pyright: ignore[reportUnknownVariableType]  # YAML
        at = f"{KEY}.{name}"
        if name not in LISTS or not _is_list(listed):
            text = f"must be one of {', '.join(LISTS)}: at most {MOST} commands, as M600"
            wrong.append(f"{at}: {text}")
            continue
        wrong += [f"{at}: {text}" for one in listed if (text := _bad(name, one, kind))]  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]  # YAML
    return wrong


def _is_list(listed: Any) -> bool:
    if not isinstance(listed, list) or len(listed) > MOST:  # pyright: ignore[reportUnknownArgumentType]  # YAML
        return False
    return all(isinstance(one, str) and 0 < len(one) <= LONGEST for one in listed)  # pyright: ignore[reportUnknownVariableType]  # YAML


def _bad(name: str, command: str, kind: str) -> str:
    if command != command.upper() or not command.replace("_", "").replace(".", "").isalnum():
        return f"{command} must be a command in capitals, as M600, G38.2 or START_PRINT"
    if command in MOVES:
        return f"{command} must not be named: moves are taken everywhere"
    why = "" if name == "deny" else never(command, DIALECTS[kind])
    return f"{why}: no machine is given that, take it out of the list" if why else ""


def refusal(commands: Json | None, machine: Machine) -> str:
    """Why a program must not run on a machine: line, command and fix; "" when it may."""
    rules = rules_of(machine)
    if commands is None:
        return OLD if rules else ""
    found: list[tuple[int, str]] = []
    for name, (line, asks) in commands.items():
        why, fix = by_rules(name, rules), f"take it out, or change gcode of {machine.id}"
        if why is None and asks and name not in rules.get("allow", ()):
            why, fix = asks, f"take it out, or allow it: gcode.allow of {machine.id}"
        if why:
            found.append((line, f"line {line}: {why}; {fix}"))
    return min(found)[1] if found else ""


def refusals(
    programs: Mapping[str, Json | None], machines: Iterable[Machine]
) -> dict[str, dict[str, str]]:
    """Programs that machines must not run, by machine and SHA-256."""
    found: dict[str, dict[str, str]] = {}
    noted = {sha: commands for sha, commands in programs.items() if commands or commands is None}
    for machine in machines if noted else ():
        if machine.kind in DIALECTS:
            said = {sha: refusal(commands, machine) for sha, commands in noted.items()}
            if any(said.values()):
                found[machine.id] = {sha: why for sha, why in said.items() if why}
    return found


def programs_of(operations: Iterable[Operation]) -> set[str]:
    """SHA-256 of every program the operations could run, alternatives included."""
    found: set[str | None] = set()
    for operation in operations:
        found.add(operation.program_sha)
        found.update(way.get("program_sha") for way in operation.ways)
    return {sha for sha in found if sha}


def with_programs(why_not: WhyNot, refused: Refusals) -> WhyNot:
    """``why_not`` that also knows which programs a machine must not run."""

    def run(operation: Operation, machine: Machine) -> str:
        return why_not(operation, machine) or refused_by(refused, operation, machine.id)

    return run


def refused_by(refused: Refusals, operation: Operation, machine: str) -> str:
    """Why a machine must not run an operation's program; "" when it may."""
    return refused.get(machine, {}).get(operation.program_sha or "", "")


def judge(
    tx: Tx, operations: list[Operation], machines: list[Machine]
) -> dict[str, dict[str, str]]:
    """``refusals`` of the programs that operations could run."""
    return refusals(tx.designs.commands(programs_of(operations)), machines)
