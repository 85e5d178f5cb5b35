"""Requests made from the interface's own description, well-formed and not: never a server error.

``make fuzz`` sends many more (FUZZ_EXAMPLES for each address).
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, seed, settings

from dashboards import enrol_api, openapi, software_api
from dashboards.server import Front, PageServer
from support import dash_furnish
from support.rooms import Door, Shelf

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "4"))
KNOWN = {
    "machine": ["printer-1", "printer-2", "mill-1", "cell-1"],
    "need": ["n-1", "n-2", "n-3"],
    "order": ["o-1", "o-2"],
    "operation": ["op-1", "op-6"],
    "lot": ["petg-1", "mdf-1"],
    "community": ["north", "hill"],
    "round_id": ["current"],
    "design": ["clamp"],
}


def description() -> Any:
    """The interface's description; half of the ids it asks for are of things that are there."""
    document: Any = json.loads(openapi.describe())
    document["paths"].pop("/api/events")  # a stream has no end
    for path in document["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", []):
                known = KNOWN.get(parameter["name"])
                if known and parameter["in"] == "path":
                    parameter["schema"] = {"anyOf": [{"enum": known}, parameter["schema"]]}
    return document


VERBS = ("get", "post", "put", "delete", "patch")
LABELS = [
    f"{verb.upper()} {path}" for path, verbs in description()["paths"].items()
    for verb in verbs if verb in VERBS
]  # fmt: skip


@pytest.fixture(scope="module")
def operations() -> dict[str, Any]:
    """Operations by label; the library takes seconds to load, which other tests need not wait."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import schemathesis
    found = schemathesis.openapi.from_dict(description()).get_all_operations()
    return {one.ok().label: one.ok() for one in found}


@pytest.fixture(scope="module")
def url(dash_floor: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    desk = dash_floor.FakeDesk(tmp_path_factory.mktemp("fuzzed"))
    desk.change(dash_floor.fill)
    desk.change(dash_furnish.furnish)
    desk.submit(dash_furnish.open_round)
    rooms = (software_api.router(Shelf()), enrol_api.router(Door()))
    server = PageServer(desk, port=0, front=Front(rooms=rooms))
    yield server.url
    server.close()
    desk.close()


def test_the_description_names_many_addresses(operations: dict[str, Any]) -> None:
    assert sorted(operations) == sorted(LABELS)
    assert len(LABELS) >= 80


@pytest.mark.parametrize("label", LABELS)
def test_no_request_is_a_server_error(label: str, operations: dict[str, Any], url: str) -> None:
    operation = operations[label]
    seen: list[int] = []
    with httpx.Client(base_url=url, timeout=60) as client:

        @seed(20260101)
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            sent = case.as_transport_kwargs(base_url=url)
            headers = {**(sent.pop("headers") or {}), "X-Fabcommons": "1"}
            kept = {name: sent[name] for name in ("json", "data", "params") if sent.get(name)}
            if isinstance(kept.get("data"), bytes):
                kept["content"] = kept.pop("data")
            try:
                answer = client.request(sent["method"], sent["url"], headers=headers, **kept)
            except (httpx.InvalidURL, UnicodeEncodeError, ValueError):
                return  # nothing an HTTP client can send
            seen.append(answer.status_code)
            assert answer.status_code < 500, (case.method, case.path, kept, answer.text)

        ask()
    assert seen
