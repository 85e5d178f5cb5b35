"""A cell's process, and a site that applies events by the tables of ``protocols.orders`` only."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from controller.adapters.broker import free_port
from protocols.messages import encode
from protocols.orders import FINAL, finished_event, step
from support.waiting import until

_ROOT = Path(__file__).resolve().parents[2]
_HEARD = {"claimed": "heard_granted", "running": "heard", "paused": "heard_paused"}


class CellProcess:
    """A server in a fresh process: asyncua keeps data types per process."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self.port = free_port()
        self.truth_file = folder / "truth.json"
        self._command = [w.format(port=self.port, folder=folder) for w in command]
        self._log = folder / "cell.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"opc.tcp://127.0.0.1:{self.port}/cell"

    def start(self, *more: str) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *self._command, *more], cwd=_ROOT, stdout=log, stderr=log
            )
        before = self._log.read_text().count("listening")
        self.wait_listening(before + 1)

    def wait_listening(self, times: int) -> None:
        def listening() -> bool:
            assert self._process is not None
            assert self._process.poll() is None, self._log.read_text()
            return self._log.read_text().count("listening") >= times

        until(listening, what=f"listening {times} times")

    def kill(self) -> None:
        """As a power cut does."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def fault(self, text: str) -> None:
        """Add a fault; its number counts from now."""
        before = self.truth()["expected"]
        with self.truth_file.with_name("faults.txt").open("a") as file:
            file.write(text + "\n")
        until(lambda: self.truth()["expected"] > before, what=f"{text} is expected")

    def truth(self) -> dict[str, Any]:
        return json.loads(self.truth_file.read_text())


@cache
def _warm() -> None:
    subprocess.run([sys.executable, "-m", "simulators.cell", "--warm"], cwd=_ROOT, check=True)


def simulated_cell(folder: Path, *more: str) -> CellProcess:
    """Our own simulated cell; its NodeSets are kept loaded for quicker starts."""
    _warm()
    command = ["-m", "simulators.cell", "--port", "{port}", "--truth", "{folder}/truth.json"]
    command += ["--fault-file", "{folder}/faults.txt"]
    return CellProcess([*command, *more], folder)


class FakeTx:
    """The rooms the adapter uses, in memory."""

    def __init__(self, site: FakeSite) -> None:
        self.now_ms = int(time.time() * 1000)
        self.orders = SimpleNamespace(get=site.order, open_on=site.open_on)
        self.operations = SimpleNamespace(
            get=lambda _: site.operation, inputs=lambda _: site.inputs
        )
        self.machines = SimpleNamespace(counter=site.counter, change=lambda *_a, **_k: None)
        self.notice = lambda _kind, _subject, text: site.said.append(text)
        self.inbox = SimpleNamespace(last=site.last)
        self.lots = SimpleNamespace(get=lambda _: None)
        self.site = SimpleNamespace(get=site.notes.get, put=site.notes.__setitem__)


class FakeSite:
    """One machine's orders; every event must be legal and new, or the test fails."""

    def __init__(self, lots: list[dict[str, Any]] | None = None) -> None:
        self._lock = threading.Lock()
        self.lots = lots or []
        self.orders: dict[str, SimpleNamespace] = {}
        self.inputs: list[tuple[str, int]] = [("op-jaw", 2), ("op-plate", 1)]
        self.operation = SimpleNamespace(
            id="op-clamp", work_master="clamp-v1", step="assemble", duration_s=60, materials=[]
        )
        self.notes: dict[str, str] = {}
        self.counters: dict[tuple[str, int, str], int] = {}
        self.journal: list[dict[str, Any]] = []
        self.answers: list[dict[str, Any]] = []
        self.state: dict[str, Any] = {}
        self.states: list[dict[str, Any]] = []
        self.measured: list[dict[str, Any]] = []
        self.differences: list[tuple[Any, ...]] = []
        self.said: list[str] = []  # notices to people
        self.faults: list[str] = []
        self.grants = True
        self.broken_submits = 0

    # what the adapter asks of a site
    def submit(self, run: Callable[[Any], Any]) -> Any:
        with self._lock:
            value = run(FakeTx(self))
            if self.broken_submits:
                self.broken_submits -= 1
                raise RuntimeError("the answer of the store is lost")
            return value

    def apply_event(self, tx: Any, machine: str, event: dict[str, Any]) -> str:
        encode("up/ev", event)
        self.journal.append(event)
        order = self.orders.get(event.get("order", ""))
        kind = event["ty"]
        try:
            if kind == "material":
                key = (event["jid"], event["ch"], event["lot"])
                assert event["cum_mg"] >= self.counters.get(key, 0)
                self.counters[key] = event["cum_mg"]
            elif order is not None:
                assert order.ep == event["ep"]
                self._advance(order, event, kind)
        except Exception as error:
            self.faults.append(f"{event}: {error!r}")
            raise
        return "applied"

    def _advance(self, order: SimpleNamespace, event: dict[str, Any], kind: str) -> None:
        word = (
            finished_event(event["ok"], event.get("cancelled", False))
            if (kind == "finished")
            else kind
        )
        order.state = step(order.state, word)
        if kind == "started":
            order.started_at = 1
        if kind == "claim":
            order.claim_jid, order.claim_s = event["jid"], event["s"]
            if self.grants:
                order.state = step(order.state, "grant")
        order.why = event.get("why", "")

    def hear_state(self, tx: Any, machine: str, state: dict[str, Any]) -> None:
        encode("up/state", state)
        self.state = state
        self.states.append(state)
        reported = state.get("order") or {}
        order = self.orders.get(reported.get("order", ""))
        if order is not None and order.state == "IN_DOUBT":
            order.state = step(order.state, _HEARD[reported["st"]])

    def answer_command(self, tx: Any, machine: str, answer: dict[str, Any]) -> None:
        encode("up/rsp", answer)
        self.answers.append(answer)

    def picks_differ(self, tx: Any, order: str, found: Any) -> None:
        self.differences.append((order, *found))

    def errand(self, tx: Any, machine: str) -> Any:
        return None

    def is_errand(self, order: str) -> bool:
        return False

    def hear_telemetry(self, machine: str, record: dict[str, Any]) -> None:
        encode("up/tele", record)
        self.measured.append(record)

    # what the rooms answer
    def order(self, order: str) -> Any:
        return self.orders.get(order)

    def open_on(self, machine: str) -> Any:
        found = [o for o in self.orders.values() if o.state not in FINAL]
        return max(found, key=lambda o: o.ep, default=None)

    def counter(self, machine: str, jid: str, ch: int, lot: str) -> Any:
        cum_mg = self.counters.get((jid, ch, lot))
        return None if cum_mg is None else SimpleNamespace(cum_mg=cum_mg)

    def last(self, machine: str, jid: str) -> int:
        return max((e["s"] for e in self.journal if e["jid"] == jid), default=0)

    # what a test does
    def offer(self, order: str, ep: int) -> SimpleNamespace:
        self.orders[order] = SimpleNamespace(
            id=order,
            ep=ep,
            state="OFFERED",
            machine="cell-1",
            operation="op-clamp",
            label="Clamp 1",
            lots=self.lots,
            program_sha=None,
            claim_jid=None,
            claim_s=None,
            started_at=None,
            stop_asked_by=None,
            why="",
        )
        return self.orders[order]

    def kinds(self, order: str) -> list[str]:
        return [e["ty"] for e in self.journal if e.get("order") == order]
