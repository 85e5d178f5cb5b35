"""Equal shares against pabutools: same winners in every case, and how many times faster.

make bench-allocation                       1,000 needs x 10,000 voters, both utilities, one run
make bench-allocation BENCH="--needs 200 --voters 2000 --small 20"

pabutools is GPL-licensed and needs gurobipy, so it is no dependency: it is installed into
.cache/pabutools and runs as a process of its own. Without it (no registry at hand) that is said,
and only our own figures are shown. Also measured: whole rounds over several resources with their
verification, published files in the eyes of pabulib-checker, and what each spill rule does to
communities. Seconds are processor seconds. Exit 1: a winner differs, or a file is wrong.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from controller.allocation.certificate import (  # noqa: E402  (the tree is the import path)
    decide,
    publish,
)
from controller.allocation.equal_shares import (  # noqa: E402  (the same)
    Election,
    Utility,
    equal_shares,
    preview,
)
from controller.allocation.floor import dominant, weighted  # noqa: E402  (the same)
from controller.allocation.inputs import Inputs, SpillRule, canonical  # noqa: E402  (the same)
from controller.allocation.reading import read_inputs  # noqa: E402  (the same)
from controller.allocation.round import Outcome, run_round  # noqa: E402  (the same)
from controller.rounds_verify.verify import verify_round  # noqa: E402  (the same)

ORACLE = ("pabutools==1.2.3", "pabulib-checker==1.0.8")
Row = dict[str, Any]
Result = TypeVar("Result")


def synthetic(needs: int, voters: int, seed: int, utility: Utility) -> Row:
    """One resource; few needs are popular, as in cities; half of all costs can be paid."""
    rng = random.Random(seed)
    costs = [rng.randint(1_000, 100_000) for _ in range(needs)]
    taste = list(itertools.accumulate(rng.paretovariate(1.2) for _ in range(needs)))
    ballots = [
        sorted(set(rng.choices(range(needs), cum_weights=taste, k=rng.randint(1, 19))))
        for _ in range(voters)
    ]
    budget = sum(costs) // 2
    return {"costs": costs, "budget": budget, "ballots": ballots, "utility": utility.value}


def election_of(row: Row) -> Election:
    """The same for our own rule; ties go to the lower number, as in pabutools by name."""
    supporters: list[list[tuple[int, int]]] = [[] for _ in row["costs"]]
    for voter, ballot in enumerate(row["ballots"]):
        for need in ballot:
            supporters[need].append((voter, 1))
    voters = len(row["ballots"])
    purses = [[Fraction(row["budget"], voters)] * voters]
    demand = [[cost] for cost in row["costs"]]
    return Election(demand, [row["budget"]], supporters, purses, Utility(row["utility"]))


def timed(work: Callable[[], Result], times: int) -> tuple[Result, float]:
    """Result and the least processor seconds of several runs; other load counts for nobody."""
    best, result = float("inf"), None
    for _ in range(times):
        start = time.process_time()
        result = work()
        best = min(best, time.process_time() - start)
    assert result is not None
    return result, best


def oracle_python() -> Path | None:
    """Interpreter of the isolated environment, made on first use; None when unobtainable."""
    folder = ROOT / ".cache" / "pabutools"
    python = folder / "bin" / "python"
    uv = str(ROOT / "scripts" / "uv")
    steps = [
        [uv, "venv", "--quiet", "--allow-existing", str(folder)],
        [uv, "pip", "install", "--quiet", "--python", str(python), *ORACLE],
    ]
    for step in steps:
        done = subprocess.run(step, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"pabutools is unobtainable here: {done.stderr.strip().splitlines()[-1:]}")
            return None
    return python


def ask_oracle(python: Path, rows: list[Row]) -> list[Row]:
    """Winners and seconds of pabutools for each election."""
    script = Path(__file__).with_name("oracle_pabutools.py")
    done = subprocess.run(
        [str(python), str(script)],
        input=json.dumps(rows),
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def check_files(python: Path | None) -> Row:
    """What pabulib-checker says of the worked example's .pb files, plain and with intensities."""
    document = json.loads((ROOT / "docs" / "examples" / "round-inputs.json").read_text())
    folder = ROOT / "run" / "bench" / "pb"
    folder.mkdir(parents=True, exist_ok=True)
    names: list[str] = []
    for round_id, level in (("plain", 1), ("graded", 3)):
        document["id"] = round_id
        document["ballots"][0]["approvals"] = {"h1": level, "h2": 1}
        for name, content in decide(canonical(document)).files.items():
            if name.endswith(".pb"):
                (folder / name).write_bytes(content)
                names.append(str(folder / name))
    if python is None:
        return {"files": len(names)}
    script = (
        "import json, sys; from pabulib.checker import Checker; "
        "print('\\n' + json.dumps(Checker().process_files(sys.argv[1:]), default=str))"
    )
    done = subprocess.run(
        [str(python), "-c", script, *names], capture_output=True, text=True, check=True
    )
    told = json.loads(done.stdout.splitlines()[-1])
    return {"files": len(names), "valid": told["metadata"]["valid"]}


