"""Handover of a printer's bed to a robot: one small table, and what it allows. Pure.

The printer prints only in ``clear``; the robot reaches only in ``posed``; nobody says that the bed
is clear while the robot may be in it. ``tests/properties/test_handover.py`` explores every order
of events of printer, door, part, robot and people against this table, and finds bugs planted in it.
What no table can do is keep a hand out of the bed once the robot was told to reach: that is the
fence's part, and the model assumes it.
"""

# state: (words for people, event: state)
HANDOVER: "dict[str, tuple[str, dict[str, str]]]" = {
    "clear": ("the bed is clear", {"begun": "printing"}),
    "printing": (
        "the printer has an order",
        {"given_back": "clear", "ended": "lying", "ended_badly": "by_hand"},
    ),
    "lying": (
        "a part lies on the bed; where exactly is not confirmed",
        {"posed": "posed", "cleared": "clear"},
    ),
    "posed": (
        "place and pose of the part are confirmed",
        {"moved": "lying", "reach": "reaching", "cleared": "clear"},
    ),
    "reaching": (
        "the robot may be in the bed",
        {"left": "emptied", "refused": "posed", "failed": "by_hand"},
    ),
    "emptied": ("the robot took the part and left", {"cleared": "clear"}),
    "by_hand": ("a person must look and clear the bed", {"cleared": "clear"}),
}
STATES = tuple(HANDOVER)
DOORS = ("none", "open", "closed")


class IllegalHandover(Exception):
    """The table has no such event in this state; nothing changed. Attributes: state, event."""

    def __init__(self, state: str, event: str) -> None:
        super().__init__(state, event)
        self.state = state
        self.event = event


def step(state: str, event: str) -> str:
    """State after an event; raise IllegalHandover."""
    after = HANDOVER[state][1].get(event)
    if after is None:
        raise IllegalHandover(state, event)
    return after


def may_print(state: str, door: str) -> bool:
    """Whether the printer may be given an order."""
    return state == "clear" and door != "open"


def may_reach(state: str, door: str, posed_now: bool) -> bool:
    """Whether the robot may be told to take the part; its pose is asked again at that moment."""
    return state == "posed" and door != "closed" and posed_now


def may_say_clear(state: str) -> bool:
    """Whether a person (or the robot's end) may say that the bed is clear."""
    return state != "reaching"


def seen(state: str, order: str, ready: bool) -> str:
    """Event that the printer's side of things stands for; "" for none.

    order: "open" while it holds an order, "good" or "bad" for one that ended and lies there.
    """
    if state == "clear":
        return "begun" if order else ""
    if state == "printing":
        if order == "open":
            return ""
        ended = {"good": "ended", "bad": "ended_badly"}.get(order, "")
        return ended or ("given_back" if ready else "ended_badly")
    return "cleared" if ready and state != "reaching" else ""
