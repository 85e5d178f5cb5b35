"""``fabcommons round``: run an allocation round from a file, check a published one."""

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
from fabcommons.client import FAILED, OK, USAGE, CliError

_EXAMPLES = """\
examples:
  fabcommons round run docs/examples/round-inputs.json --out published
  fabcommons round run town.pb                    any PaBuLib file with whole costs
  fabcommons round verify published/round.json
  fabcommons round verify published/round.json --inputs-sha256 HASH_MADE_PUBLIC_BEFORE"""


def add(commands: Any) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "round",
        help="decide an allocation round, check a published one",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(metavar="VERB", required=True)
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
