"""Replay of captures: their flows, the mobile nodes that replay them, and how much of them a run sends."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import handoff_traces
from engine import Network
from handoff.scenario.traffic import Traffic
from handoff.workload.conversation import add_replay, load_conversations
from handoff.workload.flow_assignment import assign_flows
from handoff.workload.flow_ends import FlowEnds
from handoff.workload.replay_amount import measure_amount


def replay_captures(
    network: Network, ends: FlowEnds, captures: Sequence[handoff_traces.CompiledCapture], traffic: Traffic,
    mobile_names: list[str], *, seed: int, duration_ps: int,
) -> tuple[str, list[str]]:  # fmt: skip
    """Add the flows of captures to a network, each for the mobile nodes in ``ends`` it is assigned to.

    Return their amount in words, and warnings.

    Without mobile nodes the captures are only checked.

    Raises
    ------
    ValueError
        If no packet is left to replay, or the assignment does not fit the flows and mobile nodes.
    """
    conversations, amount = load_conversations(captures, traffic)
    if not mobile_names:
        return f"{amount} are replayed", []
    names = [mobile_names[m] for m in ends.mobiles.tolist()]
    assigned = assign_flows([c.name for c in conversations], names, network.mobile_keys()[ends.mobiles], traffic)
    times = add_replay(network, ends, assigned, conversations, seed=seed, traffic=traffic)
    windows = [int((np.minimum(stops, duration_ps) - starts).max(initial=0)) for starts, stops in times]
    within, warnings = measure_amount(conversations, windows, duration_ps).remarks(traffic.loop)
    return f"{amount} are replayed; {within}", warnings
