"""What a simulated Marlin printer does for each command, as a table.

A handler gets the printer and the command; it returns None when the command is done at once, or a
generator that yields what it waits for (see simulators.printer). Source: Marlin 2.0 ``gcode/``.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING

from protocols import marlin
from protocols.errors import WireError
from protocols.gcode import SCALE, command, words
from simulators import card
from simulators.core import Work
from simulators.heater import RESIDENCY_MS, WINDOW, Heater

if TYPE_CHECKING:
    from simulators.printer import Printer

Handler = Callable[["Printer", str], Work | None]
Values = dict[str, int | None]

_CAPABILITIES = {
    "SERIAL_XON_XOFF": False,
    "EEPROM": False,
    "VOLUMETRIC": False,
    "AUTOREPORT_POS": False,
    "AUTOREPORT_TEMP": True,
    "PROGRESS": False,
    "PRINT_JOB": False,
    "AUTOLEVEL": False,
    "RUNOUT": True,
    "Z_PROBE": False,
    "BUILD_PERCENT": False,
    "SOFTWARE_POWER": False,
    "EMERGENCY_PARSER": True,
    "HOST_ACTION_COMMANDS": True,
    "PROMPT_SUPPORT": True,
    "SDCARD": False,
    "THERMAL_PROTECTION": True,
    "ARCS": True,
    "CHAMBER_TEMPERATURE": False,
    "MEATPACK": False,
}
_OTHERS = {
    "klipper": "FIRMWARE_NAME:Klipper FIRMWARE_VERSION:v0.12 (simulated)",
    "reprapfirmware": "FIRMWARE_NAME: RepRapFirmware for Duet 2 FIRMWARE_VERSION: 3.4 (simulated)",
}
# Accepted, and nothing a host could notice happens.
_QUIET = (
    " G21 G80 G94 M17 M42 M73 M75 M76 M77 M78 M85 M92 M108 M110 M145 M150 M200 M206 M211 M250 M280"
    " M290 M300 M302 M412 M420 M425 M851 M862 M862.1 M862.2 M862.3 M862.4 M862.5 M862.6 M876"
    " M900 M906 M907 M914 M999 "
)


def _values(text: str) -> Values:
    try:
        return dict(words(text)[1:])
    except WireError:
        return {}


def _whole(values: Values, letter: str, default: int) -> int:
    value = values.get(letter)
    return default if value is None else value // SCALE


def _arc(p: Printer, text: str) -> Work | None:
    try:
        return p.move(words(text), command(text))
    except WireError:
        return None


def _dwell(p: Printer, text: str) -> Work:
    values = _values(text)
    ms = (values.get("P") or 0) / SCALE + (values.get("S") or 0) / 1000
    yield ("sync", inf)
    yield ("until", p.now + ms)


def _home(p: Printer, text: str) -> Work:
    yield ("sync", inf)
    yield ("until", p.now + p.axes.home_ms())
    p.axes.home()


def _sync(p: Printer, text: str) -> Work:
    yield ("sync", inf)


def _distance(p: Printer, text: str) -> None:
    p.axes.relative = p.axes.e_relative = command(text) == "G91"


def _e_distance(p: Printer, text: str) -> None:
    p.axes.e_relative = command(text) == "M83"


def _set_here(p: Printer, text: str) -> None:
    try:
        p.axes.set_here(words(text))
    except WireError:
        return


def _tool(p: Printer, text: str) -> Work | None:
    tool = int(command(text)[1:] or "0")
    if tool >= p.config.tools:
        p.say(f"echo:T{tool} Invalid extruder")
        return None
    return _change_tool(p, tool)


def _change_tool(p: Printer, tool: int) -> Work:
    yield ("sync", inf)
    p.axes.tool = tool
    p.say(f"echo:Active Extruder: {tool}")


# heat -------------------------------------------------------------------------------------------
def _heater(p: Printer, text: str, values: Values) -> Heater:
    if command(text) in ("M140", "M190"):
        return p.bed
    return p.nozzles[min(_whole(values, "T", p.axes.tool), p.config.tools - 1)]


def _set_heat(p: Printer, text: str) -> None:
    values = _values(text)
    if values.get("S") is not None:
        _heater(p, text, values).set((values["S"] or 0) / SCALE, p.now)


def _wait_heat(p: Printer, text: str) -> Work | None:
    values = _values(text)
    wanted = values.get("R") if values.get("R") is not None else values.get("S")
    if wanted is None:
        return None
    heater = _heater(p, text, values)
    heater.set(wanted / SCALE, p.now)
    cooling = heater.at(p.now) > heater.target
    if cooling and values.get("R") is None:
        return None
    return _until_hot(p, heater)


def _until_hot(p: Printer, heater: Heater) -> Work:
    p.pressed = None
    p.mute_busy()
    inside: float | None = None
    while p.pressed is None:
        if inside is None and abs(heater.at(p.now) - heater.target) <= WINDOW:
            inside = p.now
        left = "?" if inside is None else str(round((inside + RESIDENCY_MS - p.now) / 1000))
        p.say(f" {p.temperatures()} W:{left}")
        if inside is not None and p.now >= inside + RESIDENCY_MS:
            return
        yield ("heat", p.now + 1000)


def _temperatures(p: Printer, text: str) -> None:
    p.answer_with(p.temperatures())


def _auto_report(p: Printer, text: str) -> None:
    p.report_every(_whole(_values(text), "S", 0) * 1000.0)


def _keepalive(p: Printer, text: str) -> None:
    p.busy_ms = _whole(_values(text), "S", 2) * 1000.0


def _fan(p: Printer, text: str) -> None:
    p.fan = 0 if command(text) == "M107" else _whole(_values(text), "S", 255)


# people -----------------------------------------------------------------------------------------
def _prompt(p: Printer, title: str, *buttons: str) -> None:
    p.say("//action:prompt_end")
    p.say(f"//action:prompt_begin {title}")
    for button in buttons:
        p.say(f"//action:prompt_button {button}")
    p.say("//action:prompt_show")


def _person(p: Printer) -> Work:
    p.pressed = None
    yield ("person", inf)


def _pause(p: Printer, text: str) -> Work:
    yield ("sync", inf)
    _prompt(p, text[2:].strip() or "M0/1 Break Called", "Continue")
    yield from _person(p)
    p.say("//action:prompt_end")


def change_filament(p: Printer, text: str) -> Work:
    """M600: park, wait for a person, load, wait again, go on (feature/pause.cpp)."""
    p.say("//action:paused")
    _prompt(p, "Pause")
    yield ("sync", inf)
    yield ("until", p.now + 5000)
    p.say("echo:Insert filament and send M108")
    _prompt(p, "Nozzle Parked", "Continue")
    yield from _person(p)
    yield ("until", p.now + 8000)
    p.purged_nm[p.axes.tool] += 50_000_000  # Configuration_adv.h ADVANCED_PAUSE_PURGE_LENGTH
    while True:
        _prompt(p, "Paused", "PurgeMore", "Continue")
        yield from _person(p)
        if p.pressed != 0 or not p.asked_by_prompt:
            break
        p.purged_nm[p.axes.tool] += 50_000_000
    p.say("//action:prompt_end")
    p.say("//action:resumed")


def _label(p: Printer, text: str) -> None:
    p.programs.append({"label": text[4:].strip(), "lines": 0})


def _say(p: Printer, text: str) -> None:
    said = text[4:].strip()
    prefix = {"E1": "echo:", "A1": "//"}.get(said[:2])
    p.say(said if prefix is None else prefix + said[3:])


def _emergency_stop(p: Printer, text: str) -> None:
    p.kill("echo:M112 Shutdown")


def _quick_stop(p: Printer, text: str) -> None:
    p.quick_stop()


# reports and limits -----------------------------------------------------------------------------
def _identify(p: Printer, text: str) -> None:
    if not p.marlin:
        p.say(_OTHERS[p.config.firmware])
        return
    p.say(
        "FIRMWARE_NAME:Marlin 2.1.2 (simulated) SOURCE_CODE_URL:none PROTOCOL_VERSION:1.0 "
        f"MACHINE_TYPE:{p.config.name} EXTRUDER_COUNT:{p.config.tools} "
        f"UUID:00000000-0000-4000-8000-{p.config.seed:012d}"
    )
    mine = {"EMERGENCY_PARSER": p.config.emergency_parser, "SDCARD": p.config.card}
    for name, on in {**_CAPABILITIES, **mine}.items():
        p.say(marlin.write_reply(("cap", name, on)))


def _position(p: Printer, text: str) -> None:
    x, y, z = [round(mm * 80) for mm in p.planner.where(p.now)[:3]]
    p.say(f"{marlin.axes_text(p.axes.logical_um())} Count X:{x} Y:{y} Z:{z}")


def _percent(p: Printer, text: str) -> None:
    values = _values(text)
    percent = min(999, max(1, _whole(values, "S", 100)))
    if command(text) == "M220":
        p.axes.feed_percent = percent
    else:
        p.axes.flow_percent[_whole(values, "T", p.axes.tool)] = percent


def _axis_limits(p: Printer, text: str) -> None:
    limits = {"M201": p.axes.max_accel, "M203": p.axes.max_speed, "M205": p.axes.jerk}
    for letter, value in _values(text).items():
        if letter in "XYZE" and value is not None and value > 0:
            limits[command(text)]["XYZE".index(letter)] = value / SCALE


def _accelerations(p: Printer, text: str) -> None:
    kinds = {"P": ("print",), "R": ("retract",), "T": ("travel",), "S": ("print", "travel")}
    for letter, value in _values(text).items():
        for kind in kinds.get(letter, ()):
            p.axes.accel[kind] = max(1.0, (value or 0) / SCALE)


def _quiet(p: Printer, text: str) -> None:
    return None


def _no_settings(p: Printer, text: str) -> None:
    p.say("echo:EEPROM disabled")


def _recovery(p: Printer, text: str) -> None:
    wanted = _values(text).get("S")
    if wanted is None:
        p.say("echo:Power-loss recovery " + ("ON" if p.recovery else "OFF"))
    else:
        p.recovery = bool(wanted)


def _style(p: Printer, text: str) -> None:
    if p.marlin:
        _unknown(p, text)
    else:
        p.mute = _whole(_values(text), "P", 0) != 2


def _unknown(p: Printer, text: str) -> None:
    if p.config.firmware == "klipper":
        p.say(f'// Unknown command:"{command(text)}"')
        return
    p.say(marlin.write_reply(("unknown_command", text)))


def _linear(p: Printer, text: str) -> Work | None:
    try:
        return p.move(words(text))
    except WireError:
        _unknown(p, text)
        return None


_HANDLERS: dict[str, Handler] = {
    "G0": _linear,
    "G1": _linear,
    "G2": _arc,
    "G3": _arc,
    "G4": _dwell,
    "G28": _home,
    "G90": _distance,
    "G91": _distance,
    "G92": _set_here,
    "M0": _pause,
    "M1": _pause,
    "M18": _sync,
    "M82": _e_distance,
    "M83": _e_distance,
    "M84": _sync,
    "M104": _set_heat,
    "M105": _temperatures,
    "M106": _fan,
    "M107": _fan,
    "M109": _wait_heat,
    "M112": _emergency_stop,
    "M113": _keepalive,
    "M114": _position,
    "M115": _identify,
    "M117": _label,
    "M118": _say,
    "M140": _set_heat,
    "M155": _auto_report,
    "M190": _wait_heat,
    "M201": _axis_limits,
    "M203": _axis_limits,
    "M204": _accelerations,
    "M205": _axis_limits,
    "M220": _percent,
    "M221": _percent,
    "M400": _sync,
    "M410": _quick_stop,
    "M413": _recovery,
    "M500": _no_settings,
    "M501": _no_settings,
    "M502": _no_settings,
    "M555": _style,
    "M600": change_filament,
    **card.HANDLERS,
}


def find_handler(text: str) -> Handler:
    """Handler of a command; of an unknown one, the handler that says so."""
    name = command(text)
    if name[:1] == "T" and name[1:].isdigit():
        return _tool
    found = _HANDLERS.get(name)
    if found is None:
        found = _quiet if f" {name} " in _QUIET else _unknown
    return found
