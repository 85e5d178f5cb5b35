"""Servers that speak as Moonraker, OctoPrint, PrusaLink and an MTConnect agent do.

Our own, for conformance: each follows the documentation its adapter names. Behind each stands the
same ``Works``: what the machine physically did, and the faults a test asks for.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from support.waiting import until

HANG_S = 1.2  # longer than the adapter's time-out in the tests
KEY = "right-key"


class Works:
    """The machine: files, the job at hand, what ran; ``starts`` are physical beginnings."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.starts: list[str] = []
        self.job: dict[str, Any] | None = None
        self.history: list[dict[str, Any]] = []
        self.selected = ""
        self.life = 1
        self.faults: list[str] = []  # "start-late", "start-lost", taken by the next start
        self.down = False
        self.broken = ""
        self.parts = 0
        self.number = 0
        self.key = KEY
        self.jobs_shown = True

    def begin(self, name: str) -> None:
        assert self.job is None or self.job["state"] in ("complete", "cancelled", "error")
        self.starts.append(name)
        self.number += 1
        self.selected = name
        self.job = {"name": name, "state": "printing", "ppm": 0, "id": self.number}

    def progress(self, ppm: int) -> None:
        assert self.job is not None
        self.job["ppm"] = ppm

    def hold(self, state: str) -> None:
        assert self.job is not None
        self.job["state"] = state

    def end(self, state: str) -> None:
        """complete, cancelled or error; recorded."""
        assert self.job is not None
        self.job["state"] = state
        self.job["ppm"] = 1_000_000 if state == "complete" else self.job["ppm"]
        self.parts += state == "complete"
        self.history.insert(0, {**self.job, "status": state})

    def restart(self) -> None:
        """The machine's program is gone in mid-job and comes back."""
        self.life += 1
        if self.job is not None and self.job["state"] in ("printing", "paused"):
            self.history.insert(0, {**self.job, "status": "klippy_disconnect"})
        self.job, self.selected = None, ""

    @property
    def at_work(self) -> bool:
        return self.job is not None and self.job["state"] in ("printing", "paused")


class Server:
    """One server on a free port, and its works."""

    def __init__(self, face: Any) -> None:
        self.works = Works()
        self.face = face
        listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        app = Starlette(routes=[*face.sockets(self), Mount("/", app=self._mounted())])
        config = uvicorn.Config(app, log_level="critical", lifespan="off", ws="websockets-sansio")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, daemon=True
        )
        self._thread.start()
        until(lambda: self._server.started, 60)

    def _mounted(self) -> Any:
        async def answer(request: Request) -> Response:
            works = self.works
            if works.down:
                return Response(status_code=503)
            if not self.face.open_to(request, works.key):
                return Response(status_code=401, headers=dict(self.face.challenge))
            body = await request.body()
            return await self.face.answer(self, request, body)

        methods = ["GET", "POST", "PUT", "DELETE"]
        return Starlette(routes=[Route("/{rest:path}", answer, methods=methods)])

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)

    async def start(self, name: str) -> bool:
        """Begin a file as the faults say; False when the answer must not come."""
        fault = self.works.faults.pop(0) if self.works.faults else ""
        if fault != "start-lost":
            self.works.begin(name)
        if fault in ("start-lost", "start-late"):
            await asyncio.sleep(HANG_S)
            return False
        return True


class Face:
    """What all faces share."""

    challenge: tuple[tuple[str, str], ...] = ()

    def sockets(self, server: Server) -> list[Any]:
        return []

    def open_to(self, request: Request, key: str) -> bool:
        return request.headers.get("x-api-key") == key


def form_file(request: Request, body: bytes) -> tuple[str, bytes]:
    """Name and bytes of the file in a form."""
    boundary = request.headers["content-type"].partition("boundary=")[2].encode()
    for part in body.split(b"--" + boundary):
        head, _, rest = part.partition(b"\r\n\r\n")
        if b'filename="' in head:
            return head.split(b'filename="')[1].split(b'"')[0].decode(), rest[:-2]
    raise AssertionError("the form has no file")


