"""Machines people already own, by the program that drives them: one file each, one contract.

``contract`` is what an adapter is; ``registry`` lists them, a line each; ``mapping`` says what a
reading means for a job order (pure); ``ledge`` applies it in the site's transaction; ``link`` joins
them, one thread per machine. ``wires`` and ``fields`` are how adapters speak and read.
"""
