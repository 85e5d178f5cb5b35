"""Execution: what machines and people report becomes state and ledger, one transaction each."""

from controller.execution.events import apply_event
from controller.execution.inspection import Findings, sign_off, timer_left_s
from controller.execution.people import (
    answer_command,
    confirm_clear,
    release_machine,
    resolve,
    retry,
    verdict,
)
from controller.execution.presence import hear_hello, hear_state, mark_silent, quarantine

__all__ = [
    "Findings",
    "answer_command",
    "apply_event",
    "confirm_clear",
    "hear_hello",
    "hear_state",
    "mark_silent",
    "quarantine",
    "release_machine",
    "resolve",
    "retry",
    "sign_off",
    "timer_left_s",
    "verdict",
]