class MoonrakerFace(Face):
    """Moonraker's external API, 0.9/0.10."""

    def sockets(self, server: Server) -> list[Any]:
        async def talk(socket: WebSocket) -> None:
            await socket.accept()
            with contextlib.suppress(WebSocketDisconnect, RuntimeError):
                while True:
                    asked = json.loads(await socket.receive_text())
                    if server.works.down:
                        await socket.close()
                        return
                    answer = await self._call(server, asked["method"], asked.get("params") or {})
                    if answer is not None:
                        head = {"jsonrpc": "2.0", "id": asked["id"]}
                        await socket.send_text(json.dumps({**head, **answer}))

        return [WebSocketRoute("/websocket", talk)]

    async def answer(self, server: Server, request: Request, body: bytes) -> Response:
        works, path = server.works, request.url.path
        if path == "/server/files/upload":
            name, data = form_file(request, body)
            works.files[name] = data
            return JSONResponse({"item": {"path": name, "root": "gcodes"}}, 201)
        if request.method == "DELETE":
            works.files.pop(path.rpartition("/")[2], None)
            return JSONResponse({"result": {}})
        if path == "/printer/emergency_stop":
            works.broken = "Shutdown due to webhooks request"
            return JSONResponse({"result": "ok"})
        return Response(status_code=404)

    async def _call(self, server: Server, method: str, params: Any) -> dict[str, Any] | None:
        works = server.works
        if method == "server.connection.identify":
            if params.get("api_key") != works.key:
                return {"error": {"code": -32602, "message": "Invalid API Key"}}
            return {"result": {"connection_id": 1}}
        if method == "printer.print.start":
            name = params["filename"]
            if works.at_work or name not in works.files:
                return {"error": {"code": 400, "message": "SD busy"}}
            return {"result": "ok"} if await server.start(name) else None
        if method.startswith("printer.print."):
            state = {"pause": "paused", "resume": "printing"}.get(method.rpartition(".")[2])
            works.hold(state) if state else works.end("cancelled")
            return {"result": "ok"}
        return {"result": self._read(works, method)}

    def _read(self, works: Works, method: str) -> Any:
        if method == "server.info":
            parts = ["file_manager", "history"]
            told = {"klippy_state": "shutdown" if works.broken else "ready"}
            return {**told, "moonraker_version": "v0.9.3", "components": parts}
        if method == "printer.info":
            state = "shutdown" if works.broken else "ready"
            return {"state": state, "state_message": works.broken, "process_id": 700 + works.life}
        if method == "server.history.list":
            return {"count": 1, "jobs": [self._row(job) for job in self._jobs(works)]}
        job = works.job
        stats = {"filename": "", "state": "standby", "message": "", "filament_used": 0.0}
        if job is not None:
            used = {"filament_used": job["ppm"] / 1000, "print_duration": job["ppm"] / 10_000}
            stats |= {"filename": job["name"], "state": job["state"], **used}
            stats["message"] = "extruder heater fault" if job["state"] == "error" else ""
        progress = {"progress": job["ppm"] / 1e6 if job else 0.0}
        heat = {"temperature": 215.0, "target": 215.0}
        return {"status": {"print_stats": stats, "virtual_sdcard": progress, "extruder": heat}}

    def _jobs(self, works: Works) -> list[dict[str, Any]]:
        now = [{**works.job, "status": "in_progress"}] if works.at_work and works.job else []
        return now + works.history

    def _row(self, job: dict[str, Any]) -> dict[str, Any]:
        status = {"complete": "completed"}.get(job["status"], job["status"])
        used = {"filament_used": job["ppm"] / 1000, "print_duration": job["ppm"] / 10_000}
        return {"job_id": f"{job['id']:06X}", "filename": job["name"], "status": status, **used}


class OctoPrintFace(Face):
    """OctoPrint's REST API, 1.11; without its push socket."""

    async def answer(self, server: Server, request: Request, body: bytes) -> Response:
        works, path = server.works, request.url.path
        if request.method == "GET":
            return self._read(works, path)
        if path == "/api/files/local":
            name, data = form_file(request, body)
            works.files[name] = data
            return JSONResponse({"done": True}, 201)
        if request.method == "DELETE":
            works.files.pop(path.rpartition("/")[2], None)
            return Response(status_code=204)
        asked = json.loads(body)
        if path.startswith("/api/files/local/") and asked["command"] == "select":
            works.selected, works.job = path.rpartition("/")[2], None
            return Response(status_code=204)
        if path == "/api/printer/command":
            works.broken = asked["command"]
            return Response(status_code=204)
        return await self._control(server, asked)

    async def _control(self, server: Server, asked: Any) -> Response:
        works = server.works
        if asked["command"] == "start":
            if works.at_work or not works.selected:
                return Response(status_code=409)
            done = await server.start(works.selected)
            return Response(status_code=204 if done else 500)
        if not works.at_work:
            return Response(status_code=409)
        if asked["command"] == "cancel":
            works.end("cancelled")
        else:
            works.hold({"pause": "paused", "resume": "printing"}[asked["action"]])
        return Response(status_code=204)

    def _read(self, works: Works, path: str) -> Response:
        if path == "/api/version":
            return JSONResponse({"api": "0.1", "server": "1.11.8", "text": "OctoPrint 1.11.8"})
        if path == "/api/job":
            return JSONResponse(self._job(works))
        if path == "/api/printer":
            if works.broken:
                return Response(status_code=409)
            flags = {"operational": True, "printing": False, "paused": False}
            if works.at_work and works.job:
                flags[works.job["state"]] = True
            heat = {"tool0": {"actual": 214.6, "target": 215.0}, "bed": {"actual": 59.0}}
            return JSONResponse({"state": {"text": "x", "flags": flags}, "temperature": heat})
        return self._file(works, path.rpartition("/")[2])

    def _file(self, works: Works, name: str) -> Response:
        if name == "local":
            return JSONResponse({"files": [{"path": name} for name in works.files]})
        if name not in works.files:
            return Response(status_code=404)
        file: dict[str, Any] = {"name": name, "path": name, "origin": "local"}
        file["gcodeAnalysis"] = {"filament": {"tool0": {"length": 1000.0}}}
        done = [job for job in works.history if job["name"] == name]
        done = [job for job in done if job["status"] != "klippy_disconnect"]
        if done:
            ok = done[0]["status"] == "complete"
            file["prints"] = {"last": {"success": ok, "date": 1.0, "printTime": 100.0}}
        return JSONResponse(file)

    def _job(self, works: Works) -> dict[str, Any]:
        job = works.job or {"ppm": 0}
        done = job["ppm"] / 10_000 if works.job else None
        lengths = {"tool0": {"length": 1000.0, "volume": 0.0}} if works.selected else None
        name = works.selected or None
        return {
            "job": {"file": {"path": name, "name": name, "origin": "local"}, "filament": lengths},
            "progress": {"completion": done, "printTime": 60 if works.at_work else None},
            "state": works.broken or "Operational",
        }


