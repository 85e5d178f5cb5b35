"""How sharing grows: messages and storage of up to 100,000 sites, simulated from measured figures.

Every site joins a few commons, near ones mostly; it polls them at its own times, claims what it
can make and has room for, begins, completes. The simulation draws a random graph of sites, offers
needs through a day, lets those who joined a need's home see it at their next poll, and counts
requests, bytes, rows and waits. What a request, an offer and a row weigh was measured.

python scripts/scale.py           write the table into docs/scale.md
python scripts/scale.py --check   exit 1 when the page says something else
"""

from __future__ import annotations

import random
import sys
from collections import deque
from pathlib import Path
from typing import NamedTuple

PAGE = Path(__file__).resolve().parent.parent / "docs" / "scale.md"
BEGIN, END = "<!-- made by scripts/scale.py -->", "<!-- end of it -->"

# measured: make bench-sharing (10,000 needs, three sites, real API) and sizes of real messages
POLL_BYTES, OFFER_BYTES, VERB_BYTES, CLAIM_BYTES = 850, 260, 900, 110
ROW_BYTES = 611  # a need here or there with its shared or borrowed row and index
DAY_S = 86_400


class Floor(NamedTuple):
    """How sites behave."""

    joined: int = 8  # commons a site joins
    near: float = 0.8  # part of them that are near
    poll_s: int = 600  # each of them is asked so often
    needs_a_day: float = 2.0  # that a site offers to others
    fits: float = 0.2  # part of foreign needs a site has the design and the machine for
    room: int = 20  # needs of others it makes at once
    makes_s: int = 6 * 3600  # from begin to delivery


class Day(NamedTuple):
    """What a day came to."""

    sites: int
    requests: int
    bytes: int
    offered: int
    begun: int
    waited_s: list[int]
    busiest: int  # requests that the busiest home answered


def graph(sites: int, floor: Floor, chance: random.Random) -> list[list[int]]:
    """Homes each site joined: mostly neighbours on a ring, some anywhere."""
    found: list[list[int]] = []
    for site in range(sites):
        homes: set[int] = set()
        while len(homes) < min(floor.joined, sites - 1):
            near = chance.random() < floor.near
            reach = chance.randint(1, 2 * floor.joined) * chance.choice((-1, 1))
            home = (site + reach) % sites if near else chance.randrange(sites)
            if home != site:
                homes.add(home)
        found.append(sorted(homes))
    return found


def a_day(sites: int, floor: Floor, seed: int = 1) -> Day:
    """Simulate a day: each need is seen by those who joined its home, at their next polls."""
    chance = random.Random(seed)
    joined = graph(sites, floor, chance)
    askers: list[list[int]] = [[] for _ in range(sites)]
    for site, homes in enumerate(joined):
        for home in homes:
            askers[home].append(site)
    polls = DAY_S // floor.poll_s
    answered = [len(row) * polls for row in askers]
    day = Day(sites, sum(answered), sum(answered) * POLL_BYTES, 0, 0, [], 0)
    busy: list[deque[float]] = [deque() for _ in range(sites)]
    times = sorted(chance.random() * DAY_S for _ in range(round(sites * floor.needs_a_day)))
    for at_s in times:
        home = chance.randrange(sites)
        asks, size, waited = _offer(at_s, askers[home], busy, chance, floor)
        answered[home] += asks
        taken = waited is not None
        day = day._replace(
            requests=day.requests + asks,
            bytes=day.bytes + size,
            offered=day.offered + 1,
            begun=day.begun + taken,
        )
        if waited is not None:
            day.waited_s.append(round(waited))
    return day._replace(busiest=max(answered))


def _offer(
    at_s: float, askers: list[int], busy: list[deque[float]], chance: random.Random, floor: Floor
) -> tuple[int, int, float | None]:
    """One need: requests and bytes beyond polls, how long it waited until begun (None: nobody)."""
    phases = sorted((chance.random() * floor.poll_s, site) for site in askers)
    size = 0
    for phase_s, site in phases:
        size += OFFER_BYTES
        held = busy[site]
        while held and held[0] <= at_s + phase_s:
            held.popleft()
        if len(held) >= floor.room or chance.random() >= floor.fits:
            continue
        held.append(at_s + phase_s + floor.makes_s)
        return 3, size + 3 * (VERB_BYTES + CLAIM_BYTES), phase_s  # claim, begin, completion
    return 0, size, None


def rows(sizes: tuple[int, ...], floor: Floor) -> list[str]:
    """The table's rows."""
    found: list[str] = []
    for sites in sizes:
        day = a_day(sites, floor)
        waited = sorted(day.waited_s) or [0]
        found.append(
            f"| {sites:,} | {day.offered:,} | {day.begun / max(1, day.offered):.0%} "
            f"| {day.requests / sites:,.0f} | {day.bytes / sites / 1e6:.2f} "
            f"| {day.busiest / DAY_S:.3f} | {day.requests / DAY_S:,.0f} "
            f"| {waited[len(waited) // 2] / 60:.0f} | {waited[len(waited) * 99 // 100] / 3600:.1f} "
            f"| {2 * day.begun * ROW_BYTES * 365 / sites / 1e6:.1f} |"
        )
    return found


def table() -> str:
    """The generated part of the page."""
    floor = Floor()
    head = (
        f"Each site joins {floor.joined} commons ({floor.near:.0%} near), asks each every "
        f"{floor.poll_s // 60} min, offers {floor.needs_a_day:g} needs a day, can make "
        f"{floor.fits:.0%} of those of others, {floor.room} at once. One simulated day, seed 1.\n\n"
        "| sites | needs offered | taken that day | requests a site | MB a site "
        "| requests/s at the busiest home | requests/s, all sites | median wait, min "
        "| 99 % wait, h | MB stored a site and year |\n|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n"
    )
    lines = rows((3, 100, 1_000, 10_000, 100_000), floor)
    return head + "\n".join(lines) + "\n"


def main() -> int:
    """Write the table, or compare it."""
    text = PAGE.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    made = f"{before}{BEGIN}\n\n{table()}\n{END}{after}"
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(made)
        return 0
    if made == text:
        return 0
    print(f"{PAGE} is out of date: run python scripts/scale.py", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
