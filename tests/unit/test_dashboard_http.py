"""Who may ask, programs by ranges, and the server itself."""

import asyncio
import hashlib
import socket
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from dashboards.api import build_app
from dashboards.openapi import FILE, describe
from dashboards.server import CannotServe, PageServer, is_loopback


# who may ask ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"X-Fabcommons": "0"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"X-Fabcommons": "1"}, 200),
        ({"Origin": "SELF"}, 200),
    ],
)
def test_other_sites_cannot_command(
    desk: Any, served: httpx.Client, headers: dict[str, str], status: int
) -> None:
    url = str(served.base_url).rstrip("/")
    sent = {k: url if v == "SELF" else v for k, v in headers.items()}
    answer = httpx.post(f"{url}/api/machines/printer-1/stop", headers=sent)
    assert answer.status_code == status
    assert len(desk.asked) == (status == 200)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.example", 421),
        ("evil.example:80", 421),
        ("", 421),
        ("localhost:9", 200),
        ("[::1]:9", 200),
        ("192.168.1.7", 200),
    ],
)
def test_a_name_that_is_not_ours_is_refused(shared: httpx.Client, host: str, status: int) -> None:
    assert shared.get("/healthz", headers={"Host": host}).status_code == status


def test_pages_carry_a_policy_that_lets_nothing_else_in(shared: httpx.Client) -> None:
    headers = shared.get("/healthz").headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


# programs -------------------------------------------------------------------------------------
@pytest.fixture
def program(desk: Any, dash_floor: Any, tmp_path: Path) -> tuple[str, bytes]:
    body = bytes(range(256)) * 1024  # 256 KiB
    path = tmp_path / "part.gcode"
    path.write_bytes(body)
    sha = hashlib.sha256(body).hexdigest()
    desk.change(lambda tx: tx.designs.put_program(dash_floor.program(path, sha, len(body))))
    return sha, body


def test_a_program_comes_whole_or_by_ranges(
    served: httpx.Client, program: tuple[str, bytes]
) -> None:
    sha, body = program
    whole = served.get(f"/programs/{sha}")
    assert whole.content == body and whole.headers["etag"] == f'"{sha}"'
    got = b""
    for start in range(0, len(body), 65_536):
        part = served.get(f"/programs/{sha}", headers={"Range": f"bytes={start}-{start + 65_535}"})
        assert part.status_code == 206
        assert part.headers["content-range"] == f"bytes {start}-{start + 65_535}/{len(body)}"
        got += part.content
    assert hashlib.sha256(got).hexdigest() == sha
    tail = served.get(f"/programs/{sha}", headers={"Range": "bytes=-16"})
    assert tail.status_code == 206 and tail.content == body[-16:]
    head = served.head(f"/programs/{sha}")
    assert head.headers["content-length"] == str(len(body)) and head.content == b""


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("bytes=262144-", 416),
        ("bytes=999999-9999999", 416),
        ("bytes=9-3", 400),
        ("lines=1-2", 400),
        ("bytes=0-9999999", 206),
    ],
)
def test_ranges_that_cannot_be_served(
    served: httpx.Client, program: tuple[str, bytes], asked: str, status: int
) -> None:
    answer = served.get(f"/programs/{program[0]}", headers={"Range": asked})
    assert answer.status_code == status
    if status == 416:
        assert answer.headers["content-range"] == "bytes */262144"


def test_a_program_whose_file_is_gone_is_not_a_server_error(
    served: httpx.Client, program: tuple[str, bytes], tmp_path: Path
) -> None:
    (tmp_path / "part.gcode").unlink()
    assert served.get(f"/programs/{program[0]}").status_code == 404


# the server -----------------------------------------------------------------------------------
def test_without_a_built_page_the_address_says_how_to_build_it(desk: Any, tmp_path: Path) -> None:
    app = build_app(desk, static=tmp_path / "none")

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get("/")

    answer = asyncio.run(ask())
    assert answer.status_code == 503 and "npm run build" in answer.text


def test_closing_ends_open_streams_and_frees_the_port(desk: Any) -> None:
    server = PageServer(desk, port=0)
    with httpx.Client(base_url=server.url) as client, client.stream("GET", "/api/events") as stream:
        next(stream.iter_bytes())
        server.close()
    assert threading.active_count() < 60
    again = PageServer(desk, port=server.port)
    again.close()


def test_a_port_in_use_is_said_plainly(desk: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(CannotServe, match="in use"):
            PageServer(desk, port=taken.getsockname()[1])


@pytest.mark.parametrize(
    ("host", "is_so"), [("127.0.0.1", True), ("::1", True), ("0.0.0.0", False), ("shop", False)]
)
def test_loopback(host: str, is_so: bool) -> None:
    assert is_loopback(host) == is_so


def test_the_pages_description_of_the_interface_is_up_to_date() -> None:
    assert FILE.read_text() == describe(), "run: uv run python -m dashboards.openapi"
