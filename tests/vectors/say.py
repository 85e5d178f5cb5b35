"""Prints every case as a line; run by CPython and by MicroPython with the repository as path."""

import sys

folder = sys.argv[1]
sys.path[:0] = [folder, folder + "/../.."]

from cases import cases  # noqa: E402 - the path above leads to it

for name, text in cases(folder):
    print(name + " = " + text)
