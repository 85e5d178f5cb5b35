"""What people say: the bed is clear and the part good or bad, an order ended so, try again."""

from typing import TYPE_CHECKING

from controller.execution.material import begin_anew
from controller.execution.outcome import Verdict, settle, settle_failed
from controller.execution.presence import TWO_BOARDS, trust_anew
from controller.execution.steps import advance, give_back, missing_inputs, operation_of, try_again
from controller.values import JobOrder, Json, Operation, Refused

if TYPE_CHECKING:
    from controller.adapters.store import Tx

RESULTS = ("good", "bad", "rework")


def verdict(result: str, who: str, pieces: int | None) -> Verdict:
    """A person's verdict from words; raise Refused."""
    if result not in RESULTS:
        raise Refused("bad-result", "result", "must be good, bad or rework")
    return Verdict(result == "good", who, pieces, mend=result == "rework")


def confirm_clear(tx: "Tx", machine: str, verdict: Verdict) -> JobOrder | None:
    """Record the result of the order that lies on a machine; None when none waits for one."""
    if tx.machines.get(machine) is None:
        raise Refused("unknown-machine", "machine", f"there is no machine {machine}")
    _check_pieces(verdict)
    order = tx.orders.unsettled_on(machine)
    if order is not None and verdict.good and must_sign(operation_of(tx, order)):
        text = "sign this off with what you found: its values, ticks and photo"
        raise Refused("sign-off", "result", text)
    if order is None:
        order = tx.orders.open_on(machine)
        if order is None or order.state not in ("IN_DOUBT", "UNKNOWN"):
            return None
        return resolve(tx, order.id, verdict)
    settle(tx, order, verdict)
    return tx.orders.get(order.id)


def settle_now(tx: "Tx", order: JobOrder, verdict: Verdict) -> None:
    """Settle an ended order by a verdict; raise Refused when its pieces cannot be."""
    _check_pieces(verdict)
    settle(tx, order, verdict)


def must_sign(operation: Operation) -> bool:
    """Whether an operation's result must be signed off with what was found."""
    work = operation.work
    return bool(work.get("checks") or work.get("measures") or work.get("photo"))


def resolve(tx: "Tx", order: str, verdict: Verdict) -> JobOrder:
    """A person's word ends an order in doubt or unknown; raise Refused when it is neither."""
    found = tx.orders.get(order)
    if found is None:
        raise Refused("unknown-order", "order", f"there is no order {order}")
    _check_pieces(verdict)
    if found.state == "IN_DOUBT":
        found = advance(tx, found, "given_up", ended_at=tx.now_ms)
    if found.state != "UNKNOWN":
        raise Refused("not-open", "order", f"{order} is {found.state}: there is nothing to resolve")
    ended = found.ended_at or tx.now_ms
    word = "resolved_good" if verdict.good else "resolved_bad"
    found = advance(tx, found, word, ended_at=ended, resolved_by=verdict.who)
    if verdict.good:
        settle(tx, found, verdict)
    else:
        settle_failed(tx, found)
        try_again(tx, operation_of(tx, found), f"scrapped by {verdict.who}")
    tx.notice("order", order, f"{verdict.who} resolved {order}: {found.state.lower()}")
    after = tx.orders.get(order)
    assert after is not None
    return after


def retry(tx: "Tx", operation: str, who: str) -> None:
    """Let an operation that used up its attempts be tried again; raise Refused."""
    found = tx.operations.get(operation)
    if found is None:
        raise Refused("unknown-operation", "operation", f"there is no operation {operation}")
    if found.state != "held":
        raise Refused("not-held", "operation", f"{operation} is {found.state}, not held")
    tx.operations.change(operation, attempts=0)
    give_back(tx, found, f"released by {who}")
    missing_inputs(tx, found, f"released by {who}")
    tx.notice("operation", operation, f"{who} released {operation}")


def release_machine(tx: "Tx", machine: str, who: str) -> None:
    """Trust a quarantined machine again; counters that contradicted begin at their next report."""
    found = tx.machines.get(machine)
    if found is None:
        raise Refused("unknown-machine", "machine", f"there is no machine {machine}")
    if not found.quarantine:
        return
    trust_anew(tx, machine)
    if found.quarantine != TWO_BOARDS:  # each journal counts for itself; else they contradict
        begin_anew(tx, machine)
    tx.notice("machine", machine, f"{who} released {machine} from quarantine")
    tx.touch(machine)
    tx.effects.replan = True


def answer_command(tx: "Tx", machine: str, answer: Json) -> None:
    """Take ``up/rsp``: the answer to a command; raise Refused when it was never asked."""
    command = tx.commands.get(answer["id"])
    if command is None or command.machine != machine:
        raise Refused("unknown-command", "id", f"{machine} answers {answer['id']}, never asked")
    tx.commands.change(
        command.id,
        answered_at=tx.now_ms,
        ok=answer["ok"],
        code=answer["code"],
        msg="\n".join([*answer.get("lines", ()), *([answer["msg"]] if "msg" in answer else ())]),
    )
    if not answer["ok"]:
        why = answer.get("msg") or answer["code"]
        tx.notice("command", machine, f"{machine} did not {command.do}: {why}")


def _check_pieces(verdict: Verdict) -> None:
    if verdict.pieces is not None and verdict.pieces < 0:
        raise Refused("bad-pieces", "good_pieces", "must not be negative")
