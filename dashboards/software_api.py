"""Endpoints for the machines' own life: firmware releases, and asking a machine to take one."""

from pathlib import Path
from typing import Annotated, NotRequired, Protocol

from fastapi import APIRouter, Header
from fastapi import Path as InPath
from fastapi.responses import FileResponse
from pydantic import StringConstraints
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from dashboards.asks import CommandAsk
from dashboards.commands import AnswerView, command_id
from dashboards.desk import Answer, Person
from dashboards.gate import Who
from dashboards.problems import ERRORS, Problem

Id = Annotated[str, InPath(max_length=64)]
Key = Annotated[str, Header(alias="Idempotency-Key", max_length=64)]
Version = Annotated[str, StringConstraints(max_length=20, pattern=r"^([0-9]+\.[0-9]+\.[0-9]+)?$")]


class UpdateAsk(CommandAsk):
    """Which release to install; empty = the newest."""

    version: Version = ""


class ReleaseView(TypedDict):
    """A signed release that machines can be given."""

    version: str
    sha: str
    size: NotRequired[int]


class SoftwareView(TypedDict):
    """What a machine runs, and the state it reported."""

    id: str
    fw: str
    state: str
    online: bool


class Software(Protocol):
    """What keeps the machines' own software; any may raise ``Refused``."""

    def releases(self) -> list[ReleaseView]:
        """Signed releases, newest first."""
        ...

    def release_file(self, version: str, path: str) -> Path | None:
        """One file of a release, or None."""
        ...

    def software(self) -> list[SoftwareView]:
        """What each machine runs."""
        ...

    def update(self, machine: str, version: str, person: Person) -> Answer:
        """Ask an idle machine to install a release."""
        ...


def router(software_of: Software) -> APIRouter:
    """Routes over what keeps the machines' software."""
    routes = APIRouter(responses=ERRORS)

    def releases() -> list[ReleaseView]:
        """Signed firmware releases, newest first."""
        return software_of.releases()

    def release_file(
        version: Version, path: Annotated[str, InPath(max_length=120)]
    ) -> FileResponse:
        """A file of a firmware release, by ranges."""
        found = software_of.release_file(version, path)
        if found is None:
            raise Problem(404, "unknown", "is no file of a signed release here", "path")
        return FileResponse(found, media_type="application/octet-stream")

    def update(machine: Id, ask: UpdateAsk, caller: Who, key: Key = "") -> AnswerView:
        """Ask an idle machine to install a signed release; it rolls back by itself."""
        person = Person(caller.named(ask.who), command_id(key), ask.saw)
        answer = software_of.update(machine, ask.version, person)
        return {"id": answer.id, "code": answer.code, "message": answer.message}

    def software() -> list[SoftwareView]:
        """What firmware each machine runs."""
        return software_of.software()

    routes.add_api_route("/api/firmware", releases, response_model=list[ReleaseView])
    routes.add_api_route("/api/firmware/machines", software, response_model=list[SoftwareView])
    routes.add_api_route(
        "/firmware/{version}/{path:path}", release_file, response_class=FileResponse
    )
    routes.add_api_route(
        "/api/machines/{machine}/update", update, methods=["POST"], response_model=AnswerView
    )
    return routes
