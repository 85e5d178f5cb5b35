"""A machine comes to a real site: code, TLS, its own port unplugged and plugged in, put out."""

import os
import sys

import pytest

from controller.adapters.broker import free_port
from controller.adapters.site_file import MachineEntry, SiteFile
from fabcommons.cli import main
from fabcommons.running import Place, RunningSite
from support.bench_floor import process
from support.broker import start_mosquitto
from support.waiting import until

pytestmark = pytest.mark.system


def machine_of(running, name):
    with running.site.read() as tx:
        return tx.machines.get(name)


def simulator(link):
    command = [sys.executable, "-m", "simulators", "printer", "--link", str(link)]
    return process([*command, "--time-scale", "60"])


def test_two_machines_are_enrolled_run_unplugged_and_one_is_revoked(tmp_path, capsys):
    start_mosquitto(tmp_path / "probe").close()  # skips where there is none
    settings = SiteFile(
        site="workshop",
        broker_listen=f"127.0.0.1:{free_port()}",
        http=f"127.0.0.1:{free_port()}",
        machines=[MachineEntry(f"printer-{n}", "printer", "mqtt") for n in (1, 2)],
    )
    folder = tmp_path / "machines"
    with RunningSite(settings, Place(tmp_path / "site", tmp_path)) as running:
        for n in (1, 2):
            assert main(["machine", "enrol", f"printer-{n}", "--url", running.url]) == 0
            code = capsys.readouterr().out.strip()
            here = ["--serial", str(tmp_path / f"line-{n}"), "--dialect", "marlin"]
            use = ["machine", "enrol", "--code", code, "--url", running.url, *here]
            assert main([*use, "--folder", str(folder)]) == 0
            assert main([*use, "--folder", str(folder)]) == 2  # a code is good once
            capsys.readouterr()
        run = [sys.executable, "-m", "fabcommons", "machine", "run", "--folder", str(folder)]
        with process(run, env=dict(os.environ)), simulator(tmp_path / "line-2"):
            with simulator(tmp_path / "line-1"):
                for name in ("printer-1", "printer-2"):
                    until(lambda name=name: machine_of(running, name).state == "idle", 90, name)
            until(lambda: machine_of(running, "printer-1").state == "off", 90, "unplugged")
            assert machine_of(running, "printer-2").state == "idle"
            with simulator(tmp_path / "line-1"):
                until(lambda: machine_of(running, "printer-1").state == "idle", 90, "back")
                assert main(["machine", "revoke", "printer-1", "--url", running.url]) == 0
                until(lambda: not machine_of(running, "printer-1").online, 90, "put out")
            assert machine_of(running, "printer-2").online
