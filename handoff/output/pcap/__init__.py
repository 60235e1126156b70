"""Captures of simulated packets as they would look on the wire (docs/export.md)."""
