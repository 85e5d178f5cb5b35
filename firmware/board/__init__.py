"""MicroPython on a board; the only place that imports machine and network."""
