"""PaBuLib .pb files in and out: META, PROJECTS, VOTES; fields after ";" as pabulib.org says.

A .pb file has one cost column, so a round is one file per resource; the vector stays in the
round's JSON. Rules of April 2026: `target` is an error, the field is `beneficiaries`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from controller.allocation.inputs import Inputs

META = (
    "description", "country", "unit", "instance", "num_projects", "num_votes", "budget",
    "vote_type", "rule", "date_begin", "date_end",
)  # fmt: skip
VOTE_TYPES = ("approval", "ordinal", "cumulative", "scoring", "choose-1")
SECTIONS = {
    "META": ("key", "value"),
    "PROJECTS": ("project_id", "cost"),
    "VOTES": ("voter_id", "vote"),
}
DAY = re.compile(r"(\d{4}|\d{2}\.\d{2}\.\d{4})\Z")
FORMS = {
    "vote_type": (re.compile(f"({'|'.join(VOTE_TYPES)})\\Z"), "write " + " or ".join(VOTE_TYPES)),
    "budget": (re.compile(r"\d{1,18}(\.\d+)?\Z"), "write digits only"),
    "date_begin": (DAY, "write DD.MM.YYYY or YYYY"),
    "date_end": (DAY, "write DD.MM.YYYY or YYYY"),
}


class PbProblem(NamedTuple):
    """One thing wrong with a .pb file: line from 1, what, and what to do."""

    line: int
    message: str
    fix: str

    def __str__(self) -> str:
        """Say it in one line."""
        return f"line {self.line}: {self.message}; {self.fix}"


class PbError(ValueError):
    """The file is no valid .pb file; `problems` lists everything wrong with it."""

    def __init__(self, problems: list[PbProblem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


@dataclass(frozen=True)
class Project:
    """A project: id, cost in the resource's unit, other columns as text."""

    id: str
    cost: int
    more: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Vote:
    """A vote: project -> points (1 for a plain approval), other columns as text."""

    voter: str
    points: Mapping[str, int]
    more: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class PbElection:
    """One .pb file: all META fields as text, projects and votes in file order."""

    meta: Mapping[str, str]
    projects: tuple[Project, ...]
    votes: tuple[Vote, ...]

    @property
    def budget(self) -> int:
        """Whole budget, rounded down."""
        return int(float(self.meta["budget"]))


class _Row(NamedTuple):
    line: int
    cells: dict[str, str]


def read_pb(text: str) -> PbElection:
    """Read a .pb file; PbError names every bad line."""
    problems: list[PbProblem] = []
    sections = _sections(text, problems)
    meta = {row.cells["key"]: row.cells["value"] for row in sections["META"]}
    costs = _projects(sections["PROJECTS"], problems)
    votes = _votes(sections["VOTES"], {p.id for p in costs}, meta.get("vote_type", ""), problems)
    _check_meta(sections["META"], meta, (len(costs), len(votes)), problems)
    if problems:
        raise PbError(sorted(problems))
    return PbElection(meta, tuple(costs), tuple(votes))


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    content = io.StringIO(text.removeprefix("\ufeff"), newline="")
    reader = csv.reader(content, delimiter=";", strict=True, skipinitialspace=True)
    for row in reader:
        cells = [cell.strip() for cell in row]
        if any(cells):
            yield reader.line_num, cells


def _sections(text: str, problems: list[PbProblem]) -> dict[str, list[_Row]]:
    """Rows of each section as column -> cell."""
    found: dict[str, list[_Row]] = {name: [] for name in SECTIONS}
    seen: set[str] = set()
    section, columns = "", list[str]()
    try:
        for line, cells in _rows(text):
            if cells[0].upper() in SECTIONS and not any(cells[1:]):
                section, columns = cells[0].upper(), []
                seen.add(section)
            elif not section:
                problems.append(PbProblem(line, "stands before any section", "start with META"))
            elif not columns:
                columns = [cell.lower() for cell in cells]
                _check_columns(line, section, columns, problems)
            elif len(cells) != len(columns):
                told = f"has {len(cells)} fields where {section} has {len(columns)} columns"
                problems.append(PbProblem(line, told, 'put "..." around a field that holds ;'))
            else:
                found[section].append(_Row(line, dict(zip(columns, cells, strict=True))))
    except csv.Error as error:
        problems.append(PbProblem(1, f"is no .pb text ({error})", "close every quotation mark"))
    for name in SECTIONS.keys() - seen:
        problems.append(PbProblem(1, f"section {name} is missing", f"add a line {name}"))
    return _complete(found)


