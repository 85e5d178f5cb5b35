"""Capability matching: what an operation requires against what a machine states, with reasons.

Typed by value: a number asks for at least as much, a list of numbers for a volume that fits, a
word for the same word, a list of words for all of them. The tables name the exceptions.
"""

from collections.abc import Callable
from typing import Any

from controller.values import Json

_EQUAL = ("nozzle_um", "tool_um", "collet_um", "filament_diameter_um")
_AT_MOST = ("tolerance_um", "layer_um")
_PROCESS_OF_KIND = {"printer": ("fdm",), "mill": ("mill",), "cell": ("assemble", "inspect")}
_STATION = ("assemble", "inspect", "station", "clean", "deburr", "tap", "load", "move", "pack")


def processes(kind: str, capability: Json) -> tuple[str, ...]:
    """Processes a machine does: as its capability states, else by its kind."""
    stated = capability.get("process")
    if isinstance(stated, str):
        return (stated,)
    if isinstance(stated, list):
        return tuple(str(p) for p in stated)  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]  # JSON
    return _PROCESS_OF_KIND.get(kind, _STATION)


def reject(process: str, requires: Json, kind: str, capability: Json) -> str:
    """Why a machine cannot do an operation, in words; empty when it can."""
    offered = processes(kind, capability)
    if process not in offered:
        return f"does {' and '.join(offered)}, not {process}"
    reasons = [
        reason
        for name in sorted(requires)
        if (reason := _compare(name, requires[name], capability.get(name)))
    ]
    return "; ".join(reasons)


def _compare(name: str, wanted: Any, has: Any) -> str:
    if has is None:
        return f"does not state {name}, {_say(wanted)} required"
    rule = _rule(name, wanted)
    try:
        fits = rule(wanted, has)
    except TypeError:
        return f"states {name} as {_say(has)}, which cannot be compared with {_say(wanted)}"
    return "" if fits else f"{name} is {_say(has)}, {_say(wanted)} required"


def _rule(name: str, wanted: Any) -> Callable[[Any, Any], bool]:
    if name in _EQUAL:
        return _one_of
    if isinstance(wanted, (str, bool)):
        return _one_of
    if isinstance(wanted, list):
        return _all_in if wanted and isinstance(wanted[0], str) else _fits
    return _at_most if name in _AT_MOST else _at_least


def _one_of(wanted: Any, has: Any) -> bool:
    return wanted in has if isinstance(has, list) else bool(wanted == has)


def _all_in(wanted: list[Any], has: Any) -> bool:
    return set(wanted) <= set(has if isinstance(has, list) else [has])  # pyright: ignore[reportUnknownArgumentType]  # JSON


def _fits(wanted: list[int], has: list[int]) -> bool:
    if not isinstance(has, list) or len(has) != len(wanted):  # pyright: ignore[reportUnnecessaryIsInstance]  # JSON
        raise TypeError
    return all(w <= h for w, h in zip(wanted, has, strict=True))


def _at_least(wanted: int, has: int) -> bool:
    return wanted <= has


def _at_most(wanted: int, has: int) -> bool:
    return has <= wanted


def _say(value: Any) -> str:
    if isinstance(value, list):
        return "x".join(str(v) for v in value)  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]  # JSON
    return str(value)
