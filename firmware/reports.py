"""What a machine says of itself: bodies of up/state and up/hello."""

from firmware.memory import MAX_COUNTERS
from firmware.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.agent import Agent
    from protocols.records import Record

_COUNTER = ("ch", "lot", "cum_mg", "unc_mg")


def state(agent: "Agent") -> "Record":
    """Body of up/state."""
    value: "Record" = {
        "v": 1,
        "on": True,
        "bn": agent.bn,
        "jid": agent.journal.jid,
        "st": agent.state,
        "ready": agent.memory.ready,
        "hi": agent.journal.hi,
        "last_ep": agent.memory.last_ep,
        "fw": VERSION,
    }
    _add_order(agent, value)
    need = need_text(agent)
    if need:
        value["need"] = cut(need, 80)
    value.update(agent.floor.stamp(agent.now_ms))
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


def hello(agent: "Agent") -> "Record":
    """Body of up/hello."""
    counters = [agent.memory.counters[key] for key in sorted(agent.memory.counters)]
    value: "Record" = {
        "v": 1,
        "bn": agent.bn,
        "jid": agent.journal.jid,
        "lo": agent.journal.lo,
        "hi": agent.journal.hi,
        "last_ep": agent.memory.last_ep,
        "term": agent.memory.term,
        "ctr": [{name: c[name] for name in _COUNTER} for c in counters[:MAX_COUNTERS]],
        "fw": VERSION,
        "boot": cut(agent.boot_cause, 40),
    }
    if agent.identity:
        value["machine"] = {name: cut(agent.identity[name], 200) for name in agent.identity}
    _add_order(agent, value)
    return value


def _add_order(agent: "Agent", value: "Record") -> None:
    order = agent.memory.order
    if order:
        value["order"] = {
            "order": order["order"],
            "ep": order["ep"],
            "st": order["st"],
            "done_ppm": agent.done_ppm,
        }


def need_text(agent: "Agent") -> str:
    """What the machine needs a person for, "" = nothing."""
    if agent.stopped:
        return "was stopped: check the machine, then confirm clear"
    if agent.fault or agent.need:
        return agent.fault or agent.need
    if agent.upkeep:
        return agent.upkeep
    if not agent.memory.ready and agent.memory.order is None:
        return "confirm that bed or fixture is clear"
    return ""


def cut(text: str, max_bytes: int) -> str:
    """Text from outside, fit for a message: printable ASCII, at most max_bytes long."""
    return "".join([c if " " <= c <= "~" else "?" for c in text[:max_bytes]])
