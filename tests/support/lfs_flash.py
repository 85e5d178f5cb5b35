"""Flash as on a board: real LittleFS on a device in memory that counts what is erased."""

import collections

from littlefs import LittleFS, UserContext

BLOCK_BYTES, BLOCKS = 4096, 212  # a Pico W's file system
CYCLES = 100_000  # of each block, as makers of NOR flash promise
PAGES = {"ESP32": 32, "RP2": 256}  # bytes programmed at once, as MicroPython's ports set them


class Counting(UserContext):
    """Counts erases per block."""

    def __init__(self):
        super().__init__(BLOCK_BYTES * BLOCKS)
        self.erased = collections.Counter()

    def erase(self, cfg, block):
        self.erased[block] += 1
        return super().erase(cfg, block)


class LfsFlash:
    """The firmware's view of it; as ``firmware.flash.Flash``."""

    def __init__(self, page_bytes):
        self.device = Counting()
        self._lfs = LittleFS(
            context=self.device,
            block_size=BLOCK_BYTES,
            block_count=BLOCKS,
            prog_size=page_bytes,
            read_size=page_bytes,
            cache_size=4 * page_bytes,
            lookahead_size=32,
            block_cycles=100,
        )

    def names(self):
        return sorted(self._lfs.listdir("/"))

    def open(self, name, mode):
        if mode == "rb":
            return self._lfs.open(name, mode)
        return self._lfs.open(name, mode, buffering=0)  # so that a flush is a sync, as on a board

    def sync(self, file):
        file.flush()

    def rename(self, old, new):
        self._lfs.rename(old, new)

    def remove(self, name):
        if name in self.names():
            self._lfs.remove(name)

    def size(self, name):
        return self._lfs.stat(name).size
