"""The floor page in a real headless Chromium, on a small floor that the page's script drives."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dashboards.server import PageServer

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "dashboards" / "web"
CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
LIMIT_S = 240


def missing() -> str:
    """What this test needs and is not here; "" when all is."""
    wanted = {
        "node": shutil.which("node") is not None,
        f"chromium at {CHROMIUM}": CHROMIUM.is_file(),
        "node_modules (npm ci)": (WEB / "node_modules" / "playwright-core").is_dir(),
        "the built page (npm run build)": (ROOT / "dashboards" / "static" / "index.html").is_file(),
    }
    return ", ".join(name for name, here in wanted.items() if not here)


class Driver:
    """Carries out what the page's script asks of the floor, and checks what people asked."""

    def __init__(self, desk: Any) -> None:
        self.desk = desk
        self.server = PageServer(desk, port=0)

    def carry_out(self, command: str) -> str:
        verb, *words = command.split()
        result = getattr(self, "do_" + verb.replace("-", "_"))(*words)
        return "ok" if result in (None, True) else f"no: {result}"

    def do_done(self, machine: str, ppm: str) -> None:
        with self.desk.read() as tx:
            held = tx.orders.open_on(machine)
        self.desk.change(lambda tx: tx.orders.change(held.id, done_ppm=int(ppm)))

    def do_state(self, machine: str, state: str) -> None:
        self.desk.change(lambda tx: tx.machines.change(machine, state=state))

    def do_notice(self, *words: str) -> None:
        self.desk.change(lambda tx: tx.notice("note", "floor", " ".join(words)))

    def do_asked(self, *words: str) -> Any:
        asked = [str(part) for part in self.desk.asked[-1]]
        return all(any(word in part for part in asked) for word in words) or asked

    def do_count(self, verb: str, n: str) -> Any:
        count = sum(asked[0] == verb for asked in self.desk.asked)
        return count == int(n) or count

    def do_stop_server(self) -> None:
        self.server.close()

    def do_start_server(self) -> None:
        self.server = PageServer(self.desk, port=self.server.port)


def test_floor_page(desk: Any) -> None:
    lack = missing()
    if lack and os.environ.get("CI") != "true":
        pytest.skip(f"not here: {lack}")
    assert not lack, f"not here: {lack}"
    driver = Driver(desk)
    lines: list[str] = []
    with subprocess.Popen(
        ["node", "floor.test.mjs", driver.server.url],
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
    driver.server.close()
    print("\n".join(lines))
    assert code == 0, [line for line in lines if line.startswith("failed")]
    assert lines[-1] == "passed" and sum(line.startswith("ok ") for line in lines) >= 14
