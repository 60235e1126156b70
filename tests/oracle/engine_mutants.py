"""The engine with one rule broken: each must be caught by the comparison with the oracle (see mutation.py).

Each is one replacement of text in one file of engine/; the text must stand there exactly once.
"""

from __future__ import annotations

from tests.oracle.oracle_mutants import Mutant

ENGINE_MUTANTS = (
    Mutant("keys read big-endian", "keys.py", '"little")', '"big")'),
    Mutant("SplitMix64 shifts by 26", "keys.py", "(x >> 27)", "(x >> 26)"),
    # windows and units
    Mutant("window x 1.5", "plan.py", "for i in order], window, feeds", "for i in order], window * 3 // 2, feeds"),
    Mutant("no uplinks in the window's cycles", "plan.py", "        if uplinks:\n", "        if False:\n"),
    Mutant("service time doubled in the window", "plan.py", "(front[i], i, n.service_ps)", "(front[i], i, 2 * n.service_ps)"),
    Mutant("units without order", "plan.py", "        if d not in after[s]:\n", "        if False:\n"),
    # ways
    Mutant("hops do not matter", "plan.py", "(link.channel.delay_ps << 20) + 1", "(link.channel.delay_ps << 20)"),
    Mutant(
        "largest link key", "plan.py", "key=lambda i: key(network.links[i].name))", "key=lambda i: -key(network.links[i].name))"
    ),
    # draws
    Mutant("logarithms rounded down", "plan.py", "(total + (1 << 39)) >> 40", "total >> 40"),
)
IN_EVERY_RUN = 1  # so many from the front of the list, also without --mutants
