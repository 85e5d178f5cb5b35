"""One line of a qualified person to a machine without an order, and what it answered.

The machine judges it once more by the same table; a line that may move anything takes readiness
away until a person confirms the bed clear.
"""

from typing import TYPE_CHECKING

from controller.gcode_rules import DIALECTS, rules_of
from controller.values import Machine, Refused
from protocols.console import refusal

if TYPE_CHECKING:
    from controller.adapters.store import Tx


def admit(tx: "Tx", machine: str, line: str, who: str) -> None:
    """Note that a line is sent to a machine; raise Refused when it must not be, now."""
    found = tx.machines.get(machine)
    if found is None:
        raise Refused("unknown-machine", "machine", f"there is no machine {machine}")
    if not has_console(found):
        raise Refused("no-console", "machine", f"{machine} takes no lines of G-code")
    if tx.orders.open_on(machine) is not None or found.state != "idle":
        text = f"{machine} is not idle without an order: lines are for machines that do nothing"
        raise Refused("busy", "machine", text)
    rules = rules_of(found)
    rules.pop("allow", None)  # programs are allowed more than a hand is
    why = refusal(line, DIALECTS[found.kind], rules)
    if why:
        raise Refused("bad-line", "line", why)
    tx.notice("console", machine, f"{who} sent {line} to {machine}")


def has_console(machine: Machine) -> bool:
    """Whether a machine takes lines at all."""
    return machine.link == "mqtt" and machine.kind in DIALECTS
