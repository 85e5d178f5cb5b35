"""Bugs planted on purpose: a campaign that does not find them would prove nothing.

Each says where it sits; only tests plant them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from support.cutflash import CutFlash


class ForgetfulFlash(CutFlash):
    """A ``started`` that was called durable is lost when power fails soon after."""

    def sync(self, file: Any) -> None:
        if b'"ty":"started"' in file.pending:
            self.operation(file)
        else:
            super().sync(file)

    def after_cut(self, cut_at: Any = None, kept: float = 0.0) -> ForgetfulFlash:
        return ForgetfulFlash(self.files, cut_at, 0.0)


def ack_before_commit(site: Any) -> None:
    """Broker and machines hear what follows from a transaction before it is committed."""
    heard = site._heard

    def puback_at_once(message: Any) -> None:
        heard(message)
        site.mqtt.puback(message)

    site._heard = puback_at_once

    def before(tx: Any) -> None:
        site._before_commit(tx)
        site._after_commit(tx)

    site.writer._hooks = replace(site.writer._hooks, before=before, after=lambda tx: None)


def epoch_unchecked(life: Any) -> None:
    """The firmware takes any offer and any grant of the order it holds."""
    memory = life.app.journal.memory
    agent = life.app.agent

    def receive(leaf: str, message: Any, now_ms: int) -> None:
        if leaf == "dn/want":
            memory.last_ep, agent._want_key = 0, (-1, -1)
            order = memory.order
            if message["ph"] == "grant" and order and order["ep"] == message.get("ep"):
                claim = {"jid": life.app.journal.jid, "s": order["claim_s"]}
                message = {**message, "claim": claim}
        type(agent).receive(agent, leaf, message, now_ms)

    agent.receive = receive


def mark_forgotten(life: Any) -> None:
    """After a power cut nobody asks what may have been drawn up to the mark."""
    life.app.meter.recover = lambda order: None


ON_SITE = {"ack before commit": ack_before_commit}
ON_LIFE = {"epoch not checked": epoch_unchecked, "mark not declared": mark_forgotten}
FLASHES = {"started not durable": ForgetfulFlash}
