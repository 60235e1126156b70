"""Mobile IP: procedures compiled to programs, agents at nodes, mobile nodes, their binding caches, visitor lists and messages."""

from pathlib import Path

from handoff.protocol.compiled import compiled_path

COMPILED_PATH = compiled_path(Path(__file__).parent)
"""Folder of the compiled copies of modules that this process imports; empty if it imports the sources."""
__path__[:0] = COMPILED_PATH
