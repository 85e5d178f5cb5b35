"""``fabcommons round``: rounds of a site, a round from a file, and the check of a published one."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from controller.allocation.certificate import decide, decide_pb
from controller.allocation.inputs import inputs_sha256
from controller.allocation.pabulib import PbError
from controller.allocation.reading import RoundError
from controller.allocation.reasons import decisions
from controller.rounds_verify.verify import verify_file
from fabcommons.client import FAILED, OK, USAGE, Client, CliError
from fabcommons.options import add_common, command, show
from fabcommons.tables import moment, table

_EXAMPLES = """\
examples:
  fabcommons round open --hours 72                the ballot of a running site
  fabcommons round list
  fabcommons round show current
  fabcommons round close r1                       close the ballot and count it
  fabcommons round publish r1 --out published     round.json, ballots.json and .pb files
  fabcommons round run docs/examples/round-inputs.json --out published
  fabcommons round run town.pb                    any PaBuLib file with whole costs
  fabcommons round verify published/round.json
  fabcommons round verify published/round.json --inputs-sha256 HASH_MADE_PUBLIC_BEFORE"""


def add(commands: Any) -> None:
    """Add the command to the command line."""
    parser = command(
        commands,
        "round",
        "open, close, decide and publish allocation rounds; check a published one",
        _EXAMPLES,
    )
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    _add_site(verbs)
    runner = verbs.add_parser("run", help="decide a round from its inputs")
    runner.add_argument("file", type=Path, help="inputs of the round: JSON, or a PaBuLib .pb file")
    runner.add_argument("--out", type=Path, help="folder to publish round.json and .pb files in")
    runner.add_argument("--json", action="store_true", help="print JSON for programs")
    runner.set_defaults(run=run_run)
    checker = verbs.add_parser("verify", help="check a published round without trusting anybody")
    checker.add_argument("file", type=Path, help="a published round.json, its .pb files beside it")
    checker.add_argument("--inputs-sha256", help="hash made public when the ballot closed")
    checker.add_argument("--json", action="store_true", help="print JSON for programs")
    checker.set_defaults(run=run_verify)


def _add_site(verbs: Any) -> None:
    """Verbs on the rounds of a running site."""
    opener = verbs.add_parser("open", help="open the next round of a site")
    opener.add_argument("--hours", type=int, help="how long the ballot stays open, floor time")
    opener.set_defaults(run=run_open)
    lister = verbs.add_parser("list", help="rounds of a site")
    lister.set_defaults(run=run_list)
    for parser in (opener, lister):
        add_common(parser)
    words = {
        "show": ("a round with its needs and reasons", run_show),
        "close": ("close a ballot and count it", run_close),
        "publish": ("write the published files of a round", run_publish),
    }
    for name, (what, handler) in words.items():
        parser = verbs.add_parser(name, help=what)
        parser.add_argument("round", help="id of the round, or current")
        if name == "publish":
            parser.add_argument("--out", type=Path, required=True, help="folder to write them in")
        add_common(parser)
        parser.set_defaults(run=handler)


def run_open(options: argparse.Namespace) -> int:
    """Open the next round."""
    body = {} if options.hours is None else {"hours": options.hours}
    return show(options, Client(options.url).post("/api/rounds", body), _round)


def run_list(options: argparse.Namespace) -> int:
    """Print the rounds of a site."""
    return show(options, Client(options.url).get("/api/rounds"), _rounds)


def run_show(options: argparse.Namespace) -> int:
    """Print one round."""
    return show(options, Client(options.url).get(f"/api/rounds/{options.round}"), _round)


def run_close(options: argparse.Namespace) -> int:
    """Close a ballot and count it."""
    answer = Client(options.url).post(f"/api/rounds/{options.round}/close", {})
    return show(options, answer, _round)


def run_publish(options: argparse.Namespace) -> int:
    """Write the published files of a round into a folder."""
    client = Client(options.url)
    found = client.get(f"/api/rounds/{options.round}")
    if not found["files"]:
        raise CliError(f"{found['id']} has published nothing yet: close it first")
    options.out.mkdir(parents=True, exist_ok=True)
    for name in found["files"]:
        content = client.content(f"/api/rounds/{found['id']}/files/{name}")
        (options.out / Path(name).name).write_bytes(content)
    return show(options, found["files"], "\n".join)


def _rounds(rounds: list[dict[str, Any]]) -> str:
    rows = [
        (
            r["id"],
            r["state"],
            moment(r["opened_at"]),
            moment(r["closes_at"]),
            r["need_count"],
            r["ballot_count"],
            r.get("accepted", "-"),
        )
        for r in rounds
    ]
    head = ("round", "state", "opened", "closes", "needs", "ballots", "accepted")
    return table(head, rows) if rows else "no rounds"


def _round(found: dict[str, Any]) -> str:
    lines = [f"{found['id']} is {found['state']}; ballot until {moment(found['closes_at'])}"]
    if "inputs_sha256" in found:
        lines.append(f"inputs {found['inputs_sha256']}")
    lines.append(f"ballots {found['ballot_count']}, all hashes {found['ballots_sha256']}")
    rows = [
        (
            key,
            need["title"],
            need["community"],
            need["approvals"],
            need["points"],
            need.get("reason", "on the ballot"),
        )
        for key, need in sorted(found["needs"].items(), key=lambda i: i[1].get("place", 10**9))
    ]
    head = ("need", "what", "community", "approvals", "points", "became")
    return "\n".join(lines) + "\n" + table(head, rows)


def run_run(options: argparse.Namespace) -> int:
    """Decide; print every need's reason; publish when asked to."""
    try:
        run = decide_pb if options.file.suffix == ".pb" else decide
        decided = run(options.file.read_bytes())
    except OSError as error:
        raise CliError(f"{options.file}: {error.strerror}", USAGE) from error
    except (RoundError, PbError) as error:
        raise CliError(f"{options.file} is no round:\n{error}", USAGE) from error
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        for name, content in decided.files.items():
            (options.out / name).write_bytes(content)
    sha256 = inputs_sha256(decided.outcome.inputs)
    rows = decisions(decided.outcome)
    if options.json:
        print(json.dumps({"inputs_sha256": sha256, "decisions": [row._asdict() for row in rows]}))
        return OK
    print(f"inputs {sha256}")
    titles = {need.id: need.title for need in decided.outcome.inputs.needs}
    for row in rows:
        print(f"{row.need}  {titles[row.need]}: {row.reason}")
    return OK


def run_verify(options: argparse.Namespace) -> int:
    """Print what is wrong; exit code 0 only when nothing is."""
    findings = verify_file(options.file, options.inputs_sha256)
    if options.json:
        print(json.dumps([finding._asdict() for finding in findings]))
    elif findings:
        print("\n".join(str(finding) for finding in findings))
    else:
        print("correct: inputs, payments, order, spill and decisions all check")
    return FAILED if findings else OK