def compare_large(python: Path | None, needs: int, voters: int) -> list[Row]:
    """Seconds side by side on one large election for each utility."""
    found: list[Row] = []
    for utility in Utility:
        row = synthetic(needs, voters, 1, utility)
        election = election_of(row)
        bought, exact_s = timed(lambda e=election: equal_shares(e), 3)
        quick, preview_s = timed(lambda e=election: preview(e), 3)
        ours = sorted(purchase.need for purchase in bought.purchases)
        entry: Row = {
            "utility": utility.value, "winners": len(ours), "exact_s": exact_s,
            "preview_s": preview_s, "preview_same": sorted(quick) == ours,
        }  # fmt: skip
        if python is not None:
            oracle = ask_oracle(python, [row])[0]
            entry["pabutools_s"] = oracle["seconds"]
            entry["same_winners"] = oracle["winners"] == ours
            entry["exact_times"] = oracle["seconds"] / exact_s
            entry["preview_times"] = oracle["seconds"] / preview_s
        found.append(entry)
    return found


def compare_small(python: Path | None, count: int) -> Row:
    """Winners on many small elections of several shapes."""
    rng = random.Random(2)
    rows = [
        synthetic(rng.randint(5, 60), rng.randint(5, 200), seed, list(Utility)[seed % 2])
        for seed in range(count)
    ]
    for row in rows[::3]:
        row["costs"] = [rng.choice((10, 20, 30)) for _ in row["costs"]]
        row["budget"] = sum(row["costs"]) // 3
    ours = [
        sorted(purchase.need for purchase in equal_shares(election_of(row)).purchases)
        for row in rows
    ]
    if python is None:
        return {"elections": count}
    same = [o["winners"] == mine for o, mine in zip(ask_oracle(python, rows), ours, strict=True)]
    return {"elections": count, "same_winners": sum(same)}


def synthetic_round(needs: int, voters: int, communities: int, seed: int) -> Inputs:
    """Five resources; members approve mostly needs of their own community."""
    rng = random.Random(seed)
    resources = ["printer", "mill", "pla", "aluminium", "energy"]
    members = {f"c{k:02d}": rng.randint(20, 480) for k in range(communities)}
    names, weights = list(members), list(members.values())
    stated = [
        {
            "id": f"n{at:04d}",
            "title": f"Need {at}",
            "community": rng.choices(names, weights)[0],
            "demand": {r: rng.randint(1, 10**6) for r in rng.sample(resources, rng.randint(1, 4))},
        }
        for at in range(needs)
    ]
    own = {c: [need["id"] for need in stated if need["community"] == c] for c in names}
    roll = [c for c in names for _ in range(members[c])]
    ballots = [
        {
            "member": f"m{at:05d}",
            "community": c,
            "approvals": {
                need: 1
                for need in [
                    *rng.sample(own[c], min(8, len(own[c]))),
                    *(f"n{rng.randrange(needs):04d}" for _ in range(2)),
                ]
            },
        }
        for at, c in enumerate(rng.sample(roll, min(voters, len(roll))))
    ]
    return read_inputs({
        "format": "fabcommons-round/1", "id": "bench", "place": "Bench",
        "opened_on": "2026-01-01", "closed_on": "2026-01-02",
        "resources": [
            {"id": r, "title": r, "unit": "mg", "forecast": 100_000 * needs} for r in resources
        ],
        "communities": [{"id": c, "title": c, "members": m} for c, m in members.items()],
        "needs": stated, "ballots": ballots,
    })  # fmt: skip


