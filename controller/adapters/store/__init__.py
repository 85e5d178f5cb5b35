"""The store: SQLAlchemy Core in here, plain values out of here."""

from controller.adapters.store.dialects import StoreUnreachable
from controller.adapters.store.engine import Store
from controller.adapters.store.schema import SchemaMismatch
from controller.adapters.store.tx import Tx

__all__ = ["SchemaMismatch", "Store", "StoreUnreachable", "Tx"]
