"""A published round as plain values; whatever is not as published rounds are raises Malformed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any, NamedTuple, cast

FORMAT = "fabcommons-round/1"
PPM = 1_000_000
RATIO = re.compile(r"(\d{1,20000})/([1-9]\d{0,19999})\Z")

Amounts = dict[str, int]


class Finding(NamedTuple):
    """One thing wrong with a published round."""

    code: str
    where: str
    message: str

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.code}: {self.where}: {self.message}"


class Malformed(Exception):
    """The document is not a published round; where and why."""

    def __init__(self, where: str, message: str) -> None:
        super().__init__(f"{where}: {message}")
        self.finding = Finding("malformed", where, message)


class Want(NamedTuple):
    """A need as stated."""

    id: str
    community: str
    demand: Amounts
    floor: bool
    waited: int


class Voter(NamedTuple):
    """A ballot with the member's voice for each need, 2 to 6."""

    member: str
    community: str
    voices: Amounts
    savings: Amounts


class Paid(NamedTuple):
    """A purchase as certified."""

    need: str
    stage: str
    rho: Fraction
    price: dict[str, Fraction]
    short: dict[str, dict[str, Fraction]]


class Given(NamedTuple):
    """A stage 2 grant as certified."""

    need: str
    community: str
    share: Fraction


class Said(NamedTuple):
    """What a need was told: a refused one the resource, what it asks, what was left."""

    state: str
    stage: str
    reason: str
    resource: str
    asked: int
    left: int


class Agreed(NamedTuple):
    """The rules the communities agreed on."""

    by_cost: bool
    spill: str
    floor_cap_ppm: int
    carry_rounds: int
    withhold_ppm: int


@dataclass(frozen=True)
class Stated:
    """The inputs of the round; voters in the order of member ids."""

    capacity: Amounts
    part: dict[str, Fraction]
    debits: dict[str, Amounts]
    wants: dict[str, Want]
    voters: list[Voter]
    rules: Agreed


@dataclass(frozen=True)
class Certified:
    """The outcome as certified."""

    floor: list[str]
    purchases: list[Paid]
    spill: list[Given]
    left: Amounts
    savings: dict[str, Amounts]
    debits: dict[str, Amounts]
    waited: Amounts
    decisions: dict[str, Said]


def table(value: object, where: str) -> dict[str, Any]:
    """An object with text keys."""
    if isinstance(value, dict):
        return cast("dict[str, Any]", value)
    raise Malformed(where, "is not an object")


def rows(value: object, where: str) -> list[Any]:
    """A list."""
    if isinstance(value, list):
        return cast("list[Any]", value)
    raise Malformed(where, "is not a list")


def get(value: dict[str, Any], name: str, where: str) -> Any:
    """A field that must be there."""
    if name in value:
        return value[name]
    raise Malformed(where, f"has no {name}")


def text(value: object, where: str) -> str:
    """A text that is not empty."""
    if isinstance(value, str) and value:
        return value
    raise Malformed(where, "is not a text")


def whole(value: object, where: str, least: int = 0, most: int = 10**18) -> int:
    """A whole number within bounds."""
    if type(value) is int and least <= value <= most:
        return value
    raise Malformed(where, f"is not a whole number from {least} to {most}")


def ratio(value: object, where: str) -> Fraction:
    """A fraction "numerator/denominator" in lowest terms, not negative."""
    match = RATIO.match(value) if isinstance(value, str) else None
    if match is None:
        raise Malformed(where, "is not a fraction")
    found = Fraction(_integer(match[1]), _integer(match[2]))
    if str(value) != f"{_digits(found.numerator)}/{_digits(found.denominator)}":
        raise Malformed(where, "is not a fraction in lowest terms")
    return found


def _integer(digits: str) -> int:
    """Integer of many digits, in pieces below the interpreter's limit on conversions."""
    number = 0
    for at in range(0, len(digits), 4000):
        piece = digits[at : at + 4000]
        number = number * 10 ** len(piece) + int(piece)
    return number


def _digits(number: int) -> str:
    """Digits of an integer of any size; the inverse of _integer."""
    if number < 10**4000:
        return str(number)
    head, tail = divmod(number, 10**4000)
    return _digits(head) + str(tail).zfill(4000)


def amounts(value: object, keys: dict[str, Any] | set[str], where: str, most: int) -> Amounts:
    """An object of whole numbers by known keys."""
    found = table(value, where)
    for key in found:
        if key not in keys:
            raise Malformed(where, f"names {key!r}, which the round does not know")
    return {key: whole(found[key], f"{where}.{key}", 0, most) for key in sorted(found)}


