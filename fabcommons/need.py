"""``fabcommons need``: state needs, list them, follow one from statement to part."""

from __future__ import annotations

import argparse
import csv
import io
import json
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

from fabcommons.client import FAILED, OK, USAGE, Client, CliError
from fabcommons.options import add_common, command, show
from fabcommons.tables import duration, grams, moment, table

_EXAMPLES = """\
examples:
  fabcommons need add --community north --design toggle-clamp --quantity 2 --due 2026-12-01
  fabcommons need add --file needs.json           a list of needs, see docs/needs.md
  fabcommons need list --state making
  fabcommons need show NEED
  fabcommons need show NEED --record              the public record of its parts
  fabcommons need bom NEED                        what it took, and the balance of its mass
  fabcommons need part SERIAL                     what went into one numbered part"""


def add(commands: Any) -> None:
    """Add the command to the command line."""
    need = command(commands, "need", "state a need, list needs, follow one to its part", _EXAMPLES)
    verbs = need.add_subparsers(metavar="VERB", required=True)
    _add_add(verbs)
    lister = verbs.add_parser("list", help="needs and where they stand")
    lister.add_argument("--state", help="only needs in this state, e.g. making")
    add_common(lister)
    lister.set_defaults(run=run_list)
    shower = verbs.add_parser("show", help="one need from statement to part")
    shower.add_argument("need", help="id of the need")
    shower.add_argument("--record", action="store_true", help="the public record of its parts")
    add_common(shower)
    shower.set_defaults(run=run_show)
    biller = verbs.add_parser("bom", help="bill of materials of a need, and its mass balance")
    biller.add_argument("need", help="id of the need")
    add_common(biller)
    biller.set_defaults(run=run_bom)
    tracer = verbs.add_parser("part", help="what went into a numbered part, lot by lot")
    tracer.add_argument("serial", help="its serial number")
    add_common(tracer)
    tracer.set_defaults(run=run_part)


def _add_add(verbs: Any) -> None:
    adder = verbs.add_parser("add", help="state a need, or a file of needs")
    adder.add_argument("--community", help="id of the community")
    adder.add_argument("--design", help="id of the design")
    adder.add_argument("--part", help="part of the design (default: its product)")
    adder.add_argument("--quantity", type=int, default=1)
    adder.add_argument("--due", help="date or time, e.g. 2026-12-01 or 2026-12-01T14:00")
    adder.add_argument("--class", dest="need_class", default="normal", help="floor, normal, urgent")
    adder.add_argument("--note", default="")
    adder.add_argument("--by", default="", help="who states it")
    adder.add_argument("--key", help="makes it safe to repeat (default: a new one)")
    adder.add_argument("--file", type=Path, help="JSON (a need, or a list) or CSV with a header")
    adder.add_argument("--all", action="store_true", help="with --file: all lines or none")
    add_common(adder)
    adder.set_defaults(run=run_add)


def due_at(text: str) -> int:
    """Milliseconds of UTC of a local date or time; raise CliError."""
    try:
        return round(datetime.fromisoformat(text).astimezone().timestamp() * 1000)
    except ValueError as error:
        raise CliError(
            f"--due '{text}' is not a date: write 2026-12-01 or 2026-12-01T14:00", USAGE
        ) from error


def _from_options(options: argparse.Namespace) -> dict[str, Any]:
    if not options.community or not options.design:
        raise CliError("--community and --design are needed (or --file)", USAGE)
    body: dict[str, Any] = {
        "key": options.key or f"cli-{uuid.uuid4().hex}",
        "community": options.community,
        "design": options.design,
        "quantity": options.quantity,
        "need_class": options.need_class,
        "note": options.note,
        "stated_by": options.by,
    }
    if options.part:
        body["part"] = options.part
    if options.due:
        body["due_at"] = due_at(options.due)
    return body