def whole_round(needs: int, voters: int) -> Row:
    """Seconds to decide, publish and verify one large round over five resources."""
    inputs = synthetic_round(needs, voters, 40, 1)
    outcome, run_s = timed(lambda: run_round(inputs), 1)
    files, publish_s = timed(lambda: publish(outcome), 1)
    document = json.loads(canonical(files["round.json"]))
    pb = {name: content for name, content in files.items() if isinstance(content, bytes)}
    found, verify_s = timed(lambda: verify_round(document, pb), 1)
    return {
        "needs": needs, "ballots": len(inputs.ballots), "bought": len(outcome.purchases),
        "granted": len(outcome.grants), "run_s": run_s, "publish_s": publish_s,
        "verify_s": verify_s, "findings": len(found),
    }  # fmt: skip


def fairness(outcome: Outcome) -> tuple[int, float, float, float]:
    """Communities with nothing, largest weighted share, voters with nothing, part used."""
    inputs = outcome.inputs
    capacity, part = inputs.capacity(), inputs.weight_part()
    accepted = set(outcome.accepted())
    used = {c.id: dict.fromkeys(capacity, 0) for c in inputs.communities}
    for need in inputs.needs:
        if need.id in accepted:
            for r, amount in need.demand.items():
                used[need.community][r] += amount
    shares = [weighted(dominant(used[c], capacity), part[c]) for c in used]
    empty = sum(not accepted & set(b.approvals) for b in inputs.ballots) / len(inputs.ballots)
    left = sum(outcome.left[r] / capacity[r] for r in capacity) / len(capacity)
    return sum(not share for share in shares), float(max(shares)), empty, 1 - left


def compare_spill(rounds: int) -> list[Row]:
    """What each spill rule does to communities, over the same rounds."""
    found: list[Row] = []
    for rule in SpillRule:
        figures: list[tuple[int, float, float, float]] = []
        for seed in range(rounds):
            inputs = synthetic_round(200, 2_000, 12, seed)
            inputs = replace(inputs, rules=replace(inputs.rules, spill=rule))
            figures.append(fairness(run_round(inputs)))
        found.append({
            "rule": rule.value, "communities": 12 * rounds,
            "communities_with_nothing": sum(f[0] for f in figures),
            "median_largest_share": median(f[1] for f in figures),
            "voters_with_nothing": sum(f[2] for f in figures) / rounds,
            "part_used": sum(f[3] for f in figures) / rounds,
        })  # fmt: skip
    return found


def show(title: str, rows: list[Row]) -> None:
    """Print rows as a table."""
    print(f"\n{title}")
    names = list(rows[0])
    print("  ".join(f"{name:>14}" for name in names))
    for row in rows:
        cells = (f"{v:.3f}" if isinstance(v, float) else str(v) for v in row.values())
        print("  ".join(f"{cell:>14}" for cell in cells))


def main() -> int:
    """Run everything; write run/bench/allocation.json."""
    options = argparse.ArgumentParser(description="benchmark the allocation of needs")
    options.add_argument("--needs", type=int, default=1_000)
    options.add_argument("--voters", type=int, default=10_000)
    options.add_argument("--small", type=int, default=120, help="small elections to compare")
    options.add_argument("--rounds", type=int, default=10, help="rounds for each spill rule")
    chosen = options.parse_args()
    python = oracle_python()
    large = compare_large(python, chosen.needs, chosen.voters)
    show(f"{chosen.needs} needs x {chosen.voters} voters, one resource", large)
    small = compare_small(python, chosen.small)
    show("small elections", [small])
    whole = whole_round(chosen.needs, chosen.voters)
    show("a whole round, five resources, 40 communities", [whole])
    files = check_files(python)
    show("published .pb files", [files])
    spill = compare_spill(chosen.rounds)
    show("spill rules, 200 needs, 2,000 voters, 12 communities", spill)
    folder = ROOT / "run" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    figures = {"large": large, "small": small, "round": whole, "files": files, "spill": spill}
    (folder / "allocation.json").write_text(json.dumps(figures, indent=1) + "\n")
    differs = [row for row in large if row.get("same_winners") is False]
    wrong = small.get("same_winners", chosen.small) != chosen.small
    invalid = files.get("valid", files["files"]) != files["files"]
    return 1 if differs or wrong or invalid or whole["findings"] else 0


if __name__ == "__main__":
    sys.exit(main())
