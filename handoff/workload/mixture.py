"""Choice of the mobile nodes of each group of a mixture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.columns import Int, distinct
from engine.rng import PURPOSE_USER, RandomStreams
from handoff.protocol.setup import ProcedureGroups
from handoff.scenario.mixture import WHOLE, MixtureGroup
from handoff.workload.name_patterns import match_names

PURPOSE_GROUP = PURPOSE_USER + 6
"""Draws that put the mobile nodes into the order in which groups take their shares."""
_DRAW_LIMIT = 2**62
_NO_GROUP = -1


def choose_groups(
    groups: Sequence[MixtureGroup], names: Sequence[str], keys: np.ndarray[tuple[int], np.dtype[np.uint64]], seed: int,
    problems: list[str],
) -> ProcedureGroups | None:  # fmt: skip
    """Assign each mobile node to a group, or add to ``problems``.

    A group with patterns has the mobile nodes that they match. The others are put into a random order, in which each group with a
    share takes its part; the remaining ones belong to the group without a share. The order depends on the seed and the names of
    the mobile nodes alone. A larger share of the first group therefore only adds mobile nodes to it.

    Parameters
    ----------
    groups : sequence of MixtureGroup
        Groups of the scenario.
    names : sequence of str
        Names of the mobile nodes.
    keys : ndarray of uint64
        Random keys of the mobile nodes.
    seed : int
        Seed of the run.
    problems : list of str
        Receives the problems.

    Returns
    -------
    ProcedureGroups or None
        None if there are no groups or there is a problem.
    """
    group = np.full(len(names), _NO_GROUP, np.int64)
    found: list[str] = []
    for i, members in enumerate(groups):
        for pattern in members.mobiles or ():
            matches = match_names(pattern, names, f"mixture.{i}", found)
            for other in distinct(group[matches & (group != _NO_GROUP) & (group != i)]).tolist():
                name = names[int(np.flatnonzero(matches & (group == other))[0])]
                found.append(f"mixture.{i}: {name} is also in mixture.{other}: a mobile node has one group")
            group[matches & (group == _NO_GROUP)] = i
    free = np.flatnonzero(group == _NO_GROUP)
    group[free] = _share(groups, keys[free], seed)
    if groups and (left := np.flatnonzero(group == _NO_GROUP)).size:
        others = f" and {left.size - 1:,} others" if left.size > 1 else ""
        found.append(f"mixture: {names[int(left[0])]}{others} have no group: add a group without 'share' and 'mobiles' for them")
    problems += found
    return ProcedureGroups(tuple(members.procedure for members in groups), group) if groups and not found else None


def _share(groups: Sequence[MixtureGroup], keys: np.ndarray[tuple[int], np.dtype[np.uint64]], seed: int) -> Int:
    """Return the group of each mobile node that no pattern names; -1 where there is none."""
    order = np.lexsort((keys, RandomStreams(seed, PURPOSE_GROUP, keys).uniform_all(_DRAW_LIMIT)))
    rest = next((i for i, members in enumerate(groups) if members.is_rest), _NO_GROUP)
    group = np.full(len(keys), rest, np.int64)
    taken = 0
    for i, members in enumerate(groups):
        if members.share is not None:
            first, taken = taken, taken + members.share
            begin, end = ((2 * bound * len(keys) + WHOLE) // (2 * WHOLE) for bound in (first, taken))  # rounded
            group[order[begin:end]] = i
    return group
