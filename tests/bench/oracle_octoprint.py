"""Prints a file with OctoPrint's MachineCom alone: oracle_octoprint.py PORT FILE; says "done".

Run by bench_firmware.py in an environment of its own (scripts/octoprint): OctoPrint is AGPL and
never imported by us. Its server, web interface and plugins are left out: only what streams runs.
"""

import sys
import tempfile
import threading
from pathlib import Path

import octoprint.plugin  # type: ignore[import-not-found]  # lives in its own environment
from octoprint.printer.profile import (  # type: ignore[import-not-found]  # the same
    PrinterProfileManager,
)
from octoprint.util.comm import (  # type: ignore[import-not-found]  # the same
    MachineCom,
    MachineComPrintCallback,
)

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.waiting import until  # found by the path above

ended = threading.Event()


class Ends(MachineComPrintCallback):  # type: ignore[misc]  # its environment is not ours
    """Hears the end of the print."""

    def on_comm_print_job_done(self, suppress_script: bool = False) -> None:
        ended.set()


settings = octoprint.init_settings(tempfile.mkdtemp(), None)
octoprint.plugin.plugin_manager(
    init=True, plugin_folders=[], plugin_bases=[], plugin_entry_points=[]
)
octoprint.init_event_manager(settings)
com = MachineCom(sys.argv[1], 250000, Ends(), PrinterProfileManager())
com.start()
until(com.isOperational, what="a printer")
until(lambda: not com._send_queue.unfinished_tasks, what="the end of its questions")
com.selectFile(sys.argv[2], False)
com.startPrint()
ended.wait()
print("done", flush=True)
com.close(wait=True, timeout=60)
