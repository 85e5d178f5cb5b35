"""Re-computes floor, spill and what is carried; these stages are small, so they are done again."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from controller.rounds_verify.payments import Replay, dominant
from controller.rounds_verify.reading import (
    PPM,
    Amounts,
    Certified,
    Finding,
    Given,
    Said,
    Stated,
    Want,
)

NO_WEIGHT = Fraction(10**12)


class Serving:
    """Communities served one need at a time, by least share."""

    def __init__(self, stated: Stated, capacity: Amounts, left: Amounts) -> None:
        self.stated = stated
        self.capacity = capacity
        self.left = dict(left)
        self.used: dict[str, Amounts] = {c: dict.fromkeys(capacity, 0) for c in stated.part}
        self.votes: Amounts = dict.fromkeys(stated.wants, 0)
        for voter in stated.voters:
            for name in voter.voices:
                self.votes[name] += 1

    def share(self, want: Want, with_it: bool) -> Fraction:
        """Weighted dominant share of the need's community, with or without the need."""
        used = self.used[want.community]
        total = {r: a + (want.demand.get(r, 0) if with_it else 0) for r, a in used.items()}
        part = self.stated.part[want.community]
        share = dominant(total, self.capacity)
        return share / part if part else NO_WEIGHT + share

    def rank(self, want: Want) -> tuple[int, Fraction, str]:
        """Order inside a community: votes, then size, then id."""
        return (-self.votes[want.id], dominant(want.demand, self.capacity), want.id)

    def serve(self, wants: list[Want], key: Callable[[Want], Fraction]) -> list[Given]:
        """Grant until nothing fits."""
        queues: dict[str, list[Want]] = {}
        for want in sorted(wants, key=self.rank):
            queues.setdefault(want.community, []).append(want)
        given: list[Given] = []
        while True:
            for community, queue in queues.items():
                at = next((k for k, want in enumerate(queue) if self._fits(want)), len(queue))
                queues[community] = queue[at:]
            heads = [queue[0] for queue in queues.values() if queue]
            if not heads:
                return given
            best = min(heads, key=lambda want: (key(want), self.rank(want)))
            given.append(Given(best.id, best.community, self.share(best, False)))
            self.take(best)
            del queues[best.community][0]

    def _fits(self, want: Want) -> bool:
        return all(amount <= self.left[r] for r, amount in want.demand.items())

    def take(self, want: Want) -> None:
        """Use what the need takes."""
        for r, amount in want.demand.items():
            self.left[r] -= amount
            self.used[want.community][r] += amount


