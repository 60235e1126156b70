"""Ladder diagrams: one handoff as a sequence diagram."""
