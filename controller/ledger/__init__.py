"""The ledger: append-only economic events after ValueFlows, balances derived and conserved."""
