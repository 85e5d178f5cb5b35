"""The command ``fabcommons``: the one place that knows every room of the house."""
