"""The store: tables, rooms of queries, and transactions."""

from controller.adapters.store.engine import SchemaMismatch, Store
from controller.adapters.store.tx import Tx

__all__ = ["SchemaMismatch", "Store", "Tx"]
