"""Workload of a scenario: its network, its attachments and the traffic of its captures (docs/replay.md)."""
