"""Reads a round's inputs from a JSON document; every problem names its field and its fix."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from enum import Enum
from typing import Any, NamedTuple, TypeVar, cast

from controller.allocation.equal_shares import Utility
from controller.allocation.inputs import (
    FORMAT,
    PPM,
    Ballot,
    Community,
    Inputs,
    Need,
    NeedClass,
    Resource,
    Rules,
    SpillRule,
)

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
UNITS = ("mg", "ms", "mWh", "pieces")
MOST = 10**15
LABOUR = ("labour", "labor", "hours_worked", "work", "contribution", "credits")

Word = TypeVar("Word", bound=Enum)


class Problem(NamedTuple):
    """One thing wrong with a document: where, what, and what to do about it."""

    field: str
    message: str
    fix: str

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.field}: {self.message}; {self.fix}"


class RoundError(ValueError):
    """The document is no valid round; `problems` lists everything wrong with it."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class Fields:
    """One JSON object being read; problems are gathered, not raised, so all are told at once."""

    def __init__(self, value: object, where: str, problems: list[Problem]) -> None:
        self.where = where
        self.problems = problems
        self.values: dict[str, Any] = {}
        self.read: set[str] = set()
        if isinstance(value, dict):
            self.values = cast("dict[str, Any]", value)
        else:
            self.say("", "is not an object", "write { ... }")

    def say(self, name: str, message: str, fix: str) -> None:
        """Note a problem of a field."""
        place = ".".join(part for part in (self.where, name) if part) or "document"
        self.problems.append(Problem(place, message, fix))

    def take(self, name: str, default: object = None) -> Any:
        """Value of a field; None counts as absent."""
        self.read.add(name)
        value = self.values.get(name)
        return default if value is None else value

    def text(self, name: str, longest: int = 200) -> str:
        """A required text of one line."""
        value = self.take(name)
        if isinstance(value, str) and 0 < len(value) <= longest and value.isprintable():
            return value
        self.say(name, "must be a text", f"give 1 to {longest} printable characters")
        return ""

    def id(self, name: str) -> str:
        """A required id."""
        value = self.take(name)
        if isinstance(value, str) and ID.match(value):
            return value
        self.say(name, "is not an id", "use 1 to 64 letters, digits, dots, dashes, underscores")
        return ""

    def day(self, name: str) -> str:
        """A required ISO date."""
        value = self.take(name)
        try:
            return date.fromisoformat(value).isoformat()
        except (TypeError, ValueError):
            self.say(name, "is not a day", "write YYYY-MM-DD")
            return "1970-01-01"

    def number(self, name: str, least: int, most: int, default: int | None = None) -> int:
        """An integer within bounds; required when there is no default."""
        value = self.take(name, default)
        if type(value) is int and least <= value <= most:
            return value
        self.say(name, "is not a whole number in range", f"give {least} to {most}")
        return least

    def word(self, name: str, words: type[Word], default: Word) -> Word:
        """One word of an enum."""
        value = self.take(name, default.value)
        try:
            return words(value)
        except ValueError:
            self.say(name, f"is {value!r}", "write " + " or ".join(w.value for w in words))
            return default

    def amounts(self, name: str, keys: Mapping[str, Any], least: int, most: int) -> dict[str, int]:
        """An object of integers by known ids."""
        inner = Fields(self.take(name, {}), f"{self.where}.{name}", self.problems)
        for key in sorted(set(inner.values) - set(keys)):
            inner.say(key, "is not known in this round", "remove it or add it to the round")
        return {k: inner.number(k, least, most) for k in sorted(set(inner.values) & set(keys))}

    def each(self, name: str) -> list[Fields]:
        """A list of objects."""
        value = self.take(name, [])
        if not isinstance(value, list):
            self.say(name, "is not a list", "write [ ... ]")
            return []
        rows = cast("list[object]", value)
        place = f"{self.where}.{name}" if self.where else name
        return [Fields(row, f"{place}[{at}]", self.problems) for at, row in enumerate(rows)]

    def end(self) -> None:
        """Refuse fields nobody read."""
        for name in sorted(set(self.values) - self.read):
            if name.lower() in LABOUR:
                self.say(name, "would weigh by labour", "weights follow need or membership only")
            else:
                self.say(name, "is not a field here", "remove it")


def read_inputs(value: object) -> Inputs:
    """Inputs of a round from a parsed JSON document; RoundError lists every problem."""
    problems: list[Problem] = []
    fields = Fields(value, "", problems)
    if fields.take("format") != FORMAT:
        fields.say("format", "is not known", f'write "{FORMAT}"')
    resources = _unique(fields, "resources", _resource, lambda r: r.id)
    communities = _unique(fields, "communities", lambda f: _community(f, resources), lambda c: c.id)
    needs = _unique(fields, "needs", lambda f: _need(f, resources, communities), lambda n: n.id)
    ballots = _unique(
        fields, "ballots", lambda f: _ballot(f, resources, communities, needs), lambda b: b.member
    )
    inputs = Inputs(
        id=fields.id("id"),
        place=fields.text("place"),
        opened_on=fields.day("opened_on"),
        closed_on=fields.day("closed_on"),
        resources=tuple(resources.values()),
        communities=tuple(communities.values()),
        needs=tuple(needs.values()),
        ballots=tuple(ballots.values()),
        rules=_rules(Fields(fields.take("rules", {}), "rules", problems)),
    )
    fields.end()
    _whole(inputs, fields)
    if problems:
        raise RoundError(problems)
    return inputs


