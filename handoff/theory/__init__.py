"""Closed forms beside the simulation: queues, handoffs, and what they say of a scenario (docs/theory.md)."""

from handoff.theory.estimate import Beside, Estimate, beside, capacity, estimate

__all__ = ["Beside", "Estimate", "beside", "capacity", "estimate"]
