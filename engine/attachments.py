"""Validation of the attachments of mobiles to cells."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.columns import Columns, sort_columns


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
    clash = (m[1:] == m[:-1]) & (c[1:] == c[:-1]) & (u[1:] <= d[:-1])
    return problems + [
        f"mobile {mobile_name(int(m[i]))!r} is attached to {cell_names[int(c[i])]!r} twice at {int(u[i + 1])} ps: "
        "join the two attachments"
        for i in np.flatnonzero(clash)[:20]
    ]
