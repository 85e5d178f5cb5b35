"""Serve the furnished small floor for browsers: ``python dash_serve.py [COMMAND...]``.

A command is run with ``URL`` in its words replaced by the floor's address; without one the floor is
served until Enter is pressed. Time stands still, so that pictures of it can be compared.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2]))

from dashboards import commons_api
from dashboards.server import Front, PageServer
from support import dash_asks, dash_commons, dash_floor, dash_furnish, people


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        desk = dash_floor.FakeDesk(Path(folder))
        desk.change(dash_floor.fill)
        desk.change(dash_furnish.furnish)
        desk.submit(dash_furnish.open_round)
        desk.change(dash_asks.odd)
        people.populate(desk, dash_floor.T0)
        desk.change(dash_commons.join_others)
        rooms = (commons_api.router(dash_commons.Commons(desk)),)
        server = PageServer(desk, port=0, front=Front(rooms=rooms))
        print(server.url, flush=True)
        try:
            if sys.argv[1:]:
                words = [word.replace("URL", server.url) for word in sys.argv[1:]]
                return subprocess.run(words, check=False).returncode
            sys.stdin.readline()
            return 0
        finally:
            server.close()
            desk.close()


if __name__ == "__main__":
    sys.exit(main())