def _check_columns(
    line: int, section: str, columns: Sequence[str], problems: list[PbProblem]
) -> None:
    for name in SECTIONS[section]:
        if name not in columns:
            problems.append(PbProblem(line, f"{section} has no column {name}", "add it"))
    if section == "PROJECTS" and "target" in columns:
        problems.append(PbProblem(line, "column target is gone", "name it beneficiaries"))


def _complete(found: dict[str, list[_Row]]) -> dict[str, list[_Row]]:
    """Rows that have the columns their section must have; a missing column was told once."""
    return {
        name: [row for row in rows if all(column in row.cells for column in SECTIONS[name])]
        for name, rows in found.items()
    }


def _projects(rows: Sequence[_Row], problems: list[PbProblem]) -> list[Project]:
    found: dict[str, Project] = {}
    for line, cells in rows:
        more = {k: v for k, v in cells.items() if k not in ("project_id", "cost")}
        name, cost = cells["project_id"], _whole(cells["cost"])
        if not name or name in found:
            problems.append(PbProblem(line, f"project {name!r} is empty or repeated", "rename it"))
        if cost is None or cost <= 0:
            told = f"cost {cells['cost']!r} is no positive whole number"
            problems.append(PbProblem(line, told, "give the cost in the smallest unit"))
        found.setdefault(name, Project(name, cost or 1, more))
    return list(found.values())


def _whole(text: str) -> int | None:
    """A whole number, also written 12.0; None for anything else."""
    match = re.fullmatch(r"(-?\d{1,18})(?:\.0*)?", text)
    return int(match[1]) if match else None


def _votes(
    rows: Sequence[_Row], known: set[str], vote_type: str, problems: list[PbProblem]
) -> list[Vote]:
    found: dict[str, Vote] = {}
    for line, cells in rows:
        voter = cells["voter_id"]
        if not voter or voter in found:
            told = f"voter {voter!r} is empty or repeated"
            problems.append(PbProblem(line, told, "one voter has one vote"))
        chosen = [name.strip() for name in cells["vote"].split(",") if name.strip()]
        for name in sorted(set(chosen) - known):
            problems.append(PbProblem(line, f"project {name!r} is unknown", "list it in PROJECTS"))
        if len(set(chosen)) != len(chosen):
            problems.append(PbProblem(line, "a project is named twice", "name it once"))
        more = {k: v for k, v in cells.items() if k not in ("voter_id", "vote", "points")}
        points = _points(line, chosen, cells.get("points"), vote_type, problems)
        found.setdefault(voter, Vote(voter, points, more))
    return list(found.values())


def _points(
    line: int,
    chosen: Sequence[str],
    cell: str | None,
    vote_type: str,
    problems: list[PbProblem],
) -> dict[str, int]:
    if vote_type not in ("cumulative", "scoring"):
        return dict.fromkeys(chosen, 1)
    numbers = [_whole(part.strip()) for part in (cell or "").split(",") if part.strip()]
    if len(numbers) != len(chosen) or None in numbers:
        told = f"{len(chosen)} projects have points {cell!r}"
        problems.append(PbProblem(line, told, "give one whole number for each project"))
        return dict.fromkeys(chosen, 1)
    return {name: number or 0 for name, number in zip(chosen, numbers, strict=True)}


