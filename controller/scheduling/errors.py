"""Errors of scheduling that a caller can do something about."""


class ReadError(Exception):
    """A problem file cannot be used; the text says which file and what is wrong."""
