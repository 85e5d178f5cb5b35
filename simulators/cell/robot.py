"""The cell's robot in the address space (OPC 40010-1): motion device, controller, safety state."""

from typing import Any

from asyncua import ua
from asyncua.common.node import Node

from protocols import isa95
from simulators.cell.core import Cell
from simulators.cell.space import URI_OWN, Name, Space, Value, base

_AUTOMATIC_EXTERNAL = 4  # OperationalModeEnumeration
_CONTINUOUS = 1  # ExecutionModeEnumeration
_FOLDER, _OBJECT, _BOOLEAN, _STRING, _DOUBLE = 61, 58, 1, 12, 11  # of the base namespace
_SYSTEM, _DEVICE, _CONTROLLER, _TASK, _SAFETY = 1002, 1004, 1003, 1011, 1013  # of the NodeSet
_MODE, _EXECUTION = 3006, 18191


def _robotics(text: str) -> Name:
    return Name(isa95.URI_ROBOTICS, text)


class Robot:
    """One arm with its controller and its safety state, under the DI DeviceSet."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._nodes: dict[str, Node] = {}

    async def build(self) -> None:
        """Add the nodes."""
        space = self._space
        device_set = space.node(space.type_id(isa95.URI_DI, 5001))
        system = await self._add(device_set, "Robot", _SYSTEM)
        folders = {
            text: await space.add_object(system, _robotics(text), base(_FOLDER))
            for text in ("MotionDevices", "Controllers", "SafetyStates")
        }
        arm = await self._add(folders["MotionDevices"], "Arm", _DEVICE)
        controller = await self._add(folders["Controllers"], "ArmController", _CONTROLLER)
        tasks = await space.add_object(controller, _robotics("TaskControls"), base(_FOLDER))
        task = await self._add(tasks, "Assembly", _TASK)
        safety = await self._add(folders["SafetyStates"], "Safety", _SAFETY)
        await self._parameters(safety, self._safety_values())
        await self._parameters(arm, self._arm_values())
        await self._parameters(task, self._task_values())

    async def _add(self, parent: Node, text: str, number: int) -> Node:
        kind = self._space.type_id(isa95.URI_ROBOTICS, number)
        return await self._space.add_object(parent, Name(URI_OWN, text), kind)

    async def _parameters(self, parent: Node, values: dict[str, Value]) -> None:
        space = self._space
        name = Name(isa95.URI_DI, "ParameterSet")
        parameters = await space.add_object(parent, name, base(_OBJECT))
        for text, value in values.items():
            self._nodes[text] = await space.add_variable(parameters, _robotics(text), value)

    def _safety_values(self) -> dict[str, Value]:
        mode = ua.Variant(_AUTOMATIC_EXTERNAL, ua.VariantType.Int32)
        return {
            "EmergencyStop": _flag(),
            "ProtectiveStop": _flag(),
            "OperationalMode": Value(mode, self._space.type_id(isa95.URI_ROBOTICS, _MODE)),
        }

    def _arm_values(self) -> dict[str, Value]:
        speed = Value(ua.Variant(100.0, ua.VariantType.Double), base(_DOUBLE))
        return {"SpeedOverride": speed, "InControl": _flag(), "OnPath": _flag()}

    def _task_values(self) -> dict[str, Value]:
        execution = ua.Variant(_CONTINUOUS, ua.VariantType.Int32)
        return {
            "TaskProgramName": Value(ua.Variant("", ua.VariantType.String), base(_STRING)),
            "TaskProgramLoaded": _flag(),
            "ExecutionMode": Value(execution, self._space.type_id(isa95.URI_ROBOTICS, _EXECUTION)),
        }

    async def publish(self, cell: Cell) -> None:
        """Write what the robot does into the nodes."""
        program = cell.program
        moving = cell.moving
        values: dict[str, Any] = {
            "EmergencyStop": cell.emergency_stop,
            "ProtectiveStop": cell.protective_stop,
            "InControl": bool(program),
            "OnPath": moving,
            "TaskProgramName": program,
            "TaskProgramLoaded": bool(program),
            "SpeedOverride": 100.0 if moving or not program else 0.0,
        }
        for text, value in values.items():
            await self._nodes[text].write_value(value)


def _flag() -> Value:
    return Value(ua.Variant(False, ua.VariantType.Boolean), base(_BOOLEAN))