class PrusaLinkFace(Face):
    """PrusaLink's API v1 (OpenAPI 1.0.0-draft), with an API key."""

    async def answer(self, server: Server, request: Request, body: bytes) -> Response:
        works, path = server.works, request.url.path
        if request.method == "GET":
            return self._read(works, path)
        name = path.rpartition("/")[2]
        if path.startswith("/api/v1/job/"):
            return self._control(works, request.method, path)
        if request.method == "PUT":
            works.files[name] = body
            return Response(status_code=201)
        if request.method == "DELETE":
            works.files.pop(name, None)
            return Response(status_code=204)
        if works.at_work or name not in works.files:
            return Response(status_code=409)
        return Response(status_code=204 if await server.start(name) else 500)

    def _control(self, works: Works, method: str, path: str) -> Response:
        if not works.at_work or works.job is None or path.split("/")[4] != str(works.job["id"]):
            return Response(status_code=404)
        if method == "DELETE":
            works.end("cancelled")
        else:
            works.hold({"pause": "paused", "resume": "printing"}[path.rpartition("/")[2]])
        return Response(status_code=204)

    def _read(self, works: Works, path: str) -> Response:
        if path == "/api/version":
            return JSONResponse({"api": "2.0.0", "server": "2.1.2", "text": "PrusaLink"})
        if path == "/api/v1/storage":
            stick = {"path": "/usb", "name": "usb", "read_only": False, "available": True}
            return JSONResponse({"storage_list": [stick]})
        job, states = works.job, {"printing": "PRINTING", "paused": "PAUSED", "error": "ERROR"}
        states |= {"complete": "FINISHED", "cancelled": "STOPPED"}
        word = states[job["state"]] if job else "ERROR" if works.broken else "IDLE"
        if path == "/api/v1/status":
            told = {"state": word, "temp_nozzle": 214.9, "target_nozzle": 215.0}
            return JSONResponse({"printer": told})
        if job is None:
            return Response(status_code=204)
        file = {"name": "FC~1.GCO", "display_name": job["name"], "path": "/usb"}
        told = {"id": job["id"], "state": word, "progress": job["ppm"] / 10_000, "file": file}
        return JSONResponse({**told, "time_printing": job["ppm"] // 10_000})


class MTConnectFace(Face):
    """An agent's ``/current``, as of MTConnect 1.3 to 2.x."""

    def open_to(self, request: Request, key: str) -> bool:
        return True

    async def answer(self, server: Server, request: Request, body: bytes) -> Response:
        works = server.works
        job = works.job or {"state": "none", "name": works.selected}
        words = {"printing": "ACTIVE", "paused": "FEED_HOLD", "complete": "PROGRAM_COMPLETED"}
        events = {
            "Availability": "AVAILABLE",
            "Execution": words.get(job["state"], "READY"),
            "Program": job["name"] or "UNAVAILABLE",
            "PartCount": str(works.parts),
            "RotaryVelocity": "12000",
        }
        said = "".join(f'<{tag} dataItemId="x">{text}</{tag}>' for tag, text in events.items())
        fault = f'<Fault type="SYSTEM">{works.broken}</Fault>' if works.broken else ""
        text = (
            '<?xml version="1.0"?><MTConnectStreams xmlns="urn:mtconnect.org:MTConnectStreams:1.3">'
            f'<Header instanceId="{works.life}" nextSequence="9"/><Streams>'
            f'<DeviceStream name="mill"><ComponentStream component="Path"><Events>{said}</Events>'
            f"<Condition>{fault}</Condition></ComponentStream></DeviceStream></Streams>"
            "</MTConnectStreams>"
        )
        return Response(text, media_type="application/xml")
