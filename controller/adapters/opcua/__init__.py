"""Robotic cells over OPC UA: ISA-95 job control (OPC 10031-4), found by browsing.

``structs`` are the standard's structures; ``discovery`` finds the cell's nodes; ``connect`` makes
a connection by the certificates of ``security``; ``session`` is one; ``mapping`` says what a seen
cell means for a job order (pure); ``ledge`` applies it in the site's transaction; ``link`` joins
them in a thread of its own.
"""
