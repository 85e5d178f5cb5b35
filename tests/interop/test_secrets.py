"""A site that logs as JSON, with people coming and going: no secret of theirs is in the log."""

from __future__ import annotations

import io
import json
import logging
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from controller.adapters.broker import free_port
from controller.adapters.passwords import quick
from controller.adapters.site_file import read_site
from fabcommons import account as account_command
from fabcommons.cli import main
from fabcommons.logs import JsonLog
from fabcommons.running import Place, RunningSite

PASSWORD, WRONG = "correct horse battery", "a wrong guess of it"


def test_no_secret_reaches_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_command, "Passwords", quick)
    path, word = tmp_path / "site.yml", tmp_path / "word"
    http = f"127.0.0.1:{free_port()}"
    path.write_text(json.dumps({"site": "quiet", "broker": "amqtt", "http": http}))
    word.write_text(PASSWORD)
    settings, stream = read_site(path), io.StringIO()
    assert (
        main(["account", "add", str(path), "ada", "--role", "admin", "--password-file", str(word)])
        == 0
    )
    log = JsonLog(settings, stream)
    logging.getLogger().setLevel(logging.DEBUG)
    for own in ("httpcore", "httpx"):  # of this test's client, not of the site
        monkeypatch.setattr(logging.getLogger(own), "disabled", True)
    with (
        closing(log),
        RunningSite(settings, Place(tmp_path, tmp_path)) as site,
        log.follow(site.site),
    ):
        with httpx.Client(base_url=site.url, headers={"X-Fabcommons": "1"}, timeout=60) as page:
            for password in (WRONG, PASSWORD):
                page.post("/api/log-in", json={"name": "ada", "password": password})
            cookie = next(iter(page.cookies.values()))
            scopes = ["read"]
            made = page.post("/api/me/tokens", json={"name": "x", "scopes": scopes}).json()
            page.get("/api/floor", headers={"Authorization": f"Bearer {made['token']}"})
            page.post("/api/accounts", json={"name": "ben", "password": PASSWORD[::-1]})
            log.say("that was all")
        code = site.set_up_code
    logging.getLogger().setLevel(logging.WARNING)
    text = stream.getvalue()
    assert "that was all" in text and code == ""
    for secret in (PASSWORD, WRONG, PASSWORD[::-1], cookie, made["token"], "$argon2"):
        assert secret not in text, secret
    held = b"".join(file.read_bytes() for file in tmp_path.glob("site.db*"))
    for secret in (PASSWORD, WRONG, cookie, made["token"]):
        assert secret.encode() not in held
