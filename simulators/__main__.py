"""Command line of the simulated machines: ``python -m simulators printer|mill|cell``."""

import argparse
import sys
from pathlib import Path

from simulators.faults import FAULTS, parse_fault
from simulators.host import Host, Machine, Pty, Tcp, Truth
from simulators.mill import Mill, MillConfig
from simulators.printer import Printer, PrinterConfig

_ABOUT = "Machines that do not exist, behind the wires of real ones."
_EXAMPLES = """\
examples:
  python -m simulators printer --link /tmp/printer-1
      a printer in real time behind a pseudo-terminal; open /tmp/printer-1 at any baud rate
  python -m simulators printer --tcp 8023 --time-scale 60 --seed 7
      the same behind tcp port 8023, a minute each second
  python -m simulators printer --link /tmp/p --faults drop_ok:120,stall:300:5s,tx_drop:0.001
  python -m simulators cell --help
      a robotic cell is an OPC UA server and has options of its own
  python -m simulators mill --link /tmp/mill-1 --truth /tmp/mill-1.json

signals: TERM and INT end it; USR1 is the reset button, USR2 the button "go on" (M108, cycle start)
"""


def _faults_text() -> str:
    rows = "\n".join(f"  {name:13}{meaning}" for name, meaning in FAULTS.items())
    return (
        "faults: NAME:WHEN[:HOW LONG], comma-separated; WHEN is a line count (120), a time (30s),\n"
        "a length of filament (500mm), or a ratio (0.01)\n" + rows + "\n"
    )


def _fault(text: str) -> str:
    try:
        return parse_fault(text).text
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _faults(text: str) -> tuple[str, ...]:
    return tuple([_fault(part) for part in text.split(",") if part])


def _scale(text: str) -> float:
    try:
        scale = float(text)
    except ValueError:
        scale = 0.0
    if not 0 < scale <= 100_000:
        raise argparse.ArgumentTypeError("a number above 0, at most 100000")
    return scale


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulators",
        description=_ABOUT,
        epilog=_EXAMPLES + "\n" + _faults_text(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("kind", choices=["printer", "mill", "cell"], help="kind of machine")
    parser.add_argument("--link", type=Path, help="symbolic link to make to the pseudo-terminal")
    parser.add_argument("--tcp", type=int, metavar="PORT", help="listen on 127.0.0.1:PORT instead")
    parser.add_argument("--time-scale", type=_scale, default=1.0, help="virtual s per real s")
    parser.add_argument("--seed", type=int, default=1, help="seed of all chance (default 1)")
    parser.add_argument("--faults", type=_faults, default=(), help="what goes wrong, see below")
    parser.add_argument("--truth", type=Path, help="JSON file of what the machine really did")
    parser.add_argument("--name", help="name the machine gives itself")
    parser.add_argument("--homing", action="store_true", help="mill with limit switches")
    parser.add_argument("--tools", type=int, default=1, help="extruders of a printer (default 1)")
    return parser


def _machine(options: argparse.Namespace) -> Machine:
    name = options.name or f"simulated {options.kind}"
    if options.kind == "mill":
        return Mill(MillConfig(name, options.seed, options.homing, options.faults))
    return Printer(
        PrinterConfig(name=name, seed=options.seed, tools=options.tools, faults=options.faults)
    )


def _port(options: argparse.Namespace) -> Pty | Tcp:
    return Pty(options.link) if options.tcp is None else Tcp(options.tcp)


def main(arguments: list[str] | None = None) -> int:
    """Run one simulated machine until a signal; 0 on a clean end, 2 for a bad command line."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["cell"]:
        from simulators.cell import main as cell_main

        return cell_main(arguments[1:])
    options = _parser().parse_args(arguments)
    machine = _machine(options)
    try:
        port = _port(options)
    except OSError as error:
        print(f"cannot open the port: {error}", file=sys.stderr)
        return 1
    host = Host(machine, port, options.time_scale, Truth(options.truth, machine))
    host.listen_to_signals()
    print(f"{options.kind} ready on {port.name}", flush=True)
    host.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
