"""The one table of rights, and that every address of the interface stands in it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, cast

import pytest
from starlette.routing import Mount

from controller.people import roles
from dashboards import commons_api, enrol_api, software_api
from dashboards.api import PAGES, build_app
from dashboards.rights import NEEDS, OPEN, SELF


def routes(found: Any) -> Iterator[Any]:
    """Every route, those of included routers too."""
    for route in found:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from routes(inner.routes)
        else:
            yield route


def declared() -> set[str]:
    nobody = cast(Any, None)
    rooms = [room.router(nobody) for room in (software_api, enrol_api, commons_api)]
    app = build_app(nobody, rooms=rooms)
    return {
        f"{method} {route.path}"
        for route in routes(app.routes)
        if not isinstance(route, Mount)
        for method in route.methods
        if method != "HEAD" or route.path.startswith("/programs")
    }


def test_every_address_says_what_it_needs() -> None:
    assert declared() - set(NEEDS) == set()


def test_the_table_names_no_address_that_is_not_there() -> None:
    page = {"GET /"} | {f"GET {path}" for path in PAGES}
    optional = {"GET /oidc/log-in", "GET /oidc/back"}
    assert set(NEEDS) - declared() - page - optional == set()


def test_what_changes_something_is_open_only_where_another_credential_stands() -> None:
    open_ = {name for name, right in NEEDS.items() if right == OPEN and name.startswith("POST")}
    assert open_ == {
        "POST /api/enrol",
        "POST /commons/needs/{verb}",
        "POST /api/log-in",
        "POST /api/log-out",
        "POST /api/set-up",
    }


def test_every_right_is_known() -> None:
    assert set(NEEDS.values()) - {OPEN, SELF} == set(roles.RIGHTS)


def test_each_role_has_what_the_one_before_has() -> None:
    rights = [roles.MAY[role] for role in roles.ROLES]
    assert all(less < more for less, more in pairwise(rights))
    assert roles.MAY["public"] == {roles.RECORD}
    assert roles.MAY["admin"] == set(roles.RIGHTS)


@pytest.mark.parametrize(
    ("right", "role"),
    [("record", "public"), ("stop", "member"), ("operate", "technician"), ("govern", "steward")],
)
def test_the_least_role_of_a_right(right: str, role: str) -> None:
    assert roles.least_role(right) == role


def test_the_public_writes_nothing() -> None:
    writes = {right for name, right in NEEDS.items() if name.startswith("POST")}
    assert not writes & roles.MAY["public"]
