"""Who may do what only the qualified may: the one place that decides it for the page."""

from collections.abc import Callable, Mapping, Sequence

from dashboards.problems import Problem

Qualified = Callable[[str, str], bool]  # machine, person


def nobody(machine: str, who: str) -> bool:
    """No person is qualified."""
    return False


def by_list(names: Mapping[str, Sequence[str]]) -> Qualified:
    """Those the settings name for each machine."""
    return lambda machine, who: who in names.get(machine, ())


def check(qualified: Qualified, machine: str, who: str) -> None:
    """Raise Problem (403) when a person may not send lines to a machine."""
    if not qualified(machine, who):
        text = f"{who} is not qualified on {machine}: the settings name who is (console)"
        raise Problem(403, "not-qualified", text, "who")
