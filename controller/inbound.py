"""Inbound: bytes from a machine become values, or a dead letter with its reason."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from controller import execution
from controller.values import DeadLetter, Json, Refused, StoreFailed
from protocols.errors import WireError
from protocols.messages import MAX_UP_BYTES, MESSAGES, decode
from protocols.records import check, parse
from protocols.topics import parse_topic

if TYPE_CHECKING:
    from controller.adapters.store import Tx

MAX_KEPT = 512
UNUSABLE = "unusable"  # type under which an event is kept whose body cannot be read
_log = logging.getLogger(__name__)


def bury(tx: "Tx", topic: str, payload: bytes, code: str, reason: str) -> None:
    """Keep the beginning of a message that could not be used, with the reason."""
    text = payload[:MAX_KEPT].decode("utf-8", "replace").replace("\x00", "\ufffd")
    tx.dead.add(DeadLetter(topic[:200], text, code, reason, tx.now_ms))
    tx.notice("dead", topic[:200], f"message on {topic[:80]} refused: {reason}")


def receive(tx: "Tx", topic: str, payload: bytes, site: str, record: Json | None = None) -> str:
    """Take one message: the outcome of its event, "taken", or "dead"; no content makes it raise.

    ``record`` is the payload decoded, where that was done already.
    """
    try:
        of_site, machine, leaf = parse_topic(topic)
        if of_site != site or not leaf.startswith("up/"):
            raise WireError("topic", "", "is not for this controller")
        with tx.savepoint():
            return take(tx, machine, leaf, record or decode(leaf, payload))
    except WireError as error:
        code, reason = error.code, str(error)
    except Refused as refused:
        code, reason = refused.code, str(refused)
    except StoreFailed:
        raise  # the message is good: it comes again
    except Exception as error:  # noqa: BLE001  # a poison message is buried, never left to block
        _log.exception("a message could not be taken")
        code, reason = "internal", repr(error)[:300]
    bury(tx, topic, payload, code, reason)
    return _skip(tx, topic, payload, reason)


def _skip(tx: "Tx", topic: str, payload: bytes, reason: str) -> str:
    """Acknowledge an event whose head can be read, so that it does not block its journal."""
    try:
        _, machine, leaf = parse_topic(topic)
        if leaf != "up/ev":
            return "dead"
        head = check(MESSAGES[leaf], parse(payload, MAX_UP_BYTES))
        with tx.savepoint():
            execution.apply_event(tx, machine, {**head, "ty": UNUSABLE, "why": reason})
    except (WireError, Refused):
        pass
    return "dead"


def take(tx: "Tx", machine: str, leaf: str, record: Json) -> str:
    """Take one decoded message of a machine; raise Refused."""
    if leaf == "up/ev":
        return execution.apply_event(tx, machine, record)
    _TAKE[leaf](tx, machine, record)
    return "taken"


_TAKE: "dict[str, Callable[[Tx, str, Json], None]]" = {
    "up/state": execution.hear_state,
    "up/hello": execution.hear_hello,
    "up/rsp": execution.answer_command,
}
