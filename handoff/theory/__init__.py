"""Closed forms beside the simulation: queues, handoffs, and what they say of a scenario (docs/theory.md)."""

from handoff.theory.estimate import Comparison, Estimate, compare, estimate, max_mobile_nodes

__all__ = ["Comparison", "Estimate", "compare", "estimate", "max_mobile_nodes"]
