"""Three sites share needs over a bad wire: made once, none lost; messages and bytes a need.

make bench-sharing            10,000 needs; BENCH="--needs 600 --seed 3" for less
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.sharing import World

OUT = Path("run/bench/sharing.json")


def main() -> int:
    """Run until every need is done; exit 1 when one was made twice or lost."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--needs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=20_000)
    options = parser.parse_args()
    began_s = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), options.needs, options.seed)
        step = 0
        while step < options.steps and world.counts().get("done") != options.needs:
            world.step()
            step += 1
        done = world.counts().get("done", 0)
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
        world.close()
    twice = sum(len(who) > 1 for who in world.made.values())
    figures = {
        "needs": options.needs,
        "done": done,
        "made": len(world.made),
        "made_twice": twice,
        "requests": world.messages,
        "requests_per_need": round(world.messages / options.needs, 3),
        "bytes_on_the_wire_per_need": world.bytes // options.needs,
        "replays_refused": world.replays,
        "store_bytes_per_need": size // options.needs,
        "steps": step,
        "cpu_s": round(time.process_time() - began_s, 1),
    }
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(figures, indent=2))
    print(json.dumps(figures, indent=2))
    return int(done != options.needs or twice > 0)


if __name__ == "__main__":
    sys.exit(main())
