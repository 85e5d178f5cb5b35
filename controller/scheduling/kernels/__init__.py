"""Compiled search: numbers only, no names; deterministic by seed and iteration count."""
