"""Many simulated printers of one process, for benches: bench_machines.py FOLDER COUNT.

Printer n is behind FOLDER/n (1 is the first). Prints "ready", ends with its standard input.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from simulators.host import Host, Pty, Truth  # noqa: E402  # found by the path above
from simulators.printer import Printer  # noqa: E402  # found by the path above


def main() -> None:
    """Serve until standard input ends."""
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    hosts: list[Host] = []
    for number in range(1, count + 1):
        printer = Printer()
        hosts.append(Host(printer, Pty(folder / str(number)), 1.0, Truth(None, printer)))
    threads = [threading.Thread(target=host.run) for host in hosts]
    for thread in threads:
        thread.start()
    print("ready", flush=True)
    sys.stdin.read()
    for host in hosts:
        host.stop()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
