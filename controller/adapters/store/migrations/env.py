"""Runs migrations on the connection handed over; the transaction is the caller's."""

from alembic import context

from controller.adapters.store import tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables.metadata,
    render_as_batch=True,
)
context.run_migrations()
