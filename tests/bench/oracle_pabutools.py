"""Runs pabutools' method of equal shares on elections from standard input; JSON in, JSON lines out.

Run by bench_allocation.py in an environment of its own: pabutools is GPL and never imported by us.
Input: [{"costs": [...], "budget": n, "ballots": [[project, ...], ...], "utility": "cost"|"one"}].
Output, one line each: {"winners": [...], "seconds": processor seconds}.
"""

import json
import sys
import time

from pabutools.election import (  # type: ignore[import-not-found]  # lives in its own environment
    ApprovalBallot,
    ApprovalProfile,
    Cardinality_Sat,
    Cost_Sat,
    Instance,
    Project,
)
from pabutools.rules import method_of_equal_shares  # type: ignore[import-not-found]  # the same

for election in json.load(sys.stdin):
    projects = [Project(f"{at:06d}", cost) for at, cost in enumerate(election["costs"])]
    instance = Instance(projects, budget_limit=election["budget"])
    ballots = [ApprovalBallot([projects[p] for p in row]) for row in election["ballots"]]
    satisfaction = Cost_Sat if election["utility"] == "cost" else Cardinality_Sat
    profile = ApprovalProfile(ballots)
    start = time.process_time()
    winners = method_of_equal_shares(instance, profile, sat_class=satisfaction)
    seconds = time.process_time() - start
    found = {"winners": sorted(int(project.name) for project in winners), "seconds": seconds}
    print(json.dumps(found), flush=True)
