"""Validation of the attachments of mobiles to cells."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.columns import Columns, Int, sort_columns

MAX_ATTACHMENTS = 255
"""Largest number of attachments of one mobile at once: they are counted in 8 bits."""


def attachment_problems(a: Columns, mobile_name: Callable[[int], str], cell_names: list[str]) -> list[str]:
    """Return why attachments are not valid.

    Parameters
    ----------
    a : dict of str to ndarray
        Columns mobile, cell, up, down, sorted by mobile.
    mobile_name : callable
        Returns the name of a mobile.
    cell_names : list of str
        Name of the node of each cell.
    """
    problems = []
    if (a["up"] < 0).any() or (a["down"] < a["up"]).any():
        problems.append("an attachment goes down before it is up, or is up before time 0")
    same = a["mobile"][1:] == a["mobile"][:-1]
    several = np.append(same, False) | np.append(False, same) if len(a["mobile"]) else same
    some = sort_columns({f: v[several] for f, v in a.items()}, ("mobile", "cell", "up"))
    m, c, u, d = (some[f] for f in ("mobile", "cell", "up", "down"))
    problems += _crowds(m, u, d, mobile_name)
    clash = (m[1:] == m[:-1]) & (c[1:] == c[:-1]) & (u[1:] <= d[:-1])
    return problems + [
        f"mobile {mobile_name(int(m[i]))!r} is attached to {cell_names[int(c[i])]!r} twice at {int(u[i + 1])} ps: "
        "join the two attachments"
        for i in np.flatnonzero(clash)[:20]
    ]


def _crowds(mobile: Int, up: Int, down: Int, mobile_name: Callable[[int], str]) -> list[str]:
    """Return which mobiles have more than ``MAX_ATTACHMENTS`` at once; ``mobile`` is sorted."""
    many = np.bincount(mobile)[mobile] > MAX_ATTACHMENTS if len(mobile) else np.zeros(0, bool)
    who, t = np.tile(mobile[many], 2), np.concatenate([up[many], down[many]])
    step = np.repeat([1, -1], len(t) // 2)
    order = np.lexsort((-step, t, who))  # an attachment lasts up to and including its end
    who, t, present = who[order], t[order], np.cumsum(step[order])
    above = np.flatnonzero(present > MAX_ATTACHMENTS)
    first = above[np.unique(who[above], return_index=True)[1]][:20]
    return [
        f"mobile {mobile_name(int(who[i]))!r} has more than {MAX_ATTACHMENTS} attachments at once at {int(t[i])} ps: "
        "leave some of them out"
        for i in first
    ]
