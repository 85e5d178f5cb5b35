"""Pictures of a design, shown to the person at a station: kept and checked like its programs."""

import hashlib
from pathlib import Path

from controller.definition.problems import Problem, fail
from controller.definition.programs import ProgramFacts
from controller.pictures import MAX_BYTES, BadPicture, examine

KINDS = ("png", "jpeg")


def picture_facts(path: Path) -> ProgramFacts:
    """What is known of a picture file; raise DesignError only when it cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise fail(path.name, "", f"cannot be read: {error.strerror}", "check the file") from None
    problems: tuple[Problem, ...] = ()
    kind = "png"
    try:
        kind = examine(content).kind
    except BadPicture as error:
        problems = (Problem("", 0, str(error), "save it as PNG or JPEG, at most 4 MiB"),)
    return ProgramFacts(
        path=path,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        kind=kind,
        problems=problems,
    )
