"""Which mobile node replays which flow."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from engine.rng import combine_array, name_key
from handoff.scenario.traffic import Traffic


def assign_flows(flows: list[str], names: list[str], mobile_keys: npt.NDArray[np.uint64], traffic: Traffic) -> list[list[int]]:
    """Numbers of the mobile nodes that replay each of the flows.

    Parameters
    ----------
    flows, names : list of str
        Names of the flows, and of the mobile nodes.
    mobile_keys : ndarray of uint64
        Keys of the mobile nodes.
    traffic : Traffic
        How they are assigned.

    Raises
    ------
    ValueError
        If the table names what is not there, or more flows are wanted than there are.
    """
    if traffic.table is not None:
        return by_table(flows, names, traffic.table)
    if traffic.assign == "hash":
        return by_hash(flows, mobile_keys)
    return round_robin(len(flows), len(names), traffic.flows_per_mobile)


def round_robin(flows: int, mobiles: int, each: int | str) -> list[list[int]]:
    """Mobile node i replays the flows (i k + j) mod F, j = 0 … k - 1."""
    k = flows if isinstance(each, str) else each
    if k > flows:
        raise ValueError(f"flows_per_mobile is {k}, but there are {flows} flows")
    who: list[list[int]] = [[] for _ in range(flows)]
    for i in range(mobiles):
        for j in range(k):
            who[(i * k + j) % flows].append(i)
    return who


def by_hash(flows: list[str], mobile_keys: npt.NDArray[np.uint64]) -> list[list[int]]:
    """Each flow to the mobile node of the greatest mix2(flow's key, its key): rendezvous hashing (Thaler, Ravishankar 1998)."""
    by_key = np.argsort(mobile_keys)  # the smallest key wins a tie
    return [[int(by_key[np.argmax(combine_array(name_key(name), mobile_keys[by_key]))])] for name in flows]


def by_table(flows: list[str], names: list[str], table: dict[str, list[str]]) -> list[list[int]]:
    """As the scenario lists them."""
    index, row = ({name: i for i, name in enumerate(known)} for known in (names, flows))
    wanted = dict.fromkeys(flow for chosen in table.values() for flow in chosen)
    found = [*_unknown("mobile node", table, index), *_unknown("flow", wanted, row)]
    if found:
        raise ValueError("table: " + "; ".join(found))
    who: list[list[int]] = [[] for _ in flows]
    for name, chosen in table.items():
        for flow in chosen:
            who[row[flow]].append(index[name])
    return who


def _unknown(what: str, wanted: Iterable[str], known: dict[str, int]) -> list[str]:
    found = []
    for name in wanted:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            told = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(map(repr, [*known][:20]))}"
            found.append(f"no {what} {name!r}; {told}")
    return found
