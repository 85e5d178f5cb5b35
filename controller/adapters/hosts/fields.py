"""Reading fields of JSON from outside: a value of the asked kind, a default, or Garbled."""

import json
import math
import threading
from typing import Any, cast

from controller.adapters.hosts.contract import Garbled

_BIG = 1e12
MAX_TEXT = 300


def parse(body: bytes | str, what: str) -> Any:
    """JSON of an answer; raise Garbled."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Garbled(f"{what}: is not JSON") from error


def find(document: Any, path: str) -> Any:
    """Value at a dotted path, None when there is none; raise Garbled when the way is no object."""
    value = document
    for name in path.split("."):
        if value is None:
            return None
        if not isinstance(value, dict):
            raise Garbled(f"{path}: {name} is asked of what is no object")
        value = cast(dict[str, Any], value).get(name)
    return value


def text(document: Any, path: str, default: str = "") -> str:
    """One line of text."""
    value = find(document, path)
    if value is None:
        return default
    if not isinstance(value, str):
        raise Garbled(f"{path}: is {type(value).__name__}, must be text")
    return "".join(c if c.isprintable() else " " for c in value[:MAX_TEXT]).strip()


def number(document: Any, path: str, default: float = 0.0) -> float:
    """A finite number."""
    value = find(document, path)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Garbled(f"{path}: is {type(value).__name__}, must be a number")
    if (isinstance(value, float) and not math.isfinite(value)) or abs(value) > _BIG:
        raise Garbled(f"{path}: is not a number that can be")
    return float(value)


def truth(document: Any, path: str) -> bool:
    """True or false; false when absent."""
    value = find(document, path)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise Garbled(f"{path}: is {type(value).__name__}, must be true or false")
    return value


def items(document: Any, path: str) -> list[Any]:
    """A list; empty when absent."""
    value = find(document, path)
    if value is None:
        return []
    if not isinstance(value, list):
        raise Garbled(f"{path}: is {type(value).__name__}, must be a list")
    return cast(list[Any], value)


def share_ppm(value: float) -> int:
    """A share of 1 as ppm, kept within bounds."""
    return min(1_000_000, max(0, round(value * 1_000_000)))


def mdeg(value: float) -> int:
    """Degrees Celsius as thousandths."""
    return round(value * 1000)


def heater(name: str, document: Any, actual: str, target: str) -> dict[str, int]:
    """Telemetry of a heater from the paths of its temperatures in degrees Celsius."""
    return {
        f"{name}_mc": mdeg(number(document, actual)),
        f"{name}_set_mc": mdeg(number(document, target)),
    }


def um(value_mm: float) -> int:
    """Millimetres as micrometres, not below 0."""
    return max(0, round(value_mm * 1000))


def ms(value_s: float) -> int:
    """Seconds as milliseconds, not below 0."""
    return max(0, round(value_s * 1000))


def rest(seconds: float) -> None:
    """Let real time pass."""
    threading.Event().wait(seconds)