def check_floor(stated: Stated, certified: Certified) -> tuple[list[Finding], Amounts]:
    """Findings of stage 0, and what it leaves to share."""
    cap = {r: amount * stated.rules.floor_cap_ppm // PPM for r, amount in stated.capacity.items()}
    serving = Serving(stated, stated.capacity, cap)
    wants = [want for want in stated.wants.values() if want.floor]
    floor = [given.need for given in serving.serve(wants, lambda w: serving.share(w, False))]
    shared = {r: a - (cap[r] - serving.left[r]) for r, a in stated.capacity.items()}
    if floor != certified.floor:
        told = f"first claims should be {', '.join(floor) or 'none'}"
        return [Finding("floor", "stage 0", told)], shared
    return [], shared


def check_spill(replay: Replay, certified: Certified) -> list[Finding]:
    """Findings of stage 2 and of what is left at the end."""
    stated = replay.stated
    serving = Serving(stated, replay.shared, replay.shared)
    bought = {paid.need for paid in certified.purchases}
    for name in sorted(bought):
        serving.take(stated.wants[name])
    keys: dict[str, Callable[[Want], Fraction]] = {
        "share_before": lambda want: serving.share(want, False),
        "share_after": lambda want: serving.share(want, True),
        "vote_order": lambda want: Fraction(0),
    }
    wants = [stated.wants[name] for name in replay.rank if replay.who[name] and name not in bought]
    given = serving.serve(wants, keys[stated.rules.spill])
    found: list[Finding] = []
    if given != certified.spill:
        names = ", ".join(grant.need for grant in given) or "none"
        found.append(Finding("spill", "stage 2", f"grants should be {names}, with their shares"))
    if serving.left != certified.left:
        found.append(Finding("left", "stage 2", "what is left is not capacity less what was given"))
    return found


def check_carried(replay: Replay, certified: Certified) -> list[Finding]:
    """Findings of savings, debits and rounds waited that the next round starts from."""
    stated = replay.stated
    kept = {
        voter.member: {r: replay.purse[r][at] // replay.den[r] for r in replay.shared}
        for at, voter in enumerate(stated.voters)
    }
    debits = {c: dict(amounts) for c, amounts in replay.owed.items()}
    for grant in certified.spill:
        supporters = [stated.voters[at].member for at, _ in replay.who[grant.need]]
        for r, amount in stated.wants[grant.need].demand.items():
            over = charge_supporters(kept, supporters, r, amount)
            if stated.rules.spill == "share_before":
                debits[grant.community][r] += over
    for voter in stated.voters:
        fresh = replay.fresh[voter.community]
        row = kept[voter.member]
        kept[voter.member] = {
            r: min(a, int(fresh[r] * stated.rules.carry_rounds)) for r, a in row.items()
        }
    served = {*certified.floor, *(p.need for p in certified.purchases)}
    served |= {grant.need for grant in certified.spill}
    waited = {n: w.waited + 1 for n, w in stated.wants.items() if replay.who[n] and n not in served}
    wrong = [
        name
        for name, right, told in (
            ("savings", nonzero(kept), certified.savings),
            ("debits", nonzero(debits), certified.debits),
            ("waited", waited, certified.waited),
        )
        if right != told
    ]
    return [Finding("carry", f"next.{n}", "does not follow from the payments") for n in wrong]


def charge_supporters(kept: dict[str, Amounts], supporters: list[str], r: str, amount: int) -> int:
    """Take an amount from supporters in proportion to what they have; return what is missing."""
    held = sum(kept[member][r] for member in supporters)
    for member in supporters:
        purse = kept[member][r]
        kept[member][r] -= purse if held <= amount else purse * amount // held
    return max(0, amount - held)


def nonzero(table: dict[str, Amounts]) -> dict[str, Amounts]:
    """Rows and amounts that are not 0."""
    rows = {key: {r: a for r, a in row.items() if a} for key, row in table.items()}
    return {key: row for key, row in rows.items() if row}


def check_decisions(replay: Replay, certified: Certified) -> list[Finding]:
    """Every need has one decision; it says what the certificate says, with the right figures."""
    stage = dict.fromkeys(certified.floor, "floor")
    stage |= {paid.need: paid.stage for paid in certified.purchases}
    stage |= {grant.need: "spill" for grant in certified.spill}
    capacity = replay.stated.capacity
    lefts = {"capacity": capacity, "floor": replay.shared}
    lefts |= {"shares": replay.left, "spill": certified.left}
    found: list[Finding] = []
    for name in sorted({*replay.stated.wants, *certified.decisions}):
        want, said = replay.stated.wants.get(name), certified.decisions.get(name)
        if want is None or said is None:
            found.append(Finding("decision", f"need {name}", "is unknown, or has no decision"))
            continue
        if not _true(said, want, stage.get(name), (lefts, bool(replay.who[name]))):
            told = "is told another state, stage or figure than the round gives it"
            found.append(Finding("decision", f"need {name}", told))
        elif not said.reason.startswith(f"{said.state}: "):
            found.append(Finding("decision", f"need {name}", "has a reason that says otherwise"))
    return found


def _true(
    said: Said, want: Want, stage: str | None, round_: tuple[dict[str, Amounts], bool]
) -> bool:
    """Tell whether state, stage and figures follow from the round (left by stage, has votes)."""
    lefts, voted = round_
    shown = said._replace(reason="")
    if stage is not None:
        return shown == Said("accepted", stage, "", "", 0, 0)
    lacking = {s: {r for r, a in want.demand.items() if a > left[r]} for s, left in lefts.items()}
    where = next((s for s in lefts if lacking[s]), "")
    if not voted and where != "capacity":
        return shown == Said("waiting", "ballot", "", "", 0, 0)
    if said.resource not in lacking.get(where, ()):
        return False
    r = said.resource
    return shown == Said("refused", where, "", r, want.demand[r], lefts[where][r])