def _from_file(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text("utf-8-sig")
        found: Any = _csv(text) if path.suffix == ".csv" else json.loads(text)
    except (OSError, ValueError, RecursionError, csv.Error) as error:
        raise CliError(f"{path}: {error}", USAGE) from error
    return {"needs": found if isinstance(found, list) else [found]}


def _csv(text: str) -> list[dict[str, Any]]:
    rows = csv.DictReader(io.StringIO(text))
    return [
        {name: int(v) if name in ("quantity", "due_at") else v for name, v in row.items() if v}
        for row in rows
    ]


def run_add(options: argparse.Namespace) -> int:
    """State one need or a file of them; exit 1 when any was refused."""
    body = _from_file(options.file) if options.file else {"needs": [_from_options(options)]}
    body["all_or_nothing"] = options.all
    answer = Client(options.url).post("/api/needs", body)
    show(options, answer, _added)
    return OK if answer["accepted"] == len(answer["lines"]) else FAILED


def _added(answer: dict[str, Any]) -> str:
    lines: list[str] = []
    for line in answer["lines"]:
        problem = line.get("problem")
        if problem:
            words = f"{problem.get('field', '')}: {problem.get('message', '')}".strip(": ")
            lines.append(f"line {line['n'] + 1} refused: {words}")
        else:
            reason = f" ({line['reason']})" if line.get("reason") else ""
            lines.append(f"{line['need']}  {line['state']}{reason}")
    return "\n".join(lines)


def run_list(options: argparse.Namespace) -> int:
    """Print the needs of the site."""
    needs = Client(options.url).get("/api/floor")["floor"]["needs"]
    if options.state:
        needs = {key: need for key, need in needs.items() if need["state"] == options.state}
    return show(options, needs, _needs)


def _needs(needs: dict[str, Any]) -> str:
    if not needs:
        return "no needs"
    rows = [
        (
            key,
            need["community"],
            f"{need['quantity']} x {need['part']}",
            need["state"],
            f"{need.get('made', 0)}/{need['quantity']}",
            moment(need.get("due_at")),
            need.get("reason", ""),
        )
        for key, need in sorted(needs.items(), key=lambda item: item[1]["order"])
    ]
    return table(("need", "community", "what", "state", "made", "due", "why"), rows)


def run_show(options: argparse.Namespace) -> int:
    """Print one need from statement to part, or the public record of its parts."""
    if options.record:
        return show(options, Client(options.url).get(f"/api/parts/{options.need}"), _record)
    return show(options, Client(options.url).get(f"/api/needs/{options.need}"), _story)


def _story(story: dict[str, Any]) -> str:
    head = [
        f"{story['id']}: {story['quantity']} x {story['part']} for {story['community']}",
        f"state      {story['state']}  {story.get('reason', '')}".rstrip(),
        f"design     {story['design']}, {story.get('license', 'no licence stated')}",
        f"stated     {moment(story['created_at'])} {story['stated_by']}".rstrip(),
        f"delivered  {moment(story.get('delivered_at'))}",
        "",
    ]
    rows: list[tuple[object, ...]] = []
    for operation in story["operations"]:
        attempts: list[dict[str, Any]] = operation["orders"] or [{}]
        rows += [_attempt(operation, order) for order in attempts]
    columns = ("unit", "step", "state", "machine", "order", "outcome", "took", "measured")
    return "\n".join(head) + table(columns, rows)


def _attempt(operation: dict[str, Any], order: dict[str, Any]) -> tuple[object, ...]:
    measured = order.get("measured_mg")
    return (
        operation["unit"],
        operation["step"],
        operation["state"],
        order.get("machine", operation.get("machine", "-")),
        order.get("id", "-"),
        order.get("words", operation.get("reason", "")),
        duration(order["run_ms"] / 1000) if "run_ms" in order else "-",
        grams(measured) if measured is not None else "-",
    )


def _record(record: dict[str, Any]) -> str:
    design = f"{record.get('title', record['design'])} {record.get('version', '')}".strip()
    head = [
        f"{record['need']}: {record['quantity']} x {record['part']} for {record['community']}",
        f"stated     {moment(record['stated_at'])} {record['stated_by']}".rstrip(),
        f"accepted   {moment(record.get('accepted_at'))} {record.get('accepted_because', '')}",
        f"design     {design}, {record.get('license', 'no licence stated')},"
        f" by {record.get('licensor', 'nobody named')}",
        *(
            f"delivered  {moment(line['happened_at'])} {line.get('pieces', 0)} pieces,"
            f" {grams(line.get('mass_mg', 0))}, lot {line.get('to_lot', '-')}"
            for line in record["delivered"]
        ),
        "",
    ]
    columns = ("unit", "step", "machine", "order", "from", "to", "measured", "uncertain")
    columns += ("tended by", "inspection")
    return "\n".join(head) + table(columns, [_made(step) for step in record["steps"]])


def _made(step: dict[str, Any]) -> tuple[object, ...]:
    return (
        step["unit"],
        step["step"],
        step["machine"],
        step["order"],
        moment(step.get("started_at")),
        moment(step.get("ended_at")),
        grams(step.get("measured_mg", 0)),
        grams(step["uncertain_mg"]) if "uncertain_mg" in step else "-",
        ", ".join(step["tended_by"]) or "-",
        f"{step.get('inspection', '-')} by {step.get('inspected_by', '-')}",
    )


def run_bom(options: argparse.Namespace) -> int:
    """Print the bill of materials of a need; exit 1 when its mass does not balance."""
    found = Client(options.url).get(f"/api/needs/{options.need}/bom")
    show(options, found, bom_text)
    return OK if found["off_mg"] == 0 else FAILED


def bom_text(bom: dict[str, Any]) -> str:
    """A bill of materials for people."""
    rows = [
        (
            line["material"],
            grams(line["measured_mg"]),
            grams(line["uncertain_mg"]),
            grams(line["counted_mg"]),
            line["pieces"] or "-",
            grams(line["scrap_mg"]),
            ", ".join(line["lots"]),
        )
        for line in bom["lines"]
    ]
    columns = ("material", "measured", "uncertain", "counted", "pieces", "scrap", "lots")
    names = ("in_mg", "from_others_mg", "delivered_mg", "scrap_mg", "to_others_mg", "lying_mg")
    balance = [f"{name.removesuffix('_mg').replace('_', ' ')} {grams(bom[name])}" for name in names]
    off = "balances" if bom["off_mg"] == 0 else f"is off by {bom['off_mg']} mg"
    numbers = ", ".join(bom["serials"]) or "none yet"
    words = f"mass {off}: {', '.join(balance)}\nserial numbers: {numbers}"
    return f"{table(columns, rows)}\n\n{words}"


def run_part(options: argparse.Namespace) -> int:
    """Print what went into a numbered part."""
    return show(options, Client(options.url).get(f"/api/serials/{options.serial}"), _part)


def _part(part: dict[str, Any]) -> str:
    rows = [
        (
            "  " * (line["depth"] - 1) + line["lot"],
            line["material"],
            grams(line["mass_mg"]),
            line["step"],
            line["machine"],
            line["order"],
        )
        for line in part["went_in"]
    ]
    found = [
        f"{signed['who']} signed {signed['order']} {signed['result']}"
        + "".join(f", {name} {value}" for name, value in signed["values"].items())
        for signed in part["signed"]
    ]
    head = f"{part['serial']}: part {part['unit'] + 1} of {part['need']}, {moment(part['made_at'])}"
    body = table(("lot", "material", "took", "step", "machine", "order"), rows)
    return "\n".join((head, body, *found))
