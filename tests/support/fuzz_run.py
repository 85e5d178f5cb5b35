"""The long run: so many inputs over every parser; what is new is kept in tests/corpus.

python tests/support/fuzz_run.py --inputs 10000000 --seed 1 [--parser NAME] [--keep]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.fuzz import Campaign, Found, keep  # noqa: E402
from support.fuzz_parsers import PARSERS  # noqa: E402


def main() -> int:
    """Print a row a parser; write failures to run/fuzz; exit 1 when there are any."""
    options = _options()
    wanted = {n: p for n, p in PARSERS.items() if options.parser in ("", n)}
    shares = sum(parser.share for parser in wanted.values())
    failed: list[Found] = []
    total = 0
    rows: dict[str, dict[str, int]] = {}
    for name, parser in wanted.items():
        begin = time.process_time()
        campaign = Campaign(name, parser, options.seed)
        campaign.run(max(100, options.inputs * parser.share // shares))
        if options.keep:
            keep(name, sorted(campaign.signs.values(), key=len))
        cpu_us = (time.process_time() - begin) / campaign.runs * 1e6
        print(
            f"{name:18} {campaign.runs:9} inputs {len(campaign.signs):5} signs"
            f" {len(campaign.found):2} failures {cpu_us:7.0f} us",
            flush=True,
        )
        failed += campaign.found
        total += campaign.runs
        rows[name] = {"inputs": campaign.runs, "failures": len(campaign.found)}
    print(f"{total} inputs, seed {options.seed}, {len(failed)} failures")
    _write(rows, failed)
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--parser", default="", choices=["", *PARSERS])
    parser.add_argument("--keep", action="store_true", help="keep new inputs in tests/corpus")
    return parser.parse_args()


def _write(rows: dict[str, dict[str, int]], failed: list[Found]) -> None:
    folder = ROOT / "run" / "fuzz"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "figures.json").write_text(json.dumps(rows, indent=1))
    for number, one in enumerate(failed):
        (folder / f"{one.parser}-{number}").write_bytes(one.data)
        print(f"\n{one.parser}: {one.data[:300]!r}", file=sys.stderr)
        traceback.print_exception(one.error, limit=-4)


if __name__ == "__main__":
    sys.exit(main())
