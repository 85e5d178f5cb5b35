"""Every wire format: bytes in, values out. No I/O, no clock; runs on MicroPython and CPython."""
