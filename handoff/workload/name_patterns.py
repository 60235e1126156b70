"""Mobile nodes that a pattern of names matches."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

import numpy as np
import numpy.typing as npt


def match_names(pattern: str, names: Sequence[str], place: str, problems: list[str]) -> npt.NDArray[np.bool_]:
    """Return which mobile nodes a pattern matches, or add to ``problems`` if it matches none.

    Parameters
    ----------
    pattern : str
        Name with ``*``, ``?`` and ``[…]`` as in a shell.
    names : sequence of str
        Names of the mobile nodes.
    place : str
        Place of the pattern, for the message.
    problems : list of str
        Receives the problem.
    """
    matches = np.array([fnmatchcase(name, pattern) for name in names], bool)
    if not matches.any():
        problems.append(f"{place}: no mobile node matches {pattern!r}; there are {names[0]} to {names[-1]}")
    return matches
