"""What people may ask of a floor, as checked JSON: bounds here, meaning in the controller."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

MAX_BATCH = 1000
Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=60)]
Id = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._:-]+$")]
Key = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._:-]+$")]
Saw = Annotated[str, StringConstraints(max_length=120)]


class Ask(BaseModel):
    """Body of a request; a field nobody knows is an error, so that a typing slip is seen."""

    model_config = ConfigDict(extra="forbid", strict=True)


class NeedAsk(Ask):
    """One need stated by a community."""

    community: Id
    design: Id
    part: Id | None = None
    quantity: int = Field(1, ge=1, le=1000)
    due_at: int | None = Field(None, ge=0, le=2**53 - 1)
    need_class: Literal["floor", "normal", "urgent"] = "normal"
    note: Annotated[str, StringConstraints(max_length=500)] = ""
    stated_by: Name = ""
    key: Key | None = None


class CommandAsk(Ask):
    """A command to a machine: who asks, and the state of the machine that person saw."""

    who: Name = "someone at the page"
    saw: Saw = ""


class ClearAsk(CommandAsk):
    """The bed or fixture is clear, and what became of the last order."""

    result: Literal["good", "bad"] = "good"
    pieces: int = Field(1, ge=0, le=1000)


class LoadAsk(CommandAsk):
    """A lot was put into a channel of the machine."""

    ch: int = Field(0, ge=0, le=15)
    lot: Id


class ConsoleAsk(CommandAsk):
    """One line of G-code for a machine that holds no order."""

    line: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=96)]


class ResolveAsk(Ask):
    """What a person found when looking at an order whose end is unknown."""

    who: Name = "someone at the page"
    result: Literal["good", "bad"]
    pieces: int = Field(1, ge=0, le=1000)
    note: Annotated[str, StringConstraints(max_length=300)] = ""
