"""What a machine says of itself: bodies of up/state and up/hello."""

from firmware.memory import MAX_COUNTERS
from firmware.version import VERSION
from protocols.records import cut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.core import Core
    from protocols.records import Record

_COUNTER = ("ch", "lot", "cum_mg", "unc_mg")


def state(core: "Core") -> "Record":
    """Body of up/state."""
    value: "Record" = {
        "v": 1,
        "on": True,
        "bn": core.bn,
        "jid": core.journal.jid,
        "st": core.state,
        "ready": core.memory.ready,
        "hi": core.journal.hi,
        "last_ep": core.memory.last_ep,
        "fw": VERSION,
    }
    _add_order(core, value)
    need = need_text(core)
    if need:
        value["need"] = cut(need, 80)
    value.update(core.floor.stamp(core.now_ms))
    return value


def will(bn: str, jid: str) -> "Record":
    """Body of up/state that the broker tells when the machine is gone."""
    return {
        "v": 1,
        "on": False,
        "bn": bn,
        "jid": jid,
        "st": "off",
        "ready": False,
        "fw": VERSION,
        "tq": "none",
    }


def hello(core: "Core") -> "Record":
    """Body of up/hello."""
    counters = [core.memory.counters[key] for key in sorted(core.memory.counters)]
    value: "Record" = {
        "v": 1,
        "bn": core.bn,
        "jid": core.journal.jid,
        "lo": core.journal.lo,
        "hi": core.journal.hi,
        "last_ep": core.memory.last_ep,
        "term": core.memory.term,
        "ctr": [{name: c[name] for name in _COUNTER} for c in counters[:MAX_COUNTERS]],
        "fw": VERSION,
        "boot": cut(core.boot_cause, 40),
    }
    if core.identity:
        value["machine"] = {name: cut(core.identity[name], 200) for name in core.identity}
    _add_order(core, value)
    return value


def _add_order(core: "Core", value: "Record") -> None:
    order = core.memory.order
    if order:
        value["order"] = {
            "order": order["order"],
            "ep": order["ep"],
            "st": order["st"],
            "done_ppm": core.done_ppm,
        }


def need_text(core: "Core") -> str:
    """What the machine needs a person for, "" = nothing."""
    if core.stopped:
        return "was stopped: check the machine, then confirm clear"
    if core.fault or core.need:
        return core.fault or core.need
    if core.upkeep:
        return core.upkeep
    if not core.memory.ready and core.memory.order is None:
        return "confirm that bed or fixture is clear"
    return ""
