"""Runs an image in place, as a board does from its ROM: micropython rom_start.py IMAGE CONFIG.json.

The image is mapped outside the heap of MicroPython (unix port with ffi), so bytecode and texts
take no heap, as on a board whose interpreter has ROMFS.
"""

import os
import sys

import ffi
import uctypes
import vfs

_PROT_READ, _MAP_PRIVATE = 1, 2


def mount(path):
    libc = ffi.open("libc.so.6")
    size = os.stat(path)[6]
    with open(path, "rb") as file:
        at = libc.func("p", "mmap", "piiiii")(0, size, _PROT_READ, _MAP_PRIVATE, file.fileno(), 0)
    vfs.mount(vfs.VfsRom(uctypes.bytearray_at(at, size)), "/rom")
    sys.path.insert(0, "/rom")


mount(sys.argv[1])
sys.argv[:] = ["firmware", sys.argv[2]]
from firmware.__main__ import main  # noqa: E402

sys.exit(main())
