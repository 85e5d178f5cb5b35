"""Serve the small floor of the tests for browsers: ``python dash_serve.py PORT [STATIC]``.

Lines on standard input change the floor, so that a browser test can drive it:
``done MACHINE PPM``, ``state MACHINE STATE``, ``notice TEXT``, ``quit``.
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2]))

import dash_floor

from dashboards.server import PageServer


def change(desk: dash_floor.FakeDesk, words: list[str]) -> None:
    verb, *rest = words
    if verb == "done":
        machine, ppm = rest
        with desk.read() as tx:
            held = tx.orders.open_on(machine)
        assert held is not None
        desk.change(lambda tx: tx.orders.change(held.id, done_ppm=int(ppm)))
    elif verb == "state":
        desk.change(lambda tx: tx.machines.change(rest[0], state=rest[1]))
    elif verb == "notice":
        desk.change(lambda tx: tx.notice("note", "floor", " ".join(rest)))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        desk = dash_floor.FakeDesk(Path(folder))
        desk.change(dash_floor.fill)
        server = PageServer(desk, port=int(sys.argv[1]) if len(sys.argv) > 1 else 0)
        print(server.url, flush=True)
        for line in sys.stdin:
            if line.strip() == "quit":
                break
            change(desk, line.split())
            print("ok", flush=True)
        for asked in desk.asked:
            print(*asked, flush=True)
        server.close()
        desk.close()


if __name__ == "__main__":
    main()
