"""The machine's side: runs job orders exactly once. MicroPython on the board, CPython on a PC."""
