"""Condition of a cell as its server says it: robot, safety, machine state. Pure; reads values.

OPC 40010-1 (Robotics) gives safety state, motion device and task control; OPC 40001-1 (Machinery)
gives item state and operation mode. What a server does not offer stays unknown (-1 or "") and
blocks nothing.
"""

from typing import Any, NamedTuple

ITEM_STATES = ("NotAvailable", "OutOfService", "NotExecuting", "Executing")
OPERATION_MODES = ("None", "Maintenance", "Setup", "Processing")
MANUAL = (1, 2)  # OperationalModeEnumeration: manual with reduced, with high speed
_OUT_OF_SERVICE = (0, 1)
_BY_HAND = (1, 2)
_PPM_OF_PERCENT = 10_000


class Condition(NamedTuple):
    """-1 = not said; speed_ppm is the share of the programmed speed."""

    emergency_stop: bool = False
    protective_stop: bool = False
    mode: int = -1
    item_state: int = -1
    operation_mode: int = -1
    program: str = ""
    program_loaded: int = -1
    in_control: int = -1
    on_path: int = -1
    speed_ppm: int = -1


def read(values: dict[str, Any]) -> Condition:
    """Condition of the values found, by browse name."""
    speed = values.get("SpeedOverride")
    usable = isinstance(speed, (int, float)) and 0 <= speed <= 1000
    return Condition(
        emergency_stop=bool(values.get("EmergencyStop")),
        protective_stop=bool(values.get("ProtectiveStop")),
        mode=_number(values.get("OperationalMode"), ()),
        item_state=_number(values.get("MachineryItemState"), ITEM_STATES),
        operation_mode=_number(values.get("MachineryOperationMode"), OPERATION_MODES),
        program=str(values.get("TaskProgramName") or ""),
        program_loaded=_flag(values.get("TaskProgramLoaded")),
        in_control=_flag(values.get("InControl")),
        on_path=_flag(values.get("OnPath")),
        speed_ppm=round(speed * _PPM_OF_PERCENT) if usable and speed is not None else -1,
    )


def _flag(value: Any) -> int:
    return int(value) if isinstance(value, bool) else -1


def _number(value: Any, names: tuple[str, ...]) -> int:
    """A state by its number, or by its name where a server gives no number; -1 for neither."""
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    text = getattr(value, "Text", value)
    return names.index(text) if isinstance(text, str) and text in names else -1


def blocking(found: Condition) -> str:
    """Why the cell takes no order now, in words; "" when nothing stands in the way."""
    if found.emergency_stop:
        return "emergency stop active: look at the cell, reset it there"
    if found.protective_stop:
        return "protective stop active: look at the cell"
    if found.mode in MANUAL:
        return "robot in manual mode: set it to automatic"
    if found.item_state in _OUT_OF_SERVICE:
        return f"the cell says {ITEM_STATES[found.item_state]}"
    if found.operation_mode in _BY_HAND:
        return f"the cell is in {OPERATION_MODES[found.operation_mode]}"
    return ""


def machine_state(found: Condition) -> str:
    """State of the machine that the condition alone decides; "" when the jobs decide it."""
    if found.emergency_stop:
        return "fault"
    if found.protective_stop:
        return "paused"
    return "maintenance" if blocking(found) else ""


def measured(found: Condition) -> dict[str, int]:
    """Telemetry of a condition, by the field registry; what is not said is left out."""
    fields = {
        "estop_n": int(found.emergency_stop),
        "pstop_n": int(found.protective_stop),
        "robot_mode_n": found.mode,
        "item_state_n": found.item_state,
        "program_n": found.program_loaded,
        "on_path_n": found.on_path,
        "speed_ppm": found.speed_ppm,
    }
    return {name: value for name, value in fields.items() if value >= 0}
