"""Job order states as tables: the controller's view, the machine's view, and OPC 10031-4's names.

The controller's table is ``state -> event -> state``. An event a state does not list is illegal:
``step`` raises and nothing changes. WITHDRAWN, SUCCEEDED, FAILED and CANCELLED are final; UNKNOWN
ends only by a named person (``resolved_good``, ``resolved_bad``). ``lost``: the machine took it,
holds it no more, and has nothing left to tell of it.
"""

# controller's view -----------------------------------------------------------------------------
ORDER_STATES = {
    "OFFERED": {
        "claim": "CLAIMED",
        "declined": "WITHDRAWN",
        "withdraw": "WITHDRAWN",
        "lost": "UNKNOWN",
    },
    "CLAIMED": {
        "grant": "GRANTED",
        "declined": "WITHDRAWN",
        "withdraw": "WITHDRAWN",
        "lost": "UNKNOWN",
    },
    "GRANTED": {
        "started": "RUNNING",
        "declined": "WITHDRAWN",
        "finished_ok": "SUCCEEDED",
        "finished_bad": "FAILED",
        "finished_cancelled": "CANCELLED",
        "interrupted": "UNKNOWN",
        "silence": "IN_DOUBT",
        "lost": "UNKNOWN",
    },
    "RUNNING": {
        "paused": "PAUSED",
        "finished_ok": "SUCCEEDED",
        "finished_bad": "FAILED",
        "finished_cancelled": "CANCELLED",
        "interrupted": "UNKNOWN",
        "silence": "IN_DOUBT",
        "lost": "UNKNOWN",
    },
    "PAUSED": {
        "resumed": "RUNNING",
        "paused": "PAUSED",
        "finished_ok": "SUCCEEDED",
        "finished_bad": "FAILED",
        "finished_cancelled": "CANCELLED",
        "interrupted": "UNKNOWN",
        "silence": "IN_DOUBT",
        "lost": "UNKNOWN",
    },
    "IN_DOUBT": {
        "started": "RUNNING",
        "heard": "RUNNING",
        "heard_granted": "GRANTED",
        "heard_paused": "PAUSED",
        "paused": "PAUSED",
        "resumed": "RUNNING",
        "declined": "WITHDRAWN",
        "finished_ok": "SUCCEEDED",
        "finished_bad": "FAILED",
        "finished_cancelled": "CANCELLED",
        "interrupted": "UNKNOWN",
        "given_up": "UNKNOWN",
        "lost": "UNKNOWN",
    },
    "UNKNOWN": {
        "resolved_good": "SUCCEEDED",
        "resolved_bad": "FAILED",
        "finished_ok": "SUCCEEDED",
        "finished_bad": "FAILED",
        "finished_cancelled": "CANCELLED",
    },
    "WITHDRAWN": {},
    "SUCCEEDED": {},
    "FAILED": {},
    "CANCELLED": {},
}
FINAL = tuple(sorted(s for s in ORDER_STATES if not ORDER_STATES[s]))
# After a grant only the machine's journal or a named person may end the order.
BOUND = ("GRANTED", "RUNNING", "PAUSED", "IN_DOUBT", "UNKNOWN")

# state: (OPC 10031-4 state name, number, sub-state name, words for people)
OPC_STATES = {
    "OFFERED": ("NotAllowedToStart", 1, "Waiting", "offered"),
    "CLAIMED": ("NotAllowedToStart", 1, "Ready", "taken by the machine"),
    "GRANTED": ("AllowedToStart", 2, "Ready", "allowed to start"),
    "RUNNING": ("Running", 3, "", "running"),
    "PAUSED": ("Interrupted", 4, "Suspended", "paused"),
    "IN_DOUBT": ("Interrupted", 4, "Held", "in doubt: the machine is silent"),
    "UNKNOWN": ("Interrupted", 4, "Held", "unknown: a person must look"),
    "SUCCEEDED": ("Ended", 5, "Completed", "done"),
    "FAILED": ("Aborted", 6, "", "failed"),
    "CANCELLED": ("Aborted", 6, "", "cancelled"),
    "WITHDRAWN": ("Ended", 5, "Closed", "withdrawn before it began"),
}

# machine's view --------------------------------------------------------------------------------
# "none" holds no order; an order ends by going back to "none". Every event here is journalled
# before the machine acts on it.
MACHINE_ORDER = {
    "none": {"claim": "claimed"},
    "claimed": {
        "declined": "none",
        "started": "running",
    },
    "running": {
        "paused": "paused",
        "finished": "none",
        "interrupted": "none",
    },
    "paused": {
        "resumed": "running",
        "paused": "paused",
        "finished": "none",
        "interrupted": "none",
    },
}


class IllegalEvent(Exception):
    """The table has no such event in this state; nothing was changed. Attributes: state, event."""

    def __init__(self, state: str, event: str) -> None:
        super().__init__(state, event)
        self.state = state
        self.event = event


def step(state: str, event: str) -> str:
    """Next state of a job order; raise IllegalEvent."""
    after = ORDER_STATES[state].get(event)
    if after is None:
        raise IllegalEvent(state, event)
    return after


def machine_step(state: str, event: str) -> str:
    """Next state of the order on its machine; raise IllegalEvent."""
    after = MACHINE_ORDER[state].get(event)
    if after is None:
        raise IllegalEvent(state, event)
    return after


def finished_event(ok: bool, cancelled: bool) -> str:
    """Order event that a machine's ``finished`` report stands for."""
    if ok:
        return "finished_ok"
    return "finished_cancelled" if cancelled else "finished_bad"
