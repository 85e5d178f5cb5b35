"""Command line of the simulated cell."""

import argparse
import asyncio
import logging
import os
import sys
from pathlib import Path

from simulators.cell import faults
from simulators.cell.core import CellConfig
from simulators.cell.faults import FaultError, parse_faults
from simulators.cell.model import Nameplate
from simulators.cell.server import CellServer, ServerConfig


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
    add("--name", default="AssemblyCell", help="name of the machine")
    add("--serial", default="CELL-0001", help="serial number")
    add("--faults", action="append", default=[], metavar="FAULT[,FAULT...]", help="see below")
    return parser


def _configs(arguments: argparse.Namespace) -> tuple[ServerConfig, CellConfig]:
    server = ServerConfig(
        url=f"opc.tcp://{arguments.host}:{arguments.port}/cell",
        time_scale=arguments.time_scale,
        truth=arguments.truth,
        jobs=arguments.jobs,
        resume=arguments.resume,
        nameplate=Nameplate(arguments.name, arguments.serial),
    )
    found = parse_faults(arguments.faults)
    if any(f.kind == "restart" for f in found) and arguments.truth is None:
        raise FaultError("restart needs --truth: the file carries what happened over the restart")
    behaviour = CellConfig(
        seed=arguments.seed, default_ms=arguments.default_s * 1000, faults=tuple(found)
    )
    return server, behaviour


def main(argv: list[str] | None = None) -> int:
    """Run a cell until it is stopped; 0 when stopped, 2 on a wrong argument."""
    words = sys.argv[1:] if argv is None else argv
    parser = _parser()
    arguments = parser.parse_args(words)
    try:
        config, behaviour = _configs(arguments)
    except FaultError as error:
        parser.error(str(error))
    logging.basicConfig(level=logging.ERROR)

    async def serve() -> bool:
        server = CellServer(config, behaviour)
        await server.run(lambda: print(f"cell: listening at {config.url}", flush=True))
        return server.restart_wanted

    if asyncio.run(serve()):
        again = [w for w in words if w != "--resume"]
        command = [sys.executable, "-m", "simulators.cell", *again, "--resume"]
        os.execv(sys.executable, command)
    return 0


if __name__ == "__main__":
    sys.exit(main())
