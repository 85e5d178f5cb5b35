"""The cell as an OPC UA server: method calls to the core, the clock, the files."""

import asyncio
import contextlib
import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from asyncua import ua
from asyncua.ua.status_codes import StatusCodes

from protocols import isa95
from simulators.cell.cache import CachedServer
from simulators.cell.core import Cell, CellConfig, Nameplate
from simulators.cell.faults import MoreFaults
from simulators.cell.files import dump_jobs, load_jobs, read_truth, write_atomically
from simulators.cell.guard import Guard, Rules
from simulators.cell.model import Model
from simulators.cell.space import Space
from simulators.cell.structs import read_order

_STEP_S = 0.05
_WRITE_S = 1.0


class ServerConfig(NamedTuple):
    """Where and how the cell serves; time_scale = floor seconds per second."""

    url: str
    time_scale: int = 1
    truth: Path | None = None
    jobs: Path | None = None
    resume: bool = False
    nameplate: Nameplate = Nameplate()
    cache: Path | None = None
    rules: Rules = Rules()
    fault_file: Path | None = None


def _status(status: int) -> ua.Variant:
    return ua.Variant(status, ua.VariantType.UInt64)


class CellServer:
    """One simulated cell behind one endpoint. ``restart_wanted`` is set when ``run`` returned
    because the cell shall start anew.
    """

    def __init__(self, config: ServerConfig, behaviour: CellConfig) -> None:
        self._config = config
        self._began_ms = time.time_ns() // 1_000_000
        self._began_s = time.monotonic()
        truth = read_truth(config.truth if config.resume else None)
        self.cell = Cell(behaviour, truth)
        self._guard = Guard(config.rules)
        space = Space(CachedServer(config.cache), self._guard)
        self._more = MoreFaults(config.fault_file)
        self._server = space.server
        self._model = Model(space, config.nameplate)
        self._published = -1
        self._stop = asyncio.Event()
        self.restart_wanted = False

    def now_ms(self) -> int:
        """The cell's own clock: floor time, ms of UTC."""
        passed = (time.monotonic() - self._began_s) * self._config.time_scale
        return self._began_ms + int(passed * 1000)

    async def run(self, ready: Callable[[], None]) -> None:
        """Serve until stopped by a signal or by a restart fault."""
        await self._server.init()
        self._server.set_endpoint(self._config.url)
        self._server.set_server_name(self._config.nameplate.name)
        await self._model.build(self._handler)
        uri = f"urn:fabcommons:simulated:{self._config.nameplate.serial}"
        await self._guard.set_up(self._server, uri)
        self._take_back_jobs()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        await self._model.publish(self.cell)
        async with self._server:
            ready()
            await self._pump()
        self._write_files()

    def _take_back_jobs(self) -> None:
        path = self._config.jobs
        if self._config.resume:
            self.cell.truth["restarts"] += 1
        if self._config.resume and path is not None and path.exists():
            with path.open() as file:
                self.cell.restore(load_jobs(json.load(file)))

    async def _pump(self) -> None:
        written_s = 0.0
        while not self._stop.is_set():
            self.cell.expect(self._more.read())
            self.cell.step(self.now_ms())
            if self.cell.deaf_wanted:
                await self._drop_subscriptions()
            changed = self.cell.revision != self._published
            if changed:
                self._published = self.cell.revision
                await self._model.publish(self.cell)
            if changed or time.monotonic() - written_s >= _WRITE_S:
                written_s = time.monotonic()
                self._write_files()
            if self.cell.restart_wanted:
                self.restart_wanted = True
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), _STEP_S)

    async def _drop_subscriptions(self) -> None:
        """Forget every subscription without a word, as a server does whose clients were silent."""
        self.cell.deaf_wanted = False
        service = self._server.iserver.subscription_service
        await service.delete_subscriptions(list(service.subscriptions))

    def _write_files(self) -> None:
        if self._config.truth is not None:
            write_atomically(self._config.truth, self.cell.truth)
        if self._config.jobs is not None:
            write_atomically(self._config.jobs, dump_jobs(list(self.cell.jobs.values())))

    def _handler(self, method: str) -> Any:
        if method in isa95.STORING:
            return self._storing(method)
        if method in isa95.METHODS:
            return self._calling(method)
        by_id = method == "RequestJobResponseByJobOrderID"
        return self._response_by_id if by_id else self._response_by_state

    def _storing(self, method: str) -> Any:
        async def call(_parent: ua.NodeId, order: ua.Variant, _comment: ua.Variant) -> Any:
            late = self._late_ms(method)
            if late:
                await asyncio.sleep(late / 1000)
            answer = self.cell.store(method, read_order(order.Value))
            if answer.fault and answer.fault.kind == "error":
                return ua.StatusCode(ua.UInt32(StatusCodes.BadInternalError))
            await self._commit()
            if answer.fault and answer.fault.kind == "slow":
                await asyncio.sleep(answer.fault.arguments[0] / 1000)
            return [_status(answer.status)]

        return call

    def _late_ms(self, method: str) -> int:
        number = self.cell.truth["stores"] + 1
        late = [
            f.arguments[0]
            for f in self.cell.faults
            if f.kind == "late" and f.number == number and method != "Update"
        ]
        return late[0] if late else 0

    def _calling(self, method: str) -> Any:
        async def call(_parent: ua.NodeId, job_id: ua.Variant, _comment: ua.Variant) -> Any:
            status = self.cell.call(method, job_id.Value or "", self.now_ms())
            await self._commit()
            return [_status(status)]

        return call

    async def _commit(self) -> None:
        """Make the change visible and durable before it is answered."""
        self._published = self.cell.revision
        await self._model.publish(self.cell)
        self._write_files()

    async def _response_by_id(self, _parent: ua.NodeId, job_id: ua.Variant) -> Any:
        job = self.cell.jobs.get(job_id.Value or "")
        if job is None:
            nothing = ua.Variant(None, ua.VariantType.ExtensionObject)
            return [nothing, _status(isa95.UNKNOWN_ORDER)]
        response = self._model.responses([job])[0]
        return [ua.Variant(response, ua.VariantType.ExtensionObject), _status(isa95.DONE)]

    async def _response_by_state(self, _parent: ua.NodeId, states: ua.Variant) -> Any:
        asked: list[Any] = states.Value or []
        wanted = {s.StateNumber for s in asked}
        jobs = [j for j in self.cell.jobs.values() if j.state.number in wanted]
        found = self._model.responses(jobs)
        variant = ua.Variant(found, ua.VariantType.ExtensionObject, is_array=True)
        return [variant, _status(isa95.DONE)]


async def serve(config: ServerConfig, behaviour: CellConfig) -> bool:
    """Run a cell until it is stopped; whether it shall start anew."""
    server = CellServer(config, behaviour)
    await server.run(lambda: print(f"cell: listening at {config.url}", flush=True))
    return server.restart_wanted


async def keep_nodesets(file: Path) -> bool:
    """Read the NodeSets and keep them loaded in a file; whether that could be written."""
    return await Space(CachedServer(file)).keep()
