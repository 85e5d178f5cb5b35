"""What ``fabcommons doctor`` finds: one thing looked at, its state, and the fix."""

from dataclasses import dataclass

GOOD, HINT, BAD = "ok", "hint", "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: ok, a hint (works, could be better) or bad; ``fix`` says what to do."""

    what: str
    state: str
    text: str
    fix: str = ""
