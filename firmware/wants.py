"""Pursuing what the controller wants: one function per phase of dn/want.

Each may be called at any time with the last want heard, and does nothing when nothing is left to
do: repeated, late and foreign wants are harmless.
"""

from firmware.journal import CLAIM
from firmware.memory import MAX_COUNTERS
from firmware.reports import hello

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from firmware.agent import Agent
    from protocols.records import Record


def _idle(agent: "Agent", want: "Record") -> None:
    order = agent.memory.order
    if order and order["st"] == "claimed":
        agent.decline(order, "withdrawn")


def _stop(agent: "Agent", want: "Record") -> None:
    order = agent.memory.order
    if not order or not _names(want, order):
        return
    if order["st"] == "claimed":
        agent.decline(order, "withdrawn")
    else:
        agent.cancel()


def _offer(agent: "Agent", want: "Record") -> None:
    if want.get("ep", 0) <= agent.memory.last_ep or "prog" not in want or "order" not in want:
        return
    _idle(agent, want)  # an older claim is withdrawn by a newer offer
    if not agent.is_free() or _lacks_counters(agent, want):
        return
    why = _refusal(agent, want)
    if why:
        agent.decline(want, why)
    elif agent.fetching is None or agent.fetching["ep"] != want["ep"]:
        agent.fetching = want
        agent.actions.append(("fetch", want["ep"], want["prog"]))


def take(agent: "Agent", offer: "Record", why: str) -> None:
    """Claim an offer whose program is here, or decline it when why says what is wrong."""
    if agent.want["ph"] != "offer" or agent.want.get("ep") != offer["ep"] or not agent.is_free():
        return
    if why:
        agent.decline(offer, why)
    elif agent.tell("claim", {"order": offer["order"], "ep": offer["ep"], "bn": agent.bn}, CLAIM):
        agent.claimed = offer
        agent.done_ppm = 0


def _grant(agent: "Agent", want: "Record") -> None:
    order = agent.memory.order
    if not order or order["st"] != "claimed" or not _quotes_claim(agent, want, order):
        return
    why = _grant_refusal(agent, want)
    if why:
        agent.decline(order, why)
    else:
        agent.start(want)


def _names(want: "Record", order: "Record") -> bool:
    return want.get("order") == order["order"] and want.get("ep") == order["ep"]


def _quotes_claim(agent: "Agent", want: "Record", order: "Record") -> bool:
    claim: "Record" = want.get("claim", {})
    quoted = (claim.get("jid"), claim.get("s"))
    same_boot = claim.get("bn", agent.bn) == agent.bn  # a clone of the flash is another boot
    return _names(want, order) and same_boot and quoted == (agent.journal.jid, order["claim_s"])


def _grant_refusal(agent: "Agent", want: "Record") -> str:
    if agent.claimed.get("ep") != want["ep"] or "prog" not in want:
        return "program is not here"
    if want["prog"]["sha"] != agent.claimed["prog"]["sha"]:
        return "grant names another program than the offer"
    if agent.state != "idle":
        return "machine is " + agent.state
    if not agent.memory.ready:
        return "machine is not ready"
    if _lacks_counters(agent, want):
        return "too many lots for one journal"
    return _refusal(agent, want)


def _refusal(agent: "Agent", want: "Record") -> str:
    if want["prog"]["kind"] != agent.options.dialect:
        return "program is for " + want["prog"]["kind"] + ", not " + agent.options.dialect
    for lot in want.get("lots", ()):
        loaded = agent.memory.loaded.get(lot["ch"])
        if loaded is not None and loaded != lot["lot"]:
            return "channel {} holds {}, not {}".format(lot["ch"], loaded, lot["lot"])
    return ""


def _lacks_counters(agent: "Agent", want: "Record") -> bool:
    """Say whether lots must wait for a counter; a journal begun anew has room for others."""
    keys = [(lot["ch"], lot["lot"]) for lot in want.get("lots", ())]
    new = [key for key in keys if key not in agent.memory.counters]
    if len(agent.memory.counters) + len(new) <= MAX_COUNTERS:
        return False
    if agent.journal.acked == agent.journal.hi and agent.memory.order is None:
        agent.journal.renew()
        agent.actions.append(("say", "up/hello", hello(agent)))
        return False
    return True


PHASES: "dict[str, Callable[[Agent, Record], None]]" = {
    "idle": _idle,
    "offer": _offer,
    "grant": _grant,
    "stop": _stop,
}
