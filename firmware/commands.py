"""Commands of people: checked, done once, answered. They never start an order.

A command is for one life of the firmware (its boot nonce); a repeated id gets the first answer
again. What a person did is journalled before it takes effect; stopping never waits for that.
"""

from firmware.journal import PROGRESS
from firmware.reports import hello

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from firmware.agent import Agent
    from protocols.records import Record

    Verb = Callable[[Agent, Record], str]  # why it was refused, "" = done

ANSWERS_KEPT = 16
CONSOLE_MS = 30000  # real time in which a line of a person is answered
_FULL = "journal is full: nobody acknowledges"


def answer(agent: "Agent", command: "Record") -> "Record | None":
    """Do a command; return the body of up/rsp, None when the machine is to answer first."""
    for known in agent.answers:
        if known[0] == command["id"]:
            return _body(known)
    if agent.asked and agent.asked[0] == command["id"]:
        return None
    code, text = _judge(agent, command)
    if not code:
        text = _VERBS[command["do"]](agent, command)
        if agent.asked and agent.asked[0] == command["id"]:
            return None
        code = "refused" if text else "done"
    return _keep(agent, (command["id"], code, text))


def answered(agent: "Agent", lines: "list[str]", text: str) -> "Record | None":
    """The machine answered the line of a person, or did not (then why)."""
    if not agent.asked:
        return None
    given = (agent.asked[0], "refused" if text else "done", text)
    agent.asked = ()
    body = _keep(agent, given)
    body["lines"] = lines
    return body


def _keep(agent: "Agent", given: "tuple[str, str, str]") -> "Record":
    agent.answers.append(given)
    if len(agent.answers) > ANSWERS_KEPT:
        agent.answers.pop(0)
    return _body(given)


def _body(given: "tuple[str, str, str]") -> "Record":
    value: "Record" = {"v": 1, "id": given[0], "ok": given[1] == "done", "code": given[1]}
    if given[2]:
        value["msg"] = given[2][:160]
    return value


def _judge(agent: "Agent", command: "Record") -> "tuple[str, str]":
    """Code and words of a command that must not be done; ("", "") when it may."""
    if command["bn"] != agent.bn:
        return "stale", "was meant for an earlier start of this machine"
    floor_ms = agent.floor.now(agent.now_ms)
    if floor_ms is not None and "t" in command and command["do"] != "stop":  # never too late
        if floor_ms - command["t"] > command["ttl_ms"] * agent.floor.rate:
            return "expired", "came too late"
    if "ep" in command and _epoch(agent, command["do"]) != command["ep"]:
        return "refused", "the order it was meant for is not here"
    if agent.memory.last_ep > command.get("upto", agent.memory.last_ep):
        return "refused", "another order was taken since"
    return "", ""


def _epoch(agent: "Agent", verb: str) -> int:
    """Epoch of the order a verb is about: the one held, or the last one when that is cleared away.

    So a late "clear" never vouches for a bed on which the next order lies.
    """
    if verb == "clear":
        return agent.memory.last_ep
    return agent.memory.order["ep"] if agent.memory.order else 0


def note(agent: "Agent", command: "Record") -> bool:
    """Journal who did what; False when there is no room."""
    body = {"who": command["who"], "act": command["do"], "id": command["id"]}
    return agent.tell("op", body, PROGRESS)


def _pause(agent: "Agent", command: "Record") -> str:
    if agent.memory.order_state != "running":
        return "no order is running"
    note(agent, command)
    agent.actions.append(("pause",))
    return ""


def _resume(agent: "Agent", command: "Record") -> str:
    if agent.memory.order_state != "paused":
        return "no order is paused"
    note(agent, command)
    agent.actions.append(("resume",))
    return ""


def _cancel(agent: "Agent", command: "Record") -> str:
    if agent.memory.order_state not in ("running", "paused"):
        return "no order is running"
    note(agent, command)
    agent.cancel()
    return ""


def _stop(agent: "Agent", command: "Record") -> str:
    agent.stop()
    agent.actions.append(("note", command))
    return ""


def _clear(agent: "Agent", command: "Record") -> str:
    if agent.memory.order_state in ("running", "paused"):
        return "an order is running"
    if not note(agent, command):
        return _FULL
    agent.clear()
    return ""


def _load(agent: "Agent", command: "Record") -> str:
    if "ch" not in command or "lot" not in command:
        return "needs a channel and a lot"
    if agent.memory.order_state == "running":
        return "an order is running"
    body = {"ch": command["ch"], "lot": command["lot"]}
    if not note(agent, command) or not agent.tell("load", body):
        return _FULL
    if agent.memory.order_state == "paused":
        agent.meter.reload(command["ch"], command["lot"])
    return ""


def _unload(agent: "Agent", command: "Record") -> str:
    ch = command.get("ch")
    lot = agent.memory.loaded.get(-1 if ch is None else ch)
    if lot is None:
        return "nothing is loaded there"
    if agent.memory.order_state == "running":
        return "an order is running"
    if not note(agent, command) or not agent.tell("unload", {"ch": ch, "lot": lot}):
        return _FULL
    return ""


def _update(agent: "Agent", command: "Record") -> str:
    if agent.update is None:
        return "has no slots to update into: install it anew over USB"
    if "release" not in command:
        return "needs a release"
    why = agent.update.why_not()
    if why:
        return why
    if not note(agent, command):
        return _FULL
    agent.actions.append(("update", command["release"]))
    return ""


def _console(agent: "Agent", command: "Record") -> str:
    from protocols import console  # most lives never need it

    line = command.get("line", "")
    if agent.memory.order is not None or agent.state != "idle":
        return "the machine is not idle without an order"
    if agent.asked:
        return "the line before is not answered yet"
    why = console.refusal(line, agent.options.dialect)
    if why:
        return why
    if not console.only_reads(line) and not note(agent, command):
        return _FULL
    agent.asked = (command["id"], agent.now_ms)
    agent.actions.append(("console", line))
    return ""


def _identify(agent: "Agent", command: "Record") -> str:
    agent.actions.append(("identify",))
    return ""


def _hello(agent: "Agent", command: "Record") -> str:
    agent.actions.append(("say", "up/hello", hello(agent)))
    return ""


_VERBS: "dict[str, Verb]" = {
    "pause": _pause,
    "resume": _resume,
    "cancel": _cancel,
    "stop": _stop,
    "clear": _clear,
    "load": _load,
    "unload": _unload,
    "identify": _identify,
    "hello": _hello,
    "update": _update,
    "console": _console,
}