def _check_meta(
    rows: Sequence[_Row],
    meta: Mapping[str, str],
    counts: tuple[int, int],
    problems: list[PbProblem],
) -> None:
    lines = {row.cells["key"]: row.line for row in rows}
    for name in META:
        if not meta.get(name):
            problems.append(PbProblem(1, f"META has no {name}", f"add a line {name};..."))
    for name, count in zip(("num_projects", "num_votes"), counts, strict=True):
        if name in meta and meta[name] != str(count):
            told = f"{name} says {meta[name]} and the file has {count}"
            problems.append(PbProblem(lines[name], told, "correct the number or the rows"))
    for name, (form, fix) in FORMS.items():
        if meta.get(name) and not form.match(meta[name]):
            told = f"{name} {meta[name]!r} is not valid"
            problems.append(PbProblem(lines[name], told, fix))


def write_pb(election: PbElection) -> str:
    """The .pb text of an election; points are written when any differs from 1."""
    out = io.StringIO()
    rows = csv.writer(out, delimiter=";", lineterminator="\n")
    rows.writerows([("META",), ("key", "value"), *election.meta.items()])
    columns = list(election.projects[0].more) if election.projects else []
    rows.writerows([("PROJECTS",), ("project_id", "cost", *columns)])
    rows.writerows((p.id, p.cost, *(p.more[c] for c in columns)) for p in election.projects)
    columns = list(election.votes[0].more) if election.votes else []
    pointed = election.meta["vote_type"] in ("cumulative", "scoring")
    rows.writerows([("VOTES",), ("voter_id", "vote", *(["points"] if pointed else []), *columns)])
    for vote in election.votes:
        points = [",".join(map(str, vote.points.values()))] if pointed else []
        cells = (vote.more[column] for column in columns)
        rows.writerow((vote.voter, ",".join(vote.points), *points, *cells))
    return out.getvalue()


def round_elections(inputs: Inputs, accepted: Sequence[str]) -> dict[str, PbElection]:
    """One election per resource: the needs that ask for it, and everyone's approvals of those."""
    chosen = set(accepted)
    supporters = inputs.supporters()
    graded = any(level != 1 for b in inputs.ballots for level in b.approvals.values())
    found: dict[str, PbElection] = {}
    for resource in sorted(inputs.resources, key=lambda r: r.id):
        projects = tuple(
            Project(
                need.id,
                need.demand[resource.id],
                {
                    "votes": str(len(supporters[need.id])),
                    "name": need.title,
                    "selected": str(int(need.id in chosen)),
                    "neighborhood": need.community,
                },
            )
            for need in sorted(inputs.needs, key=lambda n: n.id)
            if need.demand.get(resource.id, 0)
        )
        ids = {project.id for project in projects}
        votes = tuple(
            Vote(
                ballot.member,
                {n: level for n, level in sorted(ballot.approvals.items()) if n in ids},
                {"neighborhood": ballot.community},
            )
            for ballot in sorted(inputs.ballots, key=lambda b: b.member)
        )
        votes = tuple(vote for vote in votes if vote.points)
        meta = _meta(inputs, f"{resource.title} in {resource.unit}", (len(projects), len(votes)))
        meta |= {"subunit": resource.id, "budget": str(resource.capacity)}
        if graded:
            meta |= {"vote_type": "scoring", "min_points": "1", "max_points": "3"}
        if projects and votes:
            found[resource.id] = PbElection(meta, projects, votes)
    return found


def _meta(inputs: Inputs, subject: str, counts: tuple[int, int]) -> dict[str, str]:
    return {
        "description": f"Allocation round {inputs.id} of {inputs.place}: {subject}",
        "country": "Worldwide",
        "unit": inputs.place,
        "subunit": "",
        "instance": inputs.id,
        "num_projects": str(counts[0]),
        "num_votes": str(counts[1]),
        "budget": "",
        "vote_type": "approval",
        "rule": "unknown",
        "date_begin": _day(inputs.opened_on),
        "date_end": _day(inputs.closed_on),
    }


def _day(iso: str) -> str:
    year, month, day = iso.split("-")
    return f"{day}.{month}.{year}"
