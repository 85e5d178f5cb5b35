"""Runs a script of the page's folder in a real Chromium, on a small floor the script drives."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from controller import draining
from dashboards import commons_api
from dashboards.server import Front, PageServer
from support import dash_asks, dash_commons, dash_floor

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "dashboards" / "web"
CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
LIMIT_S = 600


def missing() -> str:
    """What these tests need and is not here; "" when all is."""
    wanted = {
        "node": shutil.which("node") is not None,
        f"chromium at {CHROMIUM}": CHROMIUM.is_file(),
        "node_modules (npm ci)": (WEB / "node_modules" / "playwright-core").is_dir(),
        "the built page (npm run build)": (ROOT / "dashboards" / "static" / "index.html").is_file(),
    }
    return ", ".join(name for name, here in wanted.items() if not here)


class Driver:
    """Carries out what the page's script asks of the floor, and checks what people asked."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self.desk = make()
        self.server = self._serve(0)

    def _serve(self, port: int) -> PageServer:
        rooms = (commons_api.router(dash_commons.Commons(self.desk)),)
        return PageServer(self.desk, port=port, front=Front(rooms=rooms))

    def carry_out(self, command: str) -> str:
        verb, *words = command.split()
        result = getattr(self, "do_" + verb.replace("-", "_"))(*words)
        if isinstance(result, str):
            return f"ok {result}"
        return "ok" if result in (None, True) else f"no: {result}"

    def do_done(self, machine: str, ppm: str) -> None:
        with self.desk.read() as tx:
            held = tx.orders.open_on(machine)
        self.desk.change(lambda tx: tx.orders.change(held.id, done_ppm=int(ppm)))

    def do_state(self, machine: str, state: str) -> None:
        self.desk.change(lambda tx: tx.machines.change(machine, state=state))

    def do_fault(self, machine: str, *words: str) -> None:
        self.desk.change(lambda tx: tx.machines.change(machine, fault=" ".join(words)))

    def do_waits(self, operation: str, *words: str) -> None:
        self.desk.change(lambda tx: tx.operations.change(operation, reason=" ".join(words)))

    def do_notice(self, *words: str) -> None:
        self.desk.change(lambda tx: tx.notice("note", "floor", " ".join(words)))

    def do_asked(self, *words: str) -> Any:
        asked = [str(part) for part in self.desk.asked[-1]]
        return all(any(word in part for part in asked) for word in words) or asked

    def do_count(self, verb: str, n: str) -> Any:
        count = sum(asked[0] == verb for asked in self.desk.asked)
        return count == int(n) or [count]

    def do_token(self) -> str:
        return self.desk.token

    def do_pose(self) -> None:
        self.desk.change(dash_asks.pose)

    def do_odd(self) -> None:
        self.desk.change(dash_asks.odd)

    def do_trouble(self) -> None:
        self.desk.change(dash_asks.trouble)

    def do_drain(self, who: str) -> None:
        self.desk.submit(lambda tx: draining.drain(tx, who, on=True))

    def do_offer(self, *machines: str) -> None:
        """What the controller does of itself with work that fits."""
        for n, machine in enumerate(machines):
            op = dash_floor.operation(f"op-o{n}", "n-2", unit=3 + n, state="ordered")
            order = dash_floor.order(f"o-o{n}", op.id, machine, ep=90 + n, state="OFFERED")
            self.desk.change(lambda tx, op=op: tx.operations.add([op], []))
            self.desk.change(lambda tx, order=order: tx.orders.add(order))

    def do_shut_out(self, account: str) -> None:
        from controller.people import accounts

        self.desk.change(lambda tx: accounts.set_disabled(tx, account, True, 1))
        self.server.gate.register.look()
        self.desk.change(lambda tx: tx.notice("note", "floor", "so that the stream says something"))

    def do_reset(self) -> None:
        """A floor as at the beginning, at the same address."""
        port = self.server.port
        self.server.close()
        self.desk.close()
        self.desk = self._make()
        self.server = self._serve(port)

    def do_stop_server(self) -> None:
        self.server.close()

    def do_start_server(self) -> None:
        self.server = self._serve(self.server.port)

    def close(self) -> None:
        self.server.close()
        self.desk.close()


def run_script(name: str, driver: Driver) -> list[str]:
    """Lines of a script that passed; fails the test when a step of it failed."""
    lines: list[str] = []
    with subprocess.Popen(
        ["node", name, driver.server.url],
        cwd=WEB,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as script:
        assert script.stdin is not None and script.stdout is not None
        for line in script.stdout:
            lines.append(line.rstrip())
            if line.startswith("do "):
                print(driver.carry_out(line[3:].strip()), file=script.stdin, flush=True)
        code = script.wait(LIMIT_S)
    print("\n".join(lines))
    assert code == 0, [line for line in lines if line.startswith("failed")]
    assert lines[-1] == "passed"
    return [line for line in lines if line.startswith("ok ")]
