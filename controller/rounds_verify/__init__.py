"""Checks a published allocation round without trusting who ran it; imports nothing of theirs."""
