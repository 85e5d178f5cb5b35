"""Compile the search once, so that a floor's first plan need not wait: python -m ... warm."""

import sys
import time

from controller.scheduling.effort import Budget
from controller.scheduling.generate import fab_day
from controller.scheduling.planner import plan
from controller.scheduling.readers import from_text

ROUNDS = Budget(rounds=6)
# two jobs on two machines that the bound does not prove at once
SHOP = """3 2
3 2 0 4 1 6 1 1 3 2 0 2 1 2
2 1 0 5 2 0 6 1 4
2 2 0 3 1 4 2 0 2 1 7
"""


def warm() -> float:
    """CPU seconds it took: both searches once on small floors; machine code stays on disk."""
    begun_s = time.process_time()
    plan(from_text(SHOP, "shop"), budget=ROUNDS)
    day = fab_day(6, 40, 3)
    plan(day, budget=ROUNDS, running=plan(day, budget=ROUNDS))
    return time.process_time() - begun_s


if __name__ == "__main__":
    sys.stderr.write(f"the scheduler's search is compiled ({warm():.0f} s of CPU)\n")
