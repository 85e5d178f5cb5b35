"""``fabcommons ballot``: vote in an allocation round, see your ballot, attest as a steward."""

from __future__ import annotations

import argparse
from typing import Any

from fabcommons.client import USAGE, Client, CliError
from fabcommons.options import add_common, add_token, command, show, token_of

_EXAMPLES = """\
examples:
  fabcommons ballot cast current n4=3 n7 n9=1 --token-file my-token
                                                 need=intensity 1 to 3; a bare need is 1
  fabcommons ballot cast current n4 --limit petg=20000000     and a limit, mg or pieces or ms
  fabcommons ballot show current --token-file my-token
  fabcommons ballot attest n7 --token-file steward-token      an urgent or basic need"""


def add(commands: Any) -> None:
    """Add the command to the command line."""
    ballot = command(
        commands, "ballot", "vote in an allocation round, attest an urgent or basic need", _EXAMPLES
    )
    verbs = ballot.add_subparsers(metavar="VERB", required=True)
    caster = verbs.add_parser("cast", help="cast a ballot, in place of the one before")
    caster.add_argument("round", help="id of the round, or current")
    caster.add_argument("needs", nargs="*", metavar="NEED[=1..3]", help="needs you approve")
    caster.add_argument("--limit", action="append", default=[], metavar="RESOURCE=AMOUNT")
    caster.set_defaults(run=run_cast)
    shower = verbs.add_parser("show", help="your ballot as it counts now")
    shower.add_argument("round", help="id of the round, or current")
    shower.set_defaults(run=run_show)
    attester = verbs.add_parser("attest", help="as a steward: a need is urgent or basic")
    attester.add_argument("need", help="id of the need")
    attester.set_defaults(run=run_attest)
    for parser in (caster, shower, attester):
        add_token(parser)
        add_common(parser)


def _numbers(words: list[str], plain: int | None) -> dict[str, int]:
    found: dict[str, int] = {}
    for word in words:
        name, _, number = word.partition("=")
        if not number and plain is not None:
            number = str(plain)
        if not (name and number.isdecimal()):
            raise CliError(f"{word}: write NAME=NUMBER", USAGE)
        found[name] = int(number)
    return found


def run_cast(options: argparse.Namespace) -> int:
    """Cast a ballot and print its receipt."""
    body = {"approvals": _numbers(options.needs, 1), "limits": _numbers(options.limit, None)}
    client = Client(options.url, token_of(options))
    return show(options, client.post(f"/api/rounds/{options.round}/ballot", body), _receipt)


def run_show(options: argparse.Namespace) -> int:
    """Print one's own ballot."""
    client = Client(options.url, token_of(options))
    return show(options, client.get(f"/api/rounds/{options.round}/ballot"), _ballot)


def run_attest(options: argparse.Namespace) -> int:
    """Attest a need."""
    client = Client(options.url, token_of(options))
    answer = client.post(f"/api/needs/{options.need}/attest", {})
    return show(options, answer, lambda a: f"{a['need']} is {a['state']}: {a['reason']}")


def _receipt(answer: dict[str, Any]) -> str:
    return (
        f"cast in {answer['round']}, version {answer['version']}\n"
        f"your ballot will be published as {answer['voter']}\n"
        f"receipt {answer['sha256']}"
    )


def _ballot(answer: dict[str, Any]) -> str:
    if not answer["version"]:
        return f"you have not voted in {answer['round']}"
    wishes = [f"{need}={level}" for need, level in sorted(answer["approvals"].items())]
    limits = [f"{name} at most {amount}" for name, amount in sorted(answer["limits"].items())]
    return (
        _receipt(answer)
        + "\n"
        + (" ".join(wishes) or "approves nothing")
        + "".join(f"\n{limit}" for limit in limits)
    )
