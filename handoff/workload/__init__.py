"""Captures as traffic: which packets, who replays them, when. docs/replay.md is exact about it."""
