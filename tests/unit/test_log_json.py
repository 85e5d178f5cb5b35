"""Structured logs: one JSON line per event, with what it is about and without secrets."""

from __future__ import annotations

import io
import json
import logging
from typing import Any

import pytest

from controller.adapters.log_json import Hider, JsonLines, NoticeLines, install, notice_document
from controller.adapters.site_file import InfluxEntry, SiteFile
from controller.changes import Change, Changes
from fabcommons.logs import secrets_of

SECRET = "s3cr3t-and-long"


def lines_of(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def told(desk: Any, kind: str, subject: str, text: str = "words") -> dict[str, Any]:
    with desk.store.write() as tx:
        tx.notice(kind, subject, text)
        return notice_document(tx, tx.effects.notices[-1])


@pytest.mark.parametrize(
    ("kind", "subject", "severity", "about"),
    [
        (
            "order", "o-1", "INFO",
            {"job_order": "o-1", "machine": "printer-1", "operation": "op-1", "need": "n-1"},
        ),
        (
            "attention", "printer-1", "WARN",
            {"job_order": "o-1", "machine": "printer-1", "operation": "op-1", "need": "n-1"},
        ),
        ("machine", "printer-3", "INFO", {"machine": "printer-3"}),
        ("operation", "op-6", "INFO", {"operation": "op-6", "need": "n-2"}),
        ("need", "n-2", "INFO", {"need": "n-2"}),
        ("lot", "petg-1", "INFO", {"lot": "petg-1"}),
        ("dead", "fab/1/lab/x", "WARN", {}),
    ],
)  # fmt: skip
def test_a_notice_says_what_it_is_about(
    desk: Any, dash_floor: Any, kind: str, subject: str, severity: str, about: dict[str, str]
) -> None:
    found = told(desk, kind, subject)
    assert found["Timestamp"] == str(dash_floor.T0 * 1_000_000)
    assert (found["SeverityText"], found["Body"]) == (severity, "words")
    attributes = found["Attributes"]
    assert (attributes.pop("event.name"), attributes.pop("subject")) == (kind, subject)
    del attributes["seq"]
    assert attributes == about


def test_notices_of_the_feed_come_out_in_order_without_secrets(desk: Any) -> None:
    stream, changes = io.StringIO(), Changes()
    lines = JsonLines(stream, Hider([SECRET]))
    notices = NoticeLines(changes, desk.read, lines.write)
    with desk.store.write() as tx:
        for n in range(5):
            tx.notice("order", "o-1", f"line {n} {SECRET}\nand more")
    for one in tx.effects.notices:
        changes.publish(Change(one.kind, one.subject, one))
    notices.close()
    found = lines_of(stream)
    assert [line["Body"] for line in found] == [f"line {n} ***\nand more" for n in range(5)]
    assert {line["Attributes"]["job_order"] for line in found} == {"o-1"}
    assert changes.count() == (0, 0)


def test_the_logging_module_comes_out_as_lines() -> None:
    stream = io.StringIO()
    end = install(JsonLines(stream, Hider([SECRET])))
    try:
        logging.getLogger("controller.x").info("took %s", SECRET)
        logging.getLogger("other").info("is not told")
        try:
            raise OSError(f"no {SECRET}")
        except OSError:
            logging.getLogger("other").exception("it failed")
        logging.getLogger("other").warning("misfit %d", "text")
    finally:
        end()
    assert SECRET not in stream.getvalue()
    first, second, third = lines_of(stream)
    assert (first["SeverityText"], first["SeverityNumber"], first["Body"]) == (
        "INFO",
        9,
        "took ***",
    )
    assert first["Attributes"]["logger"] == "controller.x"
    assert second["SeverityText"] == "ERROR"
    assert second["Attributes"]["exception.type"] == "OSError"
    assert "OSError: no ***" in second["Attributes"]["exception.stacktrace"]
    assert third["Body"] == "misfit %d"


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("postgresql://fab:hunter22@db/floor down", "postgresql://fab:***@db/floor down"),
        ("token=abc123; next", "token=***; next"),
        ('{"password": "abc 123"}', None),
        ("Authorization: Bearer abc.def", "Authorization: ***"),
        ("token_env: FAB_TOKEN", "token_env: FAB_TOKEN"),
        (
            "influx.token_env: the environment has no X",
            "influx.token_env: the environment has no X",
        ),
        ("https://example.org/a:b@c", "https://example.org/a:b@c"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(text: str, hidden: str | None) -> None:
    found = Hider()(text)
    assert found == hidden if hidden else "abc" not in found


def test_a_stream_that_is_gone_ends_nothing() -> None:
    stream = io.StringIO()
    lines = JsonLines(stream, Hider())
    stream.close()
    lines.emit(logging.LogRecord("x", logging.INFO, "x.py", 1, "words", None, None))
    assert lines.failures == 1


def test_secrets_are_those_the_settings_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAB_TOKEN", SECRET)
    monkeypatch.delenv("PGPASSWORD", raising=False)
    influx = InfluxEntry("http://x", bucket="b", org="o", token_env="FAB_TOKEN")
    assert secrets_of(SiteFile(site="lab", influx=influx)) == [SECRET]


def test_tokens_and_cookies_are_hidden_by_their_look() -> None:
    said = (
        "cookie: __Host-fabcommons-lab=abcdefghijklmnopqrstuvwx; and fabt-abcdefghijklmnopqrstuvwx"
    )
    told = Hider()(said)
    assert "abcdefghij" not in told and "fabt-***" in told
