"""Handoff procedures as data, and access to them by name."""

from collections.abc import Sequence

from engine.similar_names import name_hint
from handoff.protocol.procedures import cellular, fast_handovers, mipv4, mipv6
from handoff.protocol.procedures.steps import EVENTS, Procedure, Step

_ALL = (*mipv4.CONVENTIONAL, *mipv6.CONVENTIONAL, *mipv4.SYNCHRONIZED, *mipv6.SYNCHRONIZED, *mipv6.EXTENSIONS, *mipv6.PROXY)
MAX_SUGGESTIONS = 3
"""Number of names that an error message suggests."""
_AFTER_FIGURES = 99  # the seed ends with figure 52B


def _first_figure(procedure: Procedure) -> int:
    return int(procedure.figures.partition("A")[0] or _AFTER_FIGURES)


PROCEDURES = {procedure.name: procedure for procedure in sorted(_ALL, key=_first_figure)}
"""Procedures of Mobile IP by name, in the order of the seed's figures: conventional ones first, other documents last."""
HANDOVERS = {procedure.name: procedure for procedure in (*cellular.CELLULAR, *fast_handovers.FAST)}
"""Handovers of LTE and 5G, and fast handovers of the IETF, by name: procedures whose old router prepares the move."""
ALL_PROCEDURES = PROCEDURES | HANDOVERS
SETS = {
    "mobile-ip": tuple(PROCEDURES),
    "lte": tuple(p.name for p in cellular.CELLULAR if p.family == "lte"),
    "5g": tuple(p.name for p in cellular.CELLULAR if p.family == "5g"),
    "fast": tuple(p.name for p in fast_handovers.FAST),
    "all": tuple(ALL_PROCEDURES),
}
"""Words that stand for several procedures."""
MIXTURE = "mixture"
"""Name that stands for the procedures of several groups of mobile nodes in one run (``handoff.protocol.mixture``)."""


def parse_names(text: str) -> list[str]:
    """Split a comma-separated list of procedure names and of words of ``SETS``."""
    return [name for word in text.split(",") for name in SETS.get(word.strip(), (word.strip(),))]


def name_errors(names: Sequence[str]) -> list[str]:
    """Return an error message for each unknown name and for each name that is listed twice; ``MIXTURE`` is a known name."""
    known = {*ALL_PROCEDURES, MIXTURE}
    errors = [
        f"no procedure {n!r}; {name_hint(n, ALL_PROCEDURES, count=MAX_SUGGESTIONS)}"
        for n in dict.fromkeys(names)
        if n not in known
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
    return ALL_PROCEDURES[name]


__all__ = [
    "ALL_PROCEDURES", "EVENTS", "HANDOVERS", "MIXTURE", "PROCEDURES", "SETS", "Procedure", "Step",
    "find_procedure",
    "name_errors", "parse_names",
    "repeated_name_errors",
]  # fmt: skip
