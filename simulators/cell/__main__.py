"""Command line of the simulated cell."""

import argparse
import asyncio
import logging
import os
import sys
from pathlib import Path

from simulators.cell import faults
from simulators.cell.core import CellConfig, Nameplate
from simulators.cell.faults import FaultError, parse_faults
from simulators.cell.files import cache_file, default_folder


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="simulators cell",
        description="A robotic assembly cell as an OPC UA server offering ISA-95 job control.",
        epilog=(faults.__doc__ or "").partition("\n\n")[2],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen at (default %(default)s)")
    add("--port", type=int, default=4840, help="port (default %(default)s)")
    add("--time-scale", type=int, default=1, help="floor seconds per second (default 1)")
    add("--seed", type=int, default=1, help="seed of the job durations")
    add("--truth", type=Path, help="file that says what the cell physically did")
    add("--jobs", type=Path, help="file that keeps the job list over a restart (else it is lost)")
    add("--resume", action="store_true", help="go on from the files instead of starting new")
    add("--default-s", type=int, default=90, help="job time when the order plans none, floor s")
    add("--cache", type=Path, default=default_folder(), help="folder for the loaded NodeSets")
    add("--warm", action="store_true", help="fill that folder for quicker starts, then end")
    add("--name", default="AssemblyCell", help="name of the machine")
    add("--serial", default="CELL-0001", help="serial number")
    add(
        "--security", choices=("none", "offered", "demanded"), default="none", help="of connections"
    )
    add("--pki", type=Path, help="folder with own/, trusted/ and rejected/ certificates")
    add("--user", default="", help="name clients must log in with; password in CELL_PASSWORD")
    add("--fault-file", type=Path, help="file that faults are added to while it runs")
    add("--faults", action="append", default=[], metavar="FAULT[,FAULT...]", help="see below")
    return parser


def _behaviour(arguments: argparse.Namespace) -> CellConfig:
    found = parse_faults(arguments.faults)
    if any(f.kind == "restart" for f in found) and arguments.truth is None:
        raise FaultError("restart needs --truth: the file carries what happened over the restart")
    default_ms = arguments.default_s * 1000
    return CellConfig(seed=arguments.seed, default_ms=default_ms, faults=tuple(found))


def main(argv: list[str] | None = None) -> int:
    """Run a cell until it is stopped; 0 when stopped, 1 when not kept, 2 on a wrong argument."""
    words = sys.argv[1:] if argv is None else argv
    parser = _parser()
    arguments = parser.parse_args(words)
    try:
        behaviour = _behaviour(arguments)
    except FaultError as error:
        parser.error(str(error))
    if arguments.security != "none" and arguments.pki is None:
        parser.error("--security needs --pki: the folder of its certificates")
    kept = cache_file(arguments.cache)
    if arguments.warm and kept.exists():
        return 0
    logging.basicConfig(level=logging.CRITICAL)
    from simulators.cell import server  # asyncua takes over a second to import

    if arguments.warm:
        return 0 if asyncio.run(server.keep_nodesets(kept)) else 1
    config = server.ServerConfig(
        url=f"opc.tcp://{arguments.host}:{arguments.port}/cell",
        time_scale=arguments.time_scale,
        truth=arguments.truth,
        jobs=arguments.jobs,
        resume=arguments.resume,
        nameplate=Nameplate(arguments.name, arguments.serial),
        cache=kept,
        rules=server.Rules(
            arguments.security,
            arguments.pki,
            arguments.user,
            os.environ.get("CELL_PASSWORD", ""),
        ),
        fault_file=arguments.fault_file,
    )
    if asyncio.run(server.serve(config, behaviour)):
        again = [w for w in words if w != "--resume"]
        command = [sys.executable, "-m", "simulators.cell", *again, "--resume"]
        os.execv(sys.executable, command)
    return 0


if __name__ == "__main__":
    sys.exit(main())