Row = TypeVar("Row")


def _unique(
    fields: Fields, name: str, read: Callable[[Fields], Row], key: Callable[[Row], str]
) -> dict[str, Row]:
    """Rows by id; a second row of the same id is a problem."""
    found: dict[str, Row] = {}
    for row in fields.each(name):
        value = read(row)
        row.end()
        if key(value) in found:
            row.say("", f"repeats {key(value)!r}", "keep one of the two")
        found.setdefault(key(value), value)
    return found


def _whole(inputs: Inputs, fields: Fields) -> None:
    """What only the whole document can get wrong."""
    if inputs.closed_on < inputs.opened_on:
        fields.say("closed_on", "is before opened_on", "close the ballot after it opened")
    if not inputs.resources:
        fields.say("resources", "is empty", "name at least one resource")
    if not sum(c.weight for c in inputs.communities):
        fields.say("communities", "have no weight together", "give members or a need weight")
    for community in inputs.communities:
        count = sum(ballot.community == community.id for ballot in inputs.ballots)
        if count > community.members:
            told = f"{count} ballots from {community.members} members of {community.id}"
            fields.say("ballots", told, "one member has one ballot")


def _resource(fields: Fields) -> Resource:
    threshold = fields.take("threshold")
    found = Resource(
        id=fields.id("id"),
        title=fields.text("title"),
        unit=fields.text("unit"),
        forecast=fields.number("forecast", 0, MOST),
        urgent_reserve=fields.number("urgent_reserve", 0, MOST, 0),
        committed=fields.number("committed", 0, MOST, 0),
        threshold=None if threshold is None else fields.number("threshold", 0, MOST),
    )
    if found.unit not in UNITS:
        fields.say("unit", f"is {found.unit!r}", "write " + " or ".join(UNITS))
    return found


def _community(fields: Fields, resources: Mapping[str, Resource]) -> Community:
    weight = fields.take("need_weight")
    return Community(
        id=fields.id("id"),
        title=fields.text("title"),
        members=fields.number("members", 0, 10**9),
        need_weight=None if weight is None else fields.number("need_weight", 0, 10**9),
        debits=fields.amounts("debits", resources, 0, MOST),
    )


def _need(
    fields: Fields, resources: Mapping[str, Resource], communities: Mapping[str, Community]
) -> Need:
    people = fields.take("attested_by", [])
    if not isinstance(people, list) or not all(
        isinstance(person, str) and person for person in cast("list[object]", people)
    ):
        fields.say("attested_by", "is not a list of names", 'write ["..."]')
        people = []
    found = Need(
        id=fields.id("id"),
        community=fields.id("community"),
        title=fields.text("title"),
        demand=fields.amounts("demand", resources, 0, MOST),
        need_class=fields.word("class", NeedClass, NeedClass.NORMAL),
        attested_by=tuple(sorted(cast("list[str]", people))),
        waited=fields.number("waited", 0, 10**6, 0),
    )
    if found.community not in communities:
        fields.say("community", "is not known in this round", "add the community to the round")
    if not any(found.demand.values()):
        fields.say("demand", "asks for nothing", "give at least one resource a positive amount")
    if found.need_class is NeedClass.FLOOR and not found.attested_by:
        fields.say("attested_by", "is empty for a floor need", "name who agreed to the floor need")
    return found


def _ballot(
    fields: Fields,
    resources: Mapping[str, Resource],
    communities: Mapping[str, Community],
    needs: Mapping[str, Need],
) -> Ballot:
    found = Ballot(
        member=fields.id("member"),
        community=fields.id("community"),
        approvals={k: v for k, v in fields.amounts("approvals", needs, 0, 3).items() if v},
        savings=fields.amounts("savings", resources, 0, MOST),
    )
    if found.community not in communities:
        fields.say("community", "is not known in this round", "add the community to the round")
    return found


def _rules(fields: Fields) -> Rules:
    found = Rules(
        utility=fields.word("utility", Utility, Utility.COST),
        spill=fields.word("spill", SpillRule, SpillRule.SHARE_BEFORE),
        floor_cap_ppm=fields.number("floor_cap_ppm", 0, PPM, 200_000),
        carry_rounds=fields.number("carry_rounds", 0, 1000, 12),
        withhold_ppm=fields.number("withhold_ppm", 0, PPM, 500_000),
    )
    fields.end()
    return found
