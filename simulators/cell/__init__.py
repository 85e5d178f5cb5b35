"""A robotic assembly cell that does not exist: an OPC UA server offering ISA-95 job control.

``core`` is the cell itself, stepped by a clock handed in; ``faults`` reads what shall go wrong;
``files`` keeps the job list and the truth; ``model`` builds the address space from the official
NodeSets; ``server`` joins them. Run it with ``python -m simulators cell`` or ``python -m
simulators.cell``.
"""


def main(argv: list[str]) -> int:
    """Run the command line of the cell; asyncua is imported only now."""
    from simulators.cell.__main__ import main as run

    return run(argv)
