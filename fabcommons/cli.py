"""Command line of Fabcommons: one file per command, joined here."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from typing import Any

from fabcommons import controller, demo, doctor, ledger, machine, need, round
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

_COMMANDS: tuple[Any, ...] = (demo, controller, machine, need, ledger, round, doctor)


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="fabcommons",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    for module in _COMMANDS:
        module.add(commands)
    return top


def _on_terminate(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    options = parser().parse_args(arguments)
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
