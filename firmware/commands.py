"""Commands of people: checked, done once, answered. They never start an order.

A command is for one life of the firmware (its boot nonce); a repeated id gets the first answer
again. What a person did is journalled before it takes effect; stopping never waits for that.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from firmware.core import Core
    from protocols.records import Record

    Verb = Callable[[Core, Record], str]  # why it was refused, "" = done

ANSWERS_KEPT = 16
CONSOLE_MS = 30000  # real time in which a line of a person is answered
_FULL = "journal is full: nobody acknowledges"


def answer(core: "Core", command: "Record") -> "Record | None":
    """Do a command; return the body of up/rsp, None when the machine is to answer first."""
    for known in core.answers:
        if known[0] == command["id"]:
            return _body(known)
    if core.asked and core.asked[0] == command["id"]:
        return None
    code, text = _judge(core, command)
    if not code:
        text = _VERBS[command["do"]](core, command)
        if core.asked and core.asked[0] == command["id"]:
            return None
        code = "refused" if text else "done"
    return _keep(core, (command["id"], code, text))


def answered(core: "Core", lines: "list[str]", text: str) -> "Record | None":
    """The machine answered the line of a person, or did not (then why)."""
    if not core.asked:
        return None
    given = (core.asked[0], "refused" if text else "done", text)
    core.asked = ()
    body = _keep(core, given)
    body["lines"] = lines
    return body


def _keep(core: "Core", given: "tuple[str, str, str]") -> "Record":
    core.answers.append(given)
    if len(core.answers) > ANSWERS_KEPT:
        core.answers.pop(0)
    return _body(given)


def _body(given: "tuple[str, str, str]") -> "Record":
    value: "Record" = {"v": 1, "id": given[0], "ok": given[1] == "done", "code": given[1]}
    if given[2]:
        value["msg"] = given[2][:160]
    return value


def _judge(core: "Core", command: "Record") -> "tuple[str, str]":
    """Code and words of a command that must not be done; ("", "") when it may."""
    if command["bn"] != core.bn:
        return "stale", "was meant for an earlier start of this machine"
    floor_ms = core.floor.now(core.now_ms)
    if floor_ms is not None and "t" in command and command["do"] != "stop":  # never too late
        if floor_ms - command["t"] > command["ttl_ms"] * core.floor.rate:
            return "expired", "came too late"
    if "ep" in command and _epoch(core, command["do"]) != command["ep"]:
        return "refused", "the order it was meant for is not here"
    if core.memory.last_ep > command.get("upto", core.memory.last_ep):
        return "refused", "another order was taken since"
    return "", ""


def _epoch(core: "Core", verb: str) -> int:
    """Epoch of the order a verb is about: the one held, or the last one when that is cleared away.

    So a late "clear" never vouches for a bed on which the next order lies.
    """
    if verb == "clear":
        return core.memory.last_ep
    return core.memory.order["ep"] if core.memory.order else 0


def _pause(core: "Core", command: "Record") -> str:
    if core.memory.order_state != "running":
        return "no order is running"
    core.note(command)
    core.actions.append(("pause",))
    return ""


def _resume(core: "Core", command: "Record") -> str:
    if core.memory.order_state != "paused":
        return "no order is paused"
    core.note(command)
    core.actions.append(("resume",))
    return ""


def _cancel(core: "Core", command: "Record") -> str:
    if core.memory.order_state not in ("running", "paused"):
        return "no order is running"
    core.note(command)
    core.cancel()
    return ""


def _stop(core: "Core", command: "Record") -> str:
    core.stop()
    core.actions.append(("note", command))
    return ""


def _clear(core: "Core", command: "Record") -> str:
    if core.memory.order_state in ("running", "paused"):
        return "an order is running"
    if not core.note(command):
        return _FULL
    core.clear()
    return ""


def _load(core: "Core", command: "Record") -> str:
    if "ch" not in command or "lot" not in command:
        return "needs a channel and a lot"
    if core.memory.order_state == "running":
        return "an order is running"
    body = {"ch": command["ch"], "lot": command["lot"]}
    if not core.note(command) or not core.tell("load", body):
        return _FULL
    if core.memory.order_state == "paused":
        core.meter.reload(command["ch"], command["lot"])
    return ""


def _unload(core: "Core", command: "Record") -> str:
    ch = command.get("ch")
    lot = core.memory.loaded.get(-1 if ch is None else ch)
    if lot is None:
        return "nothing is loaded there"
    if core.memory.order_state == "running":
        return "an order is running"
    if not core.note(command) or not core.tell("unload", {"ch": ch, "lot": lot}):
        return _FULL
    return ""


def _update(core: "Core", command: "Record") -> str:
    if core.why_no_update is None:
        return "has no slots to update into: install it anew over USB"
    why = core.why_no_update()
    if why:
        return why
    if "release" not in command:
        return "needs a release"
    if not core.note(command):
        return _FULL
    core.actions.append(("update", command["release"]))
    return ""


def _console(core: "Core", command: "Record") -> str:
    from protocols import console  # most lives never need it

    line = command.get("line", "")
    if core.memory.order is not None or core.state != "idle":
        return "the machine is not idle without an order"
    if core.asked:
        return "the line before is not answered yet"
    why = console.refusal(line, core.config["dialect"])
    if why:
        return why
    if not console.only_reads(line) and not core.note(command):
        return _FULL
    core.asked = (command["id"], core.now_ms)
    core.actions.append(("console", line))
    return ""


def _identify(core: "Core", command: "Record") -> str:
    core.actions.append(("identify",))
    return ""


def _hello(core: "Core", command: "Record") -> str:
    core.actions.append(("hello",))
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
