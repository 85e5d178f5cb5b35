"""Allocation: scarce things shared among needs; never an assignment of machines."""
