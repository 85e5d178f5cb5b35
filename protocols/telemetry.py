"""Field registry of telemetry: what a machine may measure, in which unit, within which bounds."""

from protocols.errors import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# name: (unit, low, high, meaning); values are integers
REGISTRY = {
    "bed_mc": ("mdegC", -50000, 200000, "bed temperature"),
    "bed_set_mc": ("mdegC", 0, 200000, "bed temperature asked for"),
    "done_ppm": ("ppm", 0, 1000000, "share of the program acknowledged"),
    "estop_n": ("1", 0, 1, "emergency stop of a cell active"),
    "faults_dropped_n": ("1", 0, 2**40, "faults a full journal had no room for, since the start"),
    "feed_um_s": ("um/s", 0, 10000000, "feed rate"),
    "chamber_mc": ("mdegC", -50000, 200000, "chamber temperature"),
    "chamber_set_mc": ("mdegC", 0, 200000, "chamber temperature asked for"),
    "energy_mwh": ("mWh", 0, 2**50, "electrical energy since the firmware started, by a meter"),
    "feed_pct": ("%", 0, 1000, "feed override"),
    "filament_um": ("um", -(2**40), 2**40, "filament seen by an encoder since the start"),
    "heap_free_b": ("B", 0, 2**40, "free memory of the firmware"),
    "heap_least_b": ("B", 0, 2**40, "least free memory since the start"),
    "item_state_n": ("1", 0, 3, "MachineryItemState: not available, out of service, at rest, busy"),
    "jobs_n": ("1", 0, 1000000, "job orders a cell lists"),
    "journal_n": ("1", 0, 2**40, "events not yet acknowledged"),
    "lines_n": ("1", 0, 2**40, "program lines acknowledged"),
    "nozzle_mc": ("mdegC", -50000, 500000, "nozzle temperature"),
    "nozzle_set_mc": ("mdegC", 0, 500000, "nozzle temperature asked for"),
    "planner_n": ("1", 0, 10000, "free places in the machine's planner"),
    "rapid_pct": ("%", 0, 1000, "rapid override"),
    "on_path_n": ("1", 0, 1, "robot on its programmed path"),
    "program_n": ("1", 0, 1, "task program loaded in the robot's controller"),
    "pstop_n": ("1", 0, 1, "protective stop of a cell active"),
    "resend_n": ("1", 0, 2**40, "lines sent again since the start"),
    "robot_mode_n": ("1", 0, 4, "OperationalMode: other, manual slow, manual fast, auto, external"),
    "rssi_dbm": ("dBm", -200, 20, "radio signal"),
    "power_mw": ("mW", 0, 100000000, "electrical power"),
    "rx_free_b": ("B", 0, 65535, "free bytes in the machine's receive buffer"),
    "spindle_pct": ("%", 0, 1000, "spindle override"),
    "running_n": ("1", 0, 1000000, "job orders a cell has in hand"),
    "speed_ppm": ("ppm", 0, 10000000, "share of the programmed speed, by override"),
    "spindle_rpm": ("1/min", 0, 1000000, "spindle speed"),
    "spool_mg": ("mg", 0, 10**9, "mass on a scale under the spool"),
    "x_um": ("um", -10000000, 10000000, "position"),
    "y_um": ("um", -10000000, 10000000, "position"),
    "z_um": ("um", -10000000, 10000000, "position"),
}


def split(values: "dict[str, Any]") -> "tuple[dict[str, int], list[str]]":
    """Part telemetry values into those the registry admits and the names it refuses."""
    good: "dict[str, int]" = {}
    refused: "list[str]" = []
    for name in sorted(values):
        field = REGISTRY.get(name)
        value = values[name]
        if field is None or isinstance(value, bool) or not isinstance(value, int):
            refused.append(name)
        elif not field[1] <= value <= field[2]:
            refused.append(name)
        else:
            good[name] = value
    return good, refused


def line(site: str, machine: str, kind: str, t: int, values: "dict[str, int]") -> str:
    """One point in InfluxDB line protocol, ms precision; values as floats, in name order."""
    if not values:
        raise WireError("missing", "m", "has no field to write")
    fields = ",".join([name + "=" + str(values[name]) + ".0" for name in sorted(values)])
    return "machine,id={},kind={},site={} {} {}".format(machine, kind, site, fields, t)
