"""The fault campaign on real processes: ``make chaos-floor``; ``--help`` says more.

Each round is a floor of its own: mosquitto, ``fabcommons controller`` on SQLite or PostgreSQL,
firmware on MicroPython for every machine, faulty simulated machines, a technician, and a relay
between firmware and broker. Acts are drawn by the round's seed; ``--round SEED`` plays that one
again (the same acts in the same order; what each meets is up to the computer). A row per round and
a table by kind of act go to standard output, progress to standard error; exit code 1 on findings.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.chaos_floor import Plan, RealFloor
from support.chaos_oracle import KINDS
from support.floor_acts import ACTS

STORES = ("sqlite", "postgresql")
HEADS = ("job orders", "physical starts", "reports", *KINDS[:4], "other", "asked a person")
LEFT = ("logs", "floor", "broker", "site.db", "site.yml", "acts.log")


def plans(options: argparse.Namespace) -> Iterator[Plan]:
    """The rounds of a campaign, for ever or as many as asked; stores in turn."""
    seeds: list[int] | None = None if options.round is None else [options.round]
    number = 0
    while seeds is None or number < len(seeds):
        if seeds is None and options.rounds and number >= options.rounds:
            return
        seed: int = seeds[number] if seeds else options.seed * 1000 + number
        store: str = STORES[seed % 2] if options.store == "both" else options.store
        yield Plan(
            seed=seed, printers=options.printers, mills=options.mills, needs=options.needs,
            every_s=options.every, acts=tuple(options.act), postgres=store == "postgresql",
            limit_s=options.limit, time_scale=options.time_scale, firmware=options.firmware,
        )  # fmt: skip
        number += 1


class Report:
    """Figures of rounds, and by kind of act."""

    def __init__(self, command: str) -> None:
        self.command = command
        self.rounds: list[dict[str, Any]] = []

    def take(self, plan: Plan, floor: RealFloor, seconds: float) -> dict[str, Any]:
        row = {
            "seed": plan.seed,
            "store": "postgresql" if plan.postgres else "sqlite",
            "acts": dict(floor.done),
            "seconds": round(seconds),
            "findings": floor.found.all(),
            "figures": {
                **floor.found.figures,
                **{kind: len(texts) for kind, texts in floor.found.words.items()},
            },
        }
        self.rounds.append(row)
        return row

    def table(self) -> str:
        """Markdown: a line for each kind of act, over the rounds in which it was done."""
        lines = ["| act | times | rounds | rounds with findings |", "|---|---|---|---|"]
        for name in ACTS:
            rounds = [row for row in self.rounds if name in row["acts"]]
            times = sum(row["acts"][name] for row in rounds)
            bad = sum(bool(row["findings"]) for row in rounds)
            lines.append(f"| {name} | {times} | {len(rounds)} | {bad} |")
        total: Counter[str] = Counter()
        for row in self.rounds:
            total.update({head: row["figures"].get(head, 0) for head in HEADS})
        times = sum(sum(row["acts"].values()) for row in self.rounds)
        bad = sum(bool(row["findings"]) for row in self.rounds)
        lines.append(f"| **all** | {times} | {len(self.rounds)} | {bad} |")
        lines += ["", "| rounds | " + " | ".join(HEADS) + " |", "|---" * (len(HEADS) + 1) + "|"]
        figures = " | ".join(str(total[head]) for head in HEADS)
        lines.append(f"| {len(self.rounds)} | {figures} |")
        return "\n".join(lines)

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        found = {"command": self.command, "rounds": self.rounds}
        path.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def play(plan: Plan, report: Report, kept: Path) -> dict[str, Any]:
    """Play one round; logs and store of one with findings are kept."""
    with tempfile.TemporaryDirectory(prefix="chaos-floor-", ignore_cleanup_errors=True) as name:
        folder, began = Path(name), time.monotonic()
        with RealFloor(plan, folder, say=lambda text: print(text, file=sys.stderr)) as floor:
            try:
                floor.run()
            except Exception as error:  # noqa: BLE001  # a round that breaks is a finding
                traceback.print_exc()
                floor.found.add("other", f"the round broke: {error!r}")
        row = report.take(plan, floor, time.monotonic() - began)
        if row["findings"]:
            _keep(folder, kept / str(plan.seed))
    return row


def _keep(folder: Path, place: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for path in folder.iterdir():
        if path.name.startswith(LEFT):
            if path.is_dir():
                shutil.copytree(path, place / path.name, symlinks=True)
            else:
                shutil.copy2(path, place)
    print(f"kept: {place}", file=sys.stderr)


def _row(row: dict[str, Any]) -> str:
    figures = row["figures"]
    return (
        f"{row['seed']} {row['store']}: {sum(row['acts'].values())} acts, "
        f"{figures.get('job orders', 0)} job orders, {figures.get('reports', 0)} reports, "
        f"{figures.get('asked a person', 0)} asked, {len(row['findings'])} findings, "
        f"{row['seconds']} s"
    )


def options_of(arguments: list[str] | None = None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the campaign (default: 1)")
    parser.add_argument("--round", type=int, metavar="SEED", help="play one round again")
    parser.add_argument("--rounds", type=int, default=0, help="how many (default: 4, or by time)")
    parser.add_argument("--minutes", type=float, default=0, help="begin no round after so long")
    parser.add_argument("--printers", type=int, default=16)
    parser.add_argument("--mills", type=int, default=4)
    parser.add_argument("--needs", type=int, default=60, help="stated in a round")
    parser.add_argument("--every", type=float, default=4.0, help="seconds between acts, about")
    words = "only this kind of act; again for more: " + ", ".join(ACTS)
    parser.add_argument("--act", action="append", default=[], choices=list(ACTS), metavar="NAME",
                        help=words)  # fmt: skip
    parser.add_argument("--store", choices=(*STORES, "both"), default="both",
                        help="both = in turn")  # fmt: skip
    parser.add_argument("--firmware", choices=("auto", "micropython", "cpython"), default="auto")
    parser.add_argument("--time-scale", type=int, default=120)
    parser.add_argument("--limit", type=float, default=900, metavar="SECONDS",
                        help="for a round; acts end after half of it")  # fmt: skip
    parser.add_argument("--out", type=Path, default=Path("run/chaos-floor.json"))
    options = parser.parse_args(arguments)
    if not options.rounds and not options.minutes:
        options.rounds = 4
    return options


def main() -> int:
    options = options_of()
    report = Report(" ".join(["python", "tests/chaos/floor_campaign.py", *sys.argv[1:]]))
    end = time.monotonic() + options.minutes * 60 if options.minutes else None
    for plan in plans(options):
        if end is not None and time.monotonic() > end:
            break
        row = play(plan, report, options.out.with_suffix(""))
        print(_row(row), flush=True)
        for text in row["findings"]:
            print(f"  {text}", flush=True)
        report.write(options.out)
    print(report.table())
    return 1 if any(row["findings"] for row in report.rounds) else 0


if __name__ == "__main__":
    sys.exit(main())
