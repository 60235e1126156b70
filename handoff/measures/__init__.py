"""Scalars of a run by name, and how sure they are."""
