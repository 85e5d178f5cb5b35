"""A writer of telemetry that may be killed: python lines_writer.py URL API FOLDER ACKED PER_S.

Appends to ACKED the number of each line once the sink has it on disk; goes on after the last one.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from controller.adapters.influx import Address, Client, InfluxSink, Limits  # as above
from protocols.telemetry import line  # found by the path above

T0 = 1_790_000_000_000
TOGETHER = 50


def main() -> None:
    url, api, folder, acked, per_s = sys.argv[1:]
    address = (
        Address(url, "v1", database="fab")
        if api == "v1"
        else Address(url, "v2", bucket="fab", org="-", token="t")
    )
    sink = InfluxSink(Client(address), Path(folder), Limits(64_000_000, 0.02, 0.2))
    path = Path(acked)
    n = int(path.read_text().split()[-1]) + 1 if path.exists() and path.read_text() else 0
    pause = threading.Event()
    with path.open("a") as noted:
        while not pause.wait(TOGETHER / int(per_s)):
            rows = range(n, n + TOGETHER)
            sink.write([line("lab", "p-1", "printer", T0 + k, {"nozzle_mc": k}) for k in rows])
            n += TOGETHER
            noted.write(f"{n - 1}\n")
            noted.flush()


if __name__ == "__main__":
    main()
