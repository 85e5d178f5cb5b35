"""MicroPython's own package installer puts the firmware where the loader looks for it."""

import functools
import http.server
import json
import subprocess
import threading
from pathlib import Path

from fabcommons.firmware_files import BASE, modules
from firmware.version import VERSION
from support.bench_floor import MICROPYTHON, ROOT

PACKAGE = json.loads((ROOT / "firmware" / "package.json").read_text())


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def test_the_list_is_what_the_firmware_can_import():
    listed = {target: (ROOT / "firmware" / source).resolve() for target, source in PACKAGE["urls"]}
    assert all(source.is_file() for source in listed.values())
    slot = {target[2:] for target in listed if target.startswith("a/")}
    assert slot == set(modules("board"))
    assert set(listed) - {"a/" + path for path in slot} == set(BASE)
    assert PACKAGE["version"] == VERSION
    for needed in (
        "firmware/board/platform.py",
        "firmware/drivers/grbl.py",
        "firmware/installer.py",
    ):
        assert needed in slot
    assert not any(path.startswith(("firmware/pc/", "firmware/unix/")) for path in slot)


def test_mip_installs_it(tmp_path):
    handler = functools.partial(Quiet, directory=str(ROOT))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}/firmware/package.json"
        arguments = [
            MICROPYTHON,
            "-m",
            "mip",
            "install",
            "--no-mpy",
            "--target",
            str(tmp_path),
            url,
        ]
        done = subprocess.run(
            arguments, capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path
        )
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        server.shutdown()
        server.server_close()
    for target, source in PACKAGE["urls"]:
        assert (tmp_path / target).read_bytes() == (ROOT / "firmware" / source).read_bytes()
    loads = "import firmware.app, firmware.update, firmware.drivers.marlin, firmware.drivers.grbl"
    done = subprocess.run(
        [MICROPYTHON, "-X", "heapsize=512k", "-c", loads],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=tmp_path / "a",
    )
    assert (done.returncode, done.stderr) == (0, ""), Path(tmp_path)
