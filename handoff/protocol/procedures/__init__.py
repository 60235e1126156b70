"""The procedures, as rows of data for the one machine in ``handoff.protocol``."""

from collections.abc import Sequence

from handoff.protocol.procedures import mipv4, mipv6
from handoff.protocol.procedures.steps import EVENTS, Procedure, Step

_ROWS = (*mipv4.CONVENTIONAL, *mipv6.CONVENTIONAL, *mipv4.SYNCHRONIZED, *mipv6.SYNCHRONIZED, *mipv6.BEYOND)

PROCEDURES = {row.name: row for row in sorted(_ROWS, key=lambda row: int(row.figures.partition("A")[0] or 99))}
"""All procedures by name, in the order of the seed's figures: conventional ones first; those of other documents last."""


def parse_names(text: str) -> list[str]:
    """Names of procedures with commas between them, as a command line has them; ``all`` is all."""
    return list(PROCEDURES) if text.strip() == "all" else [name.strip() for name in text.split(",")]


def name_errors(names: Sequence[str]) -> list[str]:
    """What is wrong with names of procedures: there is none of the name, or one stands twice."""
    wrong = [f"no procedure {n!r}; there are {', '.join(PROCEDURES)}" for n in dict.fromkeys(names) if n not in PROCEDURES]
    return wrong + [f"procedure {n!r} stands twice: name each once" for n in dict.fromkeys(names) if names.count(n) > 1]


__all__ = ["EVENTS", "PROCEDURES", "Procedure", "Step", "name_errors", "parse_names"]
