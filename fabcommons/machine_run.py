"""Runs the firmware of every machine enrolled on this computer, in one process."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fabcommons import settings_files
from fabcommons.client import OK, USAGE, CliError
from firmware import config, start
from firmware.app import RESTART
from firmware.pc.platform import platform

AGAIN_S = 5.0


def run(folder: Path, names: Sequence[str]) -> int:
    """Run machines of a folder (all when none is named) until a signal; raise CliError."""
    places = [folder / f"{name}.json" for name in names] or [folder]
    paths = [path for place in places for path in settings_files.found(place)]
    machines = {path: settings_files.read(path) for path in paths}
    ports: dict[str, Path] = {}
    for path, settings in machines.items():
        other = ports.setdefault(settings["serial"]["port"], path)
        if other is not path:
            port = settings["serial"]["port"]
            raise CliError(f"{path}: serial.port {port} is that of {other}, too", USAGE)
    print(f"runs {', '.join(s['machine'] for s in machines.values())}", file=sys.stderr, flush=True)
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(_run_all(paths))
    return OK


async def _run_all(paths: Sequence[Path]) -> None:
    loop = asyncio.get_running_loop()
    tasks = [asyncio.create_task(_run_one(path)) for path in paths]

    def stop() -> None:
        for task in tasks:
            task.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    await asyncio.gather(*tasks, return_exceptions=True)


async def _run_one(path: Path) -> None:
    """One machine for ever: a failure of its firmware restarts it alone."""
    while True:
        try:
            settings: dict[str, Any] = config.load(str(path))
            await start.app(settings, platform()).run()
        except SystemExit as end:
            if end.code != RESTART:
                raise
        except Exception as error:  # noqa: BLE001  (top of a machine: told, then started again)
            print(f"{path.stem}: {error!r}; again in {AGAIN_S} s", file=sys.stderr, flush=True)
        await asyncio.sleep(AGAIN_S)
