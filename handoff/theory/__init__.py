"""Closed forms of queues and handoffs, and their comparison with simulated runs (docs/theory.md)."""

from handoff.theory.estimate import Comparison, Estimate, compare, estimate, max_mobile_nodes

__all__ = ["Comparison", "Estimate", "compare", "estimate", "max_mobile_nodes"]
