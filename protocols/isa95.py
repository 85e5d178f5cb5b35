"""ISA-95 job control of OPC 10031-4 v2: names, state numbers, method rules and result bits.

One table of methods feeds the simulated cell (what a call does) and the controller's adapter
(what a call may do). Numbers are the standard's; node ids are never named here because a client
finds nodes by the URI of their namespace and their browse name.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple
else:
    from collections import namedtuple

URI_DI = "http://opcfoundation.org/UA/DI/"
URI_IA = "http://opcfoundation.org/UA/IA/"
URI_ISA95 = "http://opcfoundation.org/UA/ISA95-JOBCONTROL_V2/"
URI_MACHINERY = "http://opcfoundation.org/UA/Machinery/"
URI_JOBS = "http://opcfoundation.org/UA/Machinery/Jobs/"
URI_ROBOTICS = "http://opcfoundation.org/UA/Robotics/"

RECEIVER_TYPES = ("ISA95JobOrderReceiverObjectType", "ISA95JobOrderReceiverSubStatesType")
PROVIDER_TYPE = "ISA95JobResponseProviderObjectType"

# StateNumber of the states and of their sub-states, as in the official NodeSet.
NOT_ALLOWED = 1
ALLOWED = 2
RUNNING = 3
INTERRUPTED = 4
ENDED = 5
ABORTED = 6
STATE_TEXT = {
    NOT_ALLOWED: "NotAllowedToStart",
    ALLOWED: "AllowedToStart",
    RUNNING: "Running",
    INTERRUPTED: "Interrupted",
    ENDED: "Ended",
    ABORTED: "Aborted",
}
SUBSTATE_TEXT = {
    NOT_ALLOWED: {1: "Waiting", 2: "Ready", 3: "Loaded"},
    ALLOWED: {1: "Waiting", 2: "Ready", 3: "Loaded"},
    INTERRUPTED: {1: "Held", 2: "Suspended"},
    ENDED: {1: "Completed", 2: "Closed"},
}
SUBSTATE_MACHINE = {
    NOT_ALLOWED: "NotAllowedToStartSubstates",
    ALLOWED: "AllowedToStartSubstates",
    INTERRUPTED: "InterruptedSubstates",
    ENDED: "EndedSubstates",
}
PREPARED = 2  # sub-state Ready of NotAllowedToStart and AllowedToStart
HELD = 1
SUSPENDED = 2
COMPLETED = 1
AT_WORK = (RUNNING, INTERRUPTED)
FINAL = (ENDED, ABORTED)

# ReturnStatus bits (OPC 10031-4, 7.2.1). Bit 0 set means no error, so success is 1 and not 0.
DONE = 1
UNKNOWN_ORDER = 1 << 1
INVALID_STATE = 1 << 3
UNABLE = 1 << 4
INVALID_REQUEST = 1 << 32
RETURN_STATUS = (
    (DONE, "done"),
    (UNKNOWN_ORDER, "job order not known"),
    (INVALID_STATE, "not possible in the order's state"),
    (UNABLE, "unable to accept the order"),
    (INVALID_REQUEST, "request not valid"),
)

# method: (states it is allowed in, state afterwards). NONE = no such order is listed.
NONE = 0
METHODS = {
    "Store": ((NONE,), NOT_ALLOWED),
    "StoreAndStart": ((NONE,), ALLOWED),
    "Start": ((NOT_ALLOWED,), ALLOWED),
    "RevokeStart": ((ALLOWED,), NOT_ALLOWED),
    "Update": ((NOT_ALLOWED, ALLOWED), -1),
    "Pause": ((RUNNING,), INTERRUPTED),
    "Resume": ((INTERRUPTED,), RUNNING),
    "Stop": ((RUNNING, INTERRUPTED), ENDED),
    "Abort": ((NOT_ALLOWED, ALLOWED, RUNNING, INTERRUPTED), ABORTED),
    "Cancel": ((NOT_ALLOWED, ALLOWED), NONE),
    "Clear": ((ENDED, ABORTED), NONE),
}
STORING = ("Store", "StoreAndStart", "Update")  # take a whole order; the others take its id

# OPC 40001-3: JobResult and predefined parameters.
RESULT_UNKNOWN = 0
RESULT_SUCCESSFUL = 1
RESULT_UNSUCCESSFUL = 2
PARAM_RESULT = "JobResult"
PARAM_REASON = "ReasonForStateChange"
PARAM_PLANNED_MS = "PlannedProductionTime"
PARAM_NAME = "JobName"

# Units of measure: UNECE Recommendation 20 code, factor to mg (None = pieces, not a mass).
UNITS = {
    "MGM": 1,
    "GRM": 1000,
    "KGM": 1000000,
    "H87": None,
    "C62": None,
}


def unit_id(code: str) -> int:
    """EUInformation.unitId of a UNECE code: its characters as base 256 digits (OPC 10000-8)."""
    number = 0
    for c in code:
        number = number * 256 + ord(c)
    return number


def unit_code(number: int) -> str:
    """UNECE code of an EUInformation.unitId; the twin of ``unit_id``."""
    code = ""
    while number > 0:
        code = chr(number % 256) + code
        number //= 256
    return code


def format_job_id(order: str, ep: int) -> str:
    """JobOrderID of one attempt at a job order; no two attempts share one."""
    return order + "." + str(ep)


def parse_job_id(job_id: str) -> "tuple[str, int] | None":
    """Split a JobOrderID into (order, epoch); None when it is not one of ours."""
    order, dot, ep = job_id.rpartition(".")
    if not dot or not order or not 0 < len(ep) < 11 or ep[0] == "0":
        return None
    if not all([c in "0123456789" for c in ep]):  # isdigit takes other digits, too
        return None
    return order, int(ep)


def explain(status: int) -> str:
    """ReturnStatus in words."""
    words = [text for bit, text in RETURN_STATUS if status & bit]
    known = sum([bit for bit, _ in RETURN_STATUS])
    if status & ~known:
        words.append("bits " + hex(status & ~known))
    return ", ".join(words) if words else "no status"


if TYPE_CHECKING:

    class JobState(NamedTuple):
        """State of a job order: the standard's number and its sub-state's, 0 when it has none."""

        number: int
        sub: int
else:
    JobState = namedtuple("JobState", ("number", "sub"))


def after_call(method: str, state: JobState) -> "tuple[int, JobState]":
    """(ReturnStatus, state afterwards) of a method by the table; state.number NONE = not listed."""
    allowed, target = METHODS[method]
    if state.number in allowed:
        if target == -1:
            return DONE, state
        return DONE, JobState(target, _SUB_AFTER.get(method, 0))
    if state.number == NONE:
        return UNKNOWN_ORDER, state
    return (UNABLE if method in ("Store", "StoreAndStart") else INVALID_STATE), state


_SUB_AFTER = {
    "Store": PREPARED,
    "StoreAndStart": PREPARED,
    "Start": PREPARED,
    "RevokeStart": PREPARED,
    "Pause": SUSPENDED,
    "Stop": COMPLETED,
}


def state_words(state: JobState) -> str:
    """State for people: ``Interrupted (Held)``."""
    name = STATE_TEXT.get(state.number, "not listed")
    sub = SUBSTATE_TEXT.get(state.number, {}).get(state.sub)
    return name + " (" + sub + ")" if sub else name
