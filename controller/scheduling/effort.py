"""How much a plan may cost; apart from the search, which is loaded only when it is used."""

from collections.abc import Callable
from typing import NamedTuple


class Budget(NamedTuple):
    """CPU seconds to look for better plans, or rounds of search where > 0 (then deterministic)."""

    cpu_s: float = 1.0
    rounds: int = 0


class Effort(NamedTuple):
    """Seed, budget, whether to spend a part on proofs, and the clock that counts CPU seconds."""

    seed: int
    budget: Budget
    exact: bool
    clock: Callable[[], float]
