"""The engine with one rule broken: each must be caught by the comparison with the oracle (see mutation.py).

Each is one replacement of text in one file of engine/; the text must stand there exactly once.
"""

from __future__ import annotations

from tests.oracle.oracle_mutants import Mutant

ENGINE_MUTANTS = (
    Mutant("keys read big-endian", "keys.py", '"little")', '"big")'),
    Mutant("SplitMix64 shifts by 26", "keys.py", "(x >> 27)", "(x >> 26)"),
)
IN_EVERY_RUN = 1  # so many from the front of the list, also without --mutants
