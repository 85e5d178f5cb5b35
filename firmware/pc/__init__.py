"""CPython on a PC; the only place that imports pyserial."""
