"""Detailed scheduling: operations of many jobs on many machines in time (ISA-95)."""
