"""MicroPython on a PC (its unix port): serial lines that asyncio can wait for."""
