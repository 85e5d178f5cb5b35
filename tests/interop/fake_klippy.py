"""Klipper's side of its API socket, as far as Moonraker uses it; run behind a real Moonraker.

    python fake_klippy.py SOCKET GCODES TRUTH

Klipper itself is in no package index. This speaks its documented API server protocol (JSON, each
document ended by 0x03): info, objects, gcode/script, pause_resume, emergency_stop. A print takes
``SECONDS`` of real time and writes what physically began to TRUTH, one name a line.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

SECONDS = 4.0
FILAMENT_MM = 250.0
END = b"\x03"


class Klippy:
    """One printer with a virtual SD card."""

    def __init__(self, gcodes: str, truth: Path) -> None:
        self.gcodes = gcodes
        self.truth = truth
        self.lock = threading.Lock()
        self.stats: dict[str, Any] = {"filename": "", "state": "standby", "message": ""}
        self.stats |= {"print_duration": 0.0, "total_duration": 0.0, "filament_used": 0.0}
        self.progress = 0.0
        self.shutdown = ""

    def step(self, seconds: float) -> None:
        """Let a print go on."""
        if self.stats["state"] != "printing" or self.shutdown:
            return
        self.progress = min(1.0, self.progress + seconds / SECONDS)
        self.stats["print_duration"] = self.stats["total_duration"] = self.progress * SECONDS
        self.stats["filament_used"] = self.progress * FILAMENT_MM
        if self.progress >= 1.0:
            self.stats["state"] = "complete"

    def objects(self) -> dict[str, Any]:
        heat = {"temperature": 210.0, "target": 210.0, "power": 0.5}
        card = {"path": self.gcodes}
        return {
            "webhooks": {"state": self.state(), "state_message": self.shutdown or "ready"},
            "print_stats": dict(self.stats),
            "virtual_sdcard": {"progress": self.progress, "is_active": False, "file_position": 0},
            "display_status": {"progress": self.progress, "message": None},
            "pause_resume": {"is_paused": self.stats["state"] == "paused"},
            "configfile": {"config": {"virtual_sdcard": card}, "settings": {}},
            "extruder": heat,
            "heater_bed": heat,
        }

    def state(self) -> str:
        return "shutdown" if self.shutdown else "ready"

    def answer(self, method: str, params: dict[str, Any]) -> Any:
        """Result of a request; KeyError for one that is not known, ValueError in words."""
        if method == "objects/list":
            return {"objects": sorted(self.objects())}
        if method in ("objects/query", "objects/subscribe"):
            known = self.objects()
            wanted = {n: f for n, f in params["objects"].items() if n in known}
            return {"eventtime": time.monotonic(), "status": _pick(known, wanted)}
        return self._do(method, params)

    def _do(self, method: str, params: dict[str, Any]) -> Any:
        if method == "info":
            told = {"state": self.state(), "state_message": self.shutdown or "Printer is ready"}
            paths = ("klipper_path", "python_path", "config_file", "log_file")
            told |= dict.fromkeys(paths, "/nowhere")
            ids = {"process_id": os.getpid(), "user_id": os.getuid(), "group_id": os.getgid()}
            return {**told, **ids, "software_version": "fake", "hostname": "x", "cpu_info": "x"}
        if method == "list_endpoints":
            names = ("info", "emergency_stop", "objects/list", "objects/query", "objects/subscribe")
            verbs = ("pause_resume/pause", "pause_resume/resume", "pause_resume/cancel")
            return {"endpoints": [*names, *verbs, "gcode/script"]}
        if method == "emergency_stop":
            self.shutdown = "Shutdown due to webhooks request"
        if method.startswith("pause_resume/"):
            self.turn(method.rpartition("/")[2])
        if method == "gcode/script":
            self.script(params["script"])
        return {}

    def turn(self, verb: str) -> None:
        if self.stats["state"] in ("printing", "paused"):
            words = {"pause": "paused", "resume": "printing", "cancel": "cancelled"}
            self.stats["state"] = words[verb]

    def script(self, script: str) -> None:
        if not script.startswith("SDCARD_PRINT_FILE"):
            return
        name = script.split('"')[1]
        if self.stats["state"] in ("printing", "paused"):
            raise ValueError("SD busy")
        if not (Path(self.gcodes) / name).is_file():
            raise ValueError("Unable to open file")
        with self.truth.open("a") as file:
            file.write(name + "\n")
        self.progress = 0.0
        self.stats |= {"filename": name, "state": "printing", "filament_used": 0.0, "message": ""}


def _pick(known: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {k: v for k, v in known[name].items() if fields is None or k in fields}
        for name, fields in wanted.items()
    }


class Client:
    """One connection: answers requests, and tells what changed of what was subscribed."""

    def __init__(self, klippy: Klippy, wire: socket.socket) -> None:
        self.klippy = klippy
        self.wire = wire
        self.wanted: dict[str, Any] = {}
        self.told: dict[str, Any] = {}
        self.sending = threading.Lock()

    def send(self, document: Any) -> None:
        with self.sending, contextlib.suppress(OSError):
            self.wire.sendall(json.dumps(document).encode() + END)

    def serve(self) -> None:
        rest = b""
        while data := self.wire.recv(65536):
            rest += data
            while END in rest:
                one, _, rest = rest.partition(END)
                self.take(json.loads(one))

    def take(self, asked: dict[str, Any]) -> None:
        method, params = asked["method"], asked.get("params") or {}
        try:
            with self.klippy.lock:
                result = self.klippy.answer(method, params)
            if method == "objects/subscribe":
                self.wanted, self.told = params["objects"], result["status"]
            answer = {"result": result}
        except ValueError as error:
            answer = {"error": {"error": "CommandError", "message": str(error)}}
        if "id" in asked:
            self.send({"id": asked["id"], **answer})

    def tell(self) -> None:
        with self.klippy.lock:
            known = self.klippy.objects()
        now = _pick(known, {n: f for n, f in self.wanted.items() if n in known})
        diff: dict[str, Any] = {}
        for name, fields in now.items():
            before = self.told.get(name, {})
            changed = {k: v for k, v in fields.items() if before.get(k) != v}
            if changed:
                diff[name] = changed
        self.told = now
        if diff:
            params = {"eventtime": time.monotonic(), "status": diff}
            self.send({"method": "process_status_update", "params": params})


def main() -> None:
    """Serve until ended."""
    place, gcodes, truth = sys.argv[1:]
    klippy = Klippy(gcodes, Path(truth))
    clients: list[Client] = []

    ended = threading.Event()

    def tick() -> None:
        while not ended.wait(0.25):
            with klippy.lock:
                klippy.step(0.25)
            for client in list(clients):
                client.tell()

    threading.Thread(target=tick, daemon=True).start()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(place)
        server.listen()
        while True:
            wire, _ = server.accept()
            client = Client(klippy, wire)
            clients.append(client)
            threading.Thread(target=client.serve, daemon=True).start()


if __name__ == "__main__":
    main()
