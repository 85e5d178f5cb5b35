"""Drivers: one machine language each, bytes in and out, no I/O and no clock of their own."""