def read_stated(value: object) -> Stated:
    """The inputs; Malformed when they break a rule of what may be stated."""
    found = table(value, "inputs")
    if get(found, "format", "inputs") != FORMAT:
        raise Malformed("inputs.format", f"is not {FORMAT}")
    for name in ("id", "place"):
        text(get(found, name, "inputs"), f"inputs.{name}")
    _days(found)
    capacity = _capacity(found)
    part, debits, members = _communities(found, set(capacity))
    wants = _wants(found, capacity, part)
    voters = _voters(found, capacity, wants)
    for community, count in members.items():
        if sum(voter.community == community for voter in voters) > count:
            raise Malformed("inputs.ballots", f"are more than {community} has members")
    if any(voter.community not in part for voter in voters):
        raise Malformed("inputs.ballots", "name a community that is not in the round")
    return Stated(capacity, part, debits, wants, voters, _rules(found))


def _rules(found: dict[str, Any]) -> Agreed:
    where = "inputs.rules"
    rules = table(get(found, "rules", "inputs"), where)
    spill, utility = get(rules, "spill", where), get(rules, "utility", where)
    if spill not in ("share_before", "share_after", "vote_order"):
        raise Malformed(f"{where}.spill", "is not a rule")
    if utility not in ("cost", "one"):
        raise Malformed(f"{where}.utility", "is not a rule")
    floor, carry, withhold = (
        whole(get(rules, name, where), f"{where}.{name}", 0, most)
        for name, most in (("floor_cap_ppm", PPM), ("carry_rounds", 1000), ("withhold_ppm", PPM))
    )
    return Agreed(utility == "cost", spill, floor, carry, withhold)


def _days(found: dict[str, Any]) -> None:
    try:
        opened, closed = (date.fromisoformat(found[n]) for n in ("opened_on", "closed_on"))
    except (KeyError, TypeError, ValueError):
        raise Malformed("inputs", "has no opened_on or closed_on day") from None
    if closed < opened:
        raise Malformed("inputs.closed_on", "is before opened_on")


def _capacity(found: dict[str, Any]) -> Amounts:
    capacity: Amounts = {}
    for at, row in enumerate(rows(get(found, "resources", "inputs"), "inputs.resources")):
        where = f"inputs.resources[{at}]"
        resource = table(row, where)
        most = whole(get(resource, "forecast", where), f"{where}.forecast")
        threshold = get(resource, "threshold", where)
        if threshold is not None:
            most = min(most, whole(threshold, f"{where}.threshold"))
        for name in ("urgent_reserve", "committed"):
            most -= whole(get(resource, name, where), f"{where}.{name}")
        _new(text(get(resource, "id", where), f"{where}.id"), capacity, where)
        capacity[resource["id"]] = max(0, most)
    return capacity


def _new(name: str, known: dict[str, Any], where: str) -> None:
    if name in known:
        raise Malformed(where, f"repeats {name!r}")


def _communities(
    found: dict[str, Any], resources: set[str]
) -> tuple[dict[str, Fraction], dict[str, Amounts], Amounts]:
    weights: Amounts = {}
    debits: dict[str, Amounts] = {}
    members: Amounts = {}
    for at, row in enumerate(rows(get(found, "communities", "inputs"), "inputs.communities")):
        where = f"inputs.communities[{at}]"
        community = table(row, where)
        name = text(get(community, "id", where), f"{where}.id")
        _new(name, weights, where)
        members[name] = whole(get(community, "members", where), f"{where}.members")
        weight = get(community, "need_weight", where)
        weights[name] = members[name] if weight is None else whole(weight, f"{where}.need_weight")
        owed = get(community, "debits", where)
        debits[name] = amounts(owed, resources, f"{where}.debits", 10**18)
        extra = set(community) - {"id", "title", "members", "need_weight", "debits"}
        if extra:
            raise Malformed(where, f"has {sorted(extra)[0]!r}; weights follow need or membership")
    if not sum(weights.values()):
        raise Malformed("inputs.communities", "have no weight")
    whole_weight = sum(weights.values())
    return {c: Fraction(w, whole_weight) for c, w in weights.items()}, debits, members


def _wants(found: dict[str, Any], capacity: Amounts, part: dict[str, Fraction]) -> dict[str, Want]:
    wants: dict[str, Want] = {}
    for at, row in enumerate(rows(get(found, "needs", "inputs"), "inputs.needs")):
        where = f"inputs.needs[{at}]"
        need = table(row, where)
        name = text(get(need, "id", where), f"{where}.id")
        _new(name, wants, where)
        kind = get(need, "class", where)
        demand = amounts(get(need, "demand", where), capacity, f"{where}.demand", 10**18)
        attested = rows(get(need, "attested_by", where), f"{where}.attested_by")
        if kind not in ("floor", "normal", "urgent") or (kind == "floor" and not attested):
            raise Malformed(where, "is of no class, or a floor need nobody agreed to")
        if need.get("community") not in part or not any(demand.values()):
            raise Malformed(where, "is of no community, or asks for nothing")
        waited = whole(get(need, "waited", where), f"{where}.waited")
        wants[name] = Want(name, need["community"], demand, kind == "floor", waited)
    return wants


