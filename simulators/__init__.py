"""Machines that do not exist: deterministic, faulty on demand, behind the wires of real ones."""
