"""Months of a shop floor in minutes: one story of needs and mishaps, told under each policy."""
