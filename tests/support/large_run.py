"""One large program through a machine's spool and ring, on MicroPython in a heap of a fixed size.

    micropython -X heapsize=SIZE tests/support/large_run.py URL SIZE SHA FOLDER

Prints JSON: lines, why it failed, most bytes on flash, and the heap in use after collections.
"""

import asyncio
import gc
import json
import sys

from firmware.flash import Flash
from firmware.ring import CHUNK_BYTES, Ring
from firmware.spool import Spool
from firmware.streamer import HOLD, Streamer

LIMIT_BYTES = 4 * CHUNK_BYTES + (1 << 16)  # of flash: the ring, and 8 bytes of hash a chunk
LOOKS = 20


def _on_flash(flash):
    return sum(flash.size(name) for name in flash.names())


async def _stream(flash, wanted, found):
    ring = Ring(flash, wanted, LIMIT_BYTES)
    source = Streamer(ring, wanted["size"], lambda code: True)
    every = max(1, wanted["lines"] // LOOKS)
    while not found["why"]:
        code = source.take()
        if code is None:
            break
        if code is HOLD:
            found["why"] = ring.failed
            found["flash_bytes"] = max(found["flash_bytes"], _on_flash(flash))
            await asyncio.sleep(0)
            continue
        found["lines"] += 1
        if found["lines"] % every == 0:
            gc.collect()
            found["heap_bytes"].append(gc.mem_alloc())
    source.close()


async def _life(url, size, sha, folder):
    flash = Flash(folder)
    wanted = {"url": url, "size": int(size), "sha": sha, "kind": "marlin"}
    wanted["lines"] = wanted["size"] // 28
    found = {"lines": 0, "flash_bytes": 0, "heap_bytes": []}
    found["why"] = await Spool(flash, "marlin", LIMIT_BYTES).fetch(wanted)
    await _stream(flash, wanted, found)
    print(json.dumps(found))


asyncio.run(_life(*sys.argv[1:]))
