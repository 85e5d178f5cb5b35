"""Command line of Fabcommons: one file per command, joined here."""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
from collections.abc import Sequence

from fabcommons.client import INTERRUPTED, CliError

_DESCRIPTION = """\
From a community's need to a finished part: open designs on printers, mills and
robotic cells, shared by need, every gram accounted for."""

_EXAMPLES = """\
examples:
  fabcommons demo                     a floor at work, to watch in the browser
  fabcommons demo --until-done        60 needs, then a summary; exit 0 if all is well
  fabcommons controller site.yml      run a site
  fabcommons need add --community north --design toggle-clamp --quantity 2
  fabcommons doctor                   what is wrong here, and the fix

exit codes: 0 done, 1 failed, 2 wrong request, 3 no controller answers, 130 interrupted"""

# name: what it does; each stands in the file of its name, which is loaded only when it is asked for
_COMMANDS = {
    "demo": "a floor at work: simulated machines, real firmware, real controller",
    "controller": "run a site from its settings file",
    "cell": "certificates of robotic cells over OPC UA: make, show, rotate, trust",
    "machine": "list, enrol, run, update, calibrate machines",
    "firmware": "build and sign firmware releases",
    "need": "state a need, list needs, follow one to its part",
    "design": "check designs, convert manifests, draw a route",
    "ledger": "economic events and what every lot holds",
    "community": "communities, and the members they admit",
    "ballot": "vote in an allocation round, attest an urgent or basic need",
    "commons": "share needs with other sites: join them, leave them, offer a need",
    "round": "open, close, decide and publish allocation rounds; check a published one",
    "schedule": "solve a scheduling problem, draw its chart",
    "account": "who may come in, and as what; tokens for programs",
    "audit": "who did what, when, from where",
    "store": "back the store up, restore it, check that it is sound",
    "telemetry": "databases of the copy in InfluxDB, and what it does not have yet",
    "simulate": "months of a floor in minutes: compare policies, try more machines",
    "doctor": "find what is wrong and say the fix",
}


def parser(asked: str) -> argparse.ArgumentParser:
    """The command line, with the options of the command that is asked for."""
    top = argparse.ArgumentParser(
        prog="fabcommons",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    for name, words in _COMMANDS.items():
        if name == asked:
            importlib.import_module(f"fabcommons.{name}").add(commands)
        else:
            commands.add_parser(name, help=words)
    return top


def _on_terminate(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = parser(words[0] if words else "").parse_args(words)
    signal.signal(signal.SIGTERM, _on_terminate)  # so that children are ended, too
    try:
        return options.run(options)
    except CliError as error:
        print(f"fabcommons: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
