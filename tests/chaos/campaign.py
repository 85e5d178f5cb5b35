"""The fault campaign on virtual time: ``make chaos ORDERS=100000 SEED=1``; ``--help`` says more.

Worlds of some hundred job orders each, every one with its own seed and class of faults; findings
name the world, and ``--world CLASS:SEED`` plays that one again. Writes figures by class of fault as
JSON and as a table.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.chaos_faults import CLASSES
from support.chaos_oracle import KINDS
from support.chaos_world import Scope, run_world

NAMES = (*CLASSES, "mixed")


def scopes(orders: int, seed: int, world: int) -> Iterator[Scope]:
    """Worlds of a campaign: classes in turn, mixed ones as every third."""
    made, number = 0, 0
    while made < orders:
        size = min(world, orders - made)
        name = "mixed" if number % 3 == 2 else NAMES[(number - number // 3) % len(NAMES)]
        yield Scope(orders=size, seed=seed * 100_000 + number, fault=name, every_ms=25_000)
        made += size
        number += 1


def play(scope: Scope) -> dict[str, Any]:
    """Run one world; what came of it as plain values."""
    began = time.process_time()
    try:
        found = run_world(scope)
    except Exception as error:  # noqa: BLE001  # a world that cannot be played is a finding
        words: dict[str, list[str]] = {kind: [] for kind in KINDS}
        words["other"] = [f"the world broke: {error!r}"]
        return {"fault": scope.fault, "seed": scope.seed, "words": words, "figures": {}, "cpu_s": 0}
    return {
        "fault": scope.fault,
        "seed": scope.seed,
        "words": found.words,
        "figures": dict(found.figures),
        "cpu_s": round(time.process_time() - began, 1),
    }


class Report:
    """Figures by class of fault."""

    def __init__(self) -> None:
        self.figures: dict[str, Counter[str]] = {}
        self.words: list[str] = []

    def take(self, played: dict[str, Any]) -> None:
        figures = self.figures.setdefault(played["fault"], Counter())
        figures.update(played["figures"])
        figures["worlds"] += 1
        figures["faults"] += sum(n for k, n in played["figures"].items() if k[2:] in CLASSES)
        for kind, texts in played["words"].items():
            figures[kind] += len(texts)
            self.words += [f"{played['fault']}:{played['seed']}: {kind}: {text}" for text in texts]

    def table(self) -> str:
        """Markdown, one line for each class of fault."""
        heads = ("worlds", "faults", "job orders", "physical starts", "reports", *KINDS[:6],
                 "asked a person")  # fmt: skip
        lines = ["| fault | " + " | ".join(heads) + " |", "|---" * (len(heads) + 1) + "|"]
        total: Counter[str] = Counter()
        for name, figures in sorted(self.figures.items()):
            asked = figures["n asked: UNKNOWN"] + figures["n asked: IN_DOUBT"]
            row = {**figures, "asked a person": asked}
            total.update(row)
            lines.append(_line(name, row, heads))
        lines.append(_line("**all**", total, heads))
        return "\n".join(lines)

    def write(self, path: Path, command: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        figures = {name: dict(counts) for name, counts in self.figures.items()}
        document = {"command": command, "findings": self.words, "by_fault": figures}
        path.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _line(name: str, row: Any, heads: tuple[str, ...]) -> str:
    return f"| {name} | " + " | ".join(str(row.get(head, 0)) for head in heads) + " |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=2000, help="job orders in all worlds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--per-world", type=int, default=300)
    parser.add_argument("--processes", type=int, default=max(1, (os.cpu_count() or 2) - 1))
    parser.add_argument("--world", help="play one world again: CLASS:SEED")
    parser.add_argument("--first", type=int, default=0, help="leave out so many worlds: go on")
    parser.add_argument("--minutes", type=float, default=0, help="begin no world after so long")
    parser.add_argument("--out", type=Path, default=Path("run/chaos.json"))
    options = parser.parse_args()
    report = Report()
    worlds = islice(scopes(options.orders, options.seed, options.per_world), options.first, None)
    if options.world:
        name, _, seed = options.world.rpartition(":")
        scope = Scope(options.per_world, seed=int(seed), fault=name, every_ms=25_000)
        worlds = iter([scope])
    end = time.monotonic() + options.minutes * 60 if options.minutes else None
    command = " ".join(["python", "tests/chaos/campaign.py", *sys.argv[1:]])
    with multiprocessing.Pool(options.processes, maxtasksperchild=8) as pool:
        for played in pool.imap_unordered(play, _before(worlds, end)):
            report.take(played)
            found = sum(map(len, played["words"].values()))
            done = played["figures"].get("job orders", 0)
            print(f"{played['fault']}:{played['seed']}: {done} job orders, {found} findings, "
                  f"{played['cpu_s']} s", flush=True)  # fmt: skip
            report.write(options.out, command)
    print(report.table())
    print("\n".join(report.words))
    return 1 if report.words else 0


def _before(worlds: Iterator[Scope], end: float | None) -> Iterator[Scope]:
    for scope in worlds:
        if end is not None and time.monotonic() > end:
            return
        yield scope


if __name__ == "__main__":
    sys.exit(main())
