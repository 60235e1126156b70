"""Handoff procedures as data, and access to them by name."""

from collections.abc import Sequence

from engine.similar_names import name_hint
from handoff.protocol.procedures import mipv4, mipv6
from handoff.protocol.procedures.steps import EVENTS, Procedure, Step

_ALL = (*mipv4.CONVENTIONAL, *mipv6.CONVENTIONAL, *mipv4.SYNCHRONIZED, *mipv6.SYNCHRONIZED, *mipv6.EXTENSIONS, *mipv6.PROXY)
MAX_SUGGESTIONS = 3
"""Number of names that an error message suggests."""
_AFTER_FIGURES = 99  # the seed ends with figure 52B


def _first_figure(procedure: Procedure) -> int:
    return int(procedure.figures.partition("A")[0] or _AFTER_FIGURES)


PROCEDURES = {procedure.name: procedure for procedure in sorted(_ALL, key=_first_figure)}
"""All procedures by name, in the order of the seed's figures: conventional ones first, those of other documents last."""
MIXTURE = "mixture"
"""Name that stands for the procedures of several groups of mobile nodes in one run (``handoff.protocol.mixture``)."""


def parse_names(text: str) -> list[str]:
    """Split a comma-separated list of procedure names; ``all`` stands for all procedures."""
    return list(PROCEDURES) if text.strip() == "all" else [name.strip() for name in text.split(",")]


def name_errors(names: Sequence[str]) -> list[str]:
    """Return an error message for each unknown name and for each name that is listed twice; ``MIXTURE`` is a known name."""
    known = {*PROCEDURES, MIXTURE}
    errors = [
        f"no procedure {n!r}; {name_hint(n, PROCEDURES, count=MAX_SUGGESTIONS)}" for n in dict.fromkeys(names) if n not in known
    ]
    return errors + repeated_name_errors(names)


def repeated_name_errors(names: Sequence[str]) -> list[str]:
    """Return an error message for each name that is listed twice."""
    return [f"procedure {n!r} is listed twice: name each once" for n in dict.fromkeys(names) if names.count(n) > 1]


def find_procedure(name: str) -> Procedure:
    """Return the procedure with a name.

    Raises
    ------
    ValueError
        If there is no such procedure.
    """
    if errors := name_errors([name]):
        raise ValueError(errors[0])
    if name == MIXTURE:
        raise ValueError(f"{name!r} stands for several procedures: name one of them")
    return PROCEDURES[name]


__all__ = [
    "EVENTS", "MIXTURE", "PROCEDURES", "Procedure", "Step", "find_procedure", "name_errors", "parse_names",
    "repeated_name_errors",
]  # fmt: skip
