"""Updates of a real MicroPython process: slot a, a good release, a broken one, and back."""

import contextlib
import json
import subprocess
import threading
from pathlib import Path

import pytest

from fabcommons import firmware as command
from fabcommons.cli import main
from firmware.loader import RESTART
from firmware.version import VERSION
from support import bench_floor
from support.bench_floor import MICROPYTHON, Controller, Floor
from support.releases import sha
from support.waiting import until

pytestmark = pytest.mark.system
BROKEN = 'raise ImportError("this release was made to fail")\n'


@contextlib.contextmanager
def supervised(root):
    """The firmware as a service: started again whenever it asks for it."""
    going = threading.Event()
    going.set()
    children = []

    def run():
        while going.is_set():
            arguments = [MICROPYTHON, "-X", "heapsize=512k", str(root / "main.py"), str(root)]
            with (root / "log").open("ab") as log:
                children.append(subprocess.Popen(arguments, cwd=root, stdout=log, stderr=log))
            if children[-1].wait() != RESTART:
                return

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield children
    finally:
        going.clear()
        children[-1].terminate()
        thread.join(30)
        children[-1].kill()


@pytest.fixture
def root(tmp_path):
    made = tmp_path / "board"
    made.mkdir()
    command.put_base(made)
    command.put_slot(made / "a", "unix")
    return made


def make_release(folder, version, key, spoil=False):
    """A signed release below the server's folder, as a command carries it but for its URL."""
    out = folder / version
    built = ["firmware", "build", "--version", version, "--target", "unix", "--out", str(out)]
    assert main(built) == 0
    if spoil:
        (out / "firmware" / "whole.mpy").unlink()
        (out / "firmware" / "whole.py").write_text(BROKEN)
    assert main(["firmware", "sign", str(out), "--key", str(key)]) == 0
    data = (out / "manifest").read_bytes()
    return {"version": version, "sha": sha(data), "size": len(data)}


def test_a_good_release_is_kept_and_a_broken_one_rolled_back(tmp_path, root, capsys):
    www = tmp_path / "www"
    www.mkdir()
    key = tmp_path / "release.pem"
    assert main(["firmware", "keygen", str(key)]) == 0
    public = capsys.readouterr().out.splitlines()[-1]
    good, broken = make_release(www, "9.1.0", key), make_release(www, "9.2.0", key, spoil=True)
    with (
        bench_floor.mosquitto(tmp_path) as port,
        bench_floor.program_server(www) as server,
        contextlib.closing(Controller(port)) as controller,
    ):
        floor = Floor(tmp_path, port, server, "micropython")
        base = f"http://127.0.0.1:{server.server_address[1]}"
        config = {
            "site": "test",
            "machine": "m1",
            "broker": {"host": "127.0.0.1", "port": port},
            "serial": {"port": str(floor.link), "baud": 250000},
            "dialect": "marlin",
            "flash": str(root / "journal"),
            "update": {"root": str(root), "key": public, "healthy_s": 1},
        }
        (root / "config.json").write_text(json.dumps(config))

        def update(release):
            url = f"{base}/{release['version']}/manifest"
            controller.command("update", release={**release, "url": url})
            told = len(controller.heard("update"))
            until(lambda: len(controller.heard("update")) > told, 90, "the end of an update")
            return controller.heard("update")[-1]

        with floor.simulator(), supervised(root):
            until(lambda: controller.state.get("st") == "idle", 60, "an idle machine")
            assert controller.state["fw"] == VERSION
            assert update(good)["ok"]
            until(lambda: controller.state.get("st") == "idle", 60, "idle after the update")
            assert controller.state["fw"] == "9.1.0"
            failed = update(broken)
            assert (failed["fw"], failed["ok"]) == ("9.2.0", False)
            assert "3 starts" in failed["why"]
            until(lambda: controller.state.get("st") == "idle", 60, "idle after the rollback")
            assert controller.state["fw"] == "9.1.0"
    assert Path(root / "log").read_text().count("this release was made to fail") == 3