def _voters(found: dict[str, Any], capacity: Amounts, wants: dict[str, Want]) -> list[Voter]:
    voters: dict[str, Voter] = {}
    for at, row in enumerate(rows(get(found, "ballots", "inputs"), "inputs.ballots")):
        where = f"inputs.ballots[{at}]"
        ballot = table(row, where)
        name = text(get(ballot, "member", where), f"{where}.member")
        _new(name, voters, where)
        levels = amounts(get(ballot, "approvals", where), wants, f"{where}.approvals", 3)
        if 0 in levels.values():
            raise Malformed(f"{where}.approvals", "has an intensity of 0")
        loudest = max(levels.values(), default=1)
        voices = {need: 6 * level // loudest for need, level in levels.items()}
        savings = amounts(get(ballot, "savings", where), capacity, f"{where}.savings", 10**18)
        community = text(get(ballot, "community", where), f"{where}.community")
        voters[name] = Voter(name, community, voices, savings)
    return [voters[name] for name in sorted(voters)]


def read_certified(value: dict[str, Any], stated: Stated) -> Certified:
    """The certificate and the decisions."""
    found = table(get(value, "certificate", "document"), "certificate")
    after = table(get(found, "next", "certificate"), "certificate.next")
    members = {voter.member for voter in stated.voters}
    where = "certificate.next"
    return Certified(
        floor=[text(n, "certificate.floor") for n in rows(found.get("floor"), "certificate.floor")],
        purchases=_purchases(found, members, stated),
        spill=_given(found),
        left=amounts(found.get("left"), stated.capacity, "certificate.left", 10**18),
        savings=_nested(get(after, "savings", where), members, stated, f"{where}.savings"),
        debits=_nested(get(after, "debits", where), set(stated.part), stated, f"{where}.debits"),
        waited=amounts(get(after, "waited", where), stated.wants, f"{where}.waited", 10**18),
        decisions=_decisions(value),
    )


def _purchases(found: dict[str, Any], members: set[str], stated: Stated) -> list[Paid]:
    purchases: list[Paid] = []
    for at, row in enumerate(rows(found.get("purchases"), "certificate.purchases")):
        where = f"certificate.purchases[{at}]"
        paid = table(row, where)
        price = table(get(paid, "price", where), f"{where}.price")
        short = table(get(paid, "short", where), f"{where}.short")
        purchases.append(
            Paid(
                text(get(paid, "need", where), where),
                text(get(paid, "stage", where), where),
                ratio(get(paid, "rho", where), f"{where}.rho"),
                {r: ratio(p, f"{where}.price.{r}") for r, p in price.items()},
                {r: _short(who, members, f"{where}.short.{r}") for r, who in short.items()},
            )
        )
    return purchases


def _short(value: object, members: set[str], where: str) -> dict[str, Fraction]:
    found = table(value, where)
    if set(found) - members:
        raise Malformed(where, "names somebody who has no ballot")
    return {member: ratio(paid, f"{where}.{member}") for member, paid in found.items()}


def _given(found: dict[str, Any]) -> list[Given]:
    given: list[Given] = []
    for at, row in enumerate(rows(found.get("spill"), "certificate.spill")):
        where = f"certificate.spill[{at}]"
        grant = table(row, where)
        need, community = (text(get(grant, n, where), where) for n in ("need", "community"))
        given.append(Given(need, community, ratio(get(grant, "share", where), f"{where}.share")))
    return given


def _nested(value: object, keys: set[str], stated: Stated, where: str) -> dict[str, Amounts]:
    found = table(value, where)
    if set(found) - keys:
        raise Malformed(where, "names somebody who is not in the round")
    return {
        key: amounts(row, stated.capacity, f"{where}.{key}", 10**18) for key, row in found.items()
    }


def _decisions(value: dict[str, Any]) -> dict[str, Said]:
    decided: dict[str, Said] = {}
    for at, row in enumerate(rows(get(value, "decisions", "document"), "decisions")):
        where = f"decisions[{at}]"
        one = table(row, where)
        name = text(get(one, "need", where), where)
        _new(name, decided, where)
        state, stage, reason = (
            text(get(one, n, where), where) for n in ("state", "stage", "reason")
        )
        asked, left = (whole(get(one, n, where), f"{where}.{n}") for n in ("asked", "left"))
        resource = get(one, "resource", where)
        if not isinstance(resource, str):
            raise Malformed(where, "has a resource that is no text")
        decided[name] = Said(state, stage, reason, resource, asked, left)
    return decided
