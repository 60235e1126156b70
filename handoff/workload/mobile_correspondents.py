"""Correspondents that are mobile nodes: which one each mobile node has, by the key ``mobile_correspondent``."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.columns import Int
from engine.rng import PURPOSE_USER, RandomStreams
from handoff.scenario.traffic import Pairing
from handoff.workload.flow_assignment import unknown_names

PURPOSE_CORRESPONDENT = PURPOSE_USER + 7
"""Draws of a random correspondent."""


def choose_correspondents(pairing: Pairing, mobile_names: list[str], mobile_keys: npt.NDArray[np.uint64], seed: int) -> Int:
    """Return the index of the mobile node that is the correspondent of each mobile node; -1 if it has none.

    Parameters
    ----------
    pairing : str or dict of str to str
        ``"ring"`` (the next mobile node, and the first one for the last), ``"random"`` (uniformly one of the others), the name of
        the correspondent of all others, or the correspondent of each mobile node in a table.
    mobile_names : list of str
        Names of the mobile nodes, by index.
    mobile_keys : ndarray of uint64, shape (mobiles,)
        Keys of the mobile nodes.
    seed : int
        Seed of the random correspondents.

    Raises
    ------
    ValueError
        If there is only one mobile node, or a name is unknown.
    """
    count = len(mobile_names)
    if count < 2:
        raise ValueError("mobile_correspondent: there is only one mobile node: add another one, or leave the key out")
    everyone = np.arange(count)
    if pairing == "ring":
        return (everyone + 1) % count
    if pairing == "random":
        others = RandomStreams(seed, PURPOSE_CORRESPONDENT, mobile_keys).uniform_all(count - 1)
        return others + (others >= everyone)
    index = {name: i for i, name in enumerate(mobile_names)}
    names = [pairing] if isinstance(pairing, str) else [*pairing, *pairing.values()]
    if unknown := unknown_names("mobile node", dict.fromkeys(names), index):
        raise ValueError("mobile_correspondent: " + "; ".join(unknown))
    if isinstance(pairing, str):
        return np.where(everyone == index[pairing], -1, index[pairing])
    correspondents = np.full(count, -1)
    for mobile, correspondent in pairing.items():
        correspondents[index[mobile]] = index[correspondent]
    return correspondents
