"""Assignment of flows to the mobile nodes that replay them: round robin, by hash, or by the scenario's table."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from engine.rng import combine_array, name_key
from engine.similar_names import name_hint
from handoff.scenario.traffic import Traffic

MAX_NAMES_LISTED = 20
"""Names in an error message that lists the valid ones."""


def assign_flows(
    flow_names: list[str], mobile_names: list[str], mobile_keys: npt.NDArray[np.uint64], traffic: Traffic
) -> list[list[int]]:
    """Return for each flow the indices of the mobile nodes that replay it.

    Parameters
    ----------
    flow_names : list of str
        Names of the flows, by time of first packet.
    mobile_names : list of str
        Names of the mobile nodes, by index.
    mobile_keys : ndarray of uint64, shape (mobiles,)
        Keys of the mobile nodes.
    traffic : Traffic
        ``[[traffic]]`` table with the kind of assignment.

    Raises
    ------
    ValueError
        If the table names an unknown mobile node or flow, or a mobile node is to replay more flows than there are.
    """
    if traffic.table is not None:
        return assign_by_table(flow_names, mobile_names, traffic.table)
    if traffic.assign == "hash":
        return assign_by_hash(flow_names, mobile_keys)
    return assign_round_robin(len(flow_names), len(mobile_names), traffic.flows_per_mobile)


def assign_round_robin(flows: int, mobiles: int, flows_per_mobile: int | None) -> list[list[int]]:
    """Assign the flows (i k + j) mod F, j = 0 … k - 1, to mobile node i; k is ``flows_per_mobile``, or F if that is None."""
    k = flows if flows_per_mobile is None else flows_per_mobile
    if k > flows:
        raise ValueError(f"flows_per_mobile is {k}, but there are {flows} flows")
    mobiles_of_flow: list[list[int]] = [[] for _ in range(flows)]
    for i in range(mobiles):
        for j in range(k):
            mobiles_of_flow[(i * k + j) % flows].append(i)
    return mobiles_of_flow


def assign_by_hash(flow_names: list[str], mobile_keys: npt.NDArray[np.uint64]) -> list[list[int]]:
    """Assign each flow to the mobile node with the greatest mix2(key of the flow, key of the mobile node).

    This is rendezvous hashing (Thaler and Ravishankar 1998): another mobile node takes some flows and moves no others.
    """
    by_key = np.argsort(mobile_keys)  # the smallest key wins a tie
    return [[int(by_key[np.argmax(combine_array(name_key(name), mobile_keys[by_key]))])] for name in flow_names]


def assign_by_table(flow_names: list[str], mobile_names: list[str], table: dict[str, list[str]]) -> list[list[int]]:
    """Assign the flows that ``table`` lists under a mobile node's name to that mobile node."""
    mobile_index, flow_index = ({name: i for i, name in enumerate(names)} for names in (mobile_names, flow_names))
    table_flows = dict.fromkeys(flow for flows in table.values() for flow in flows)
    problems = [*unknown_names("mobile node", table, mobile_index), *unknown_names("flow", table_flows, flow_index)]
    if problems:
        raise ValueError("table: " + "; ".join(problems))
    mobiles_of_flow: list[list[int]] = [[] for _ in flow_names]
    for mobile, flows in table.items():
        for flow in flows:
            mobiles_of_flow[flow_index[flow]].append(mobile_index[mobile])
    return mobiles_of_flow


def unknown_names(kind: str, names: Iterable[str], valid: dict[str, int]) -> list[str]:
    """Return a problem for each name that is not valid, with the nearest valid one."""
    problems = []
    for name in names:
        if name not in valid:
            listed = f"there are {', '.join(map(repr, [*valid][:MAX_NAMES_LISTED]))}"
            problems.append(f"no {kind} {name!r}; {name_hint(name, valid, listed)}")
    return problems
