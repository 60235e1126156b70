"""Figures of the groups of a mixture: the rows of the comparison table below the row of the whole run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from engine.columns import Columns, Int
from handoff.protocol.setup import ProcedureGroups
from handoff.simulation.handoff_metrics import PacketMetrics
from handoff.simulation.result import ATTACK_FIGURES, Row, RunResult

SHARED_FIGURES = (
    "extra_bytes", "extra_air_bytes", "extra_core_bytes", "simultaneous_bindings", "signalling_messages",
    "signalling_bytes", "tunnel_bytes", "binding_seconds", "bindings_peak", "held_byte_seconds", "held_peak_bytes",
    *ATTACK_FIGURES,
)  # fmt: skip
"""Figures that only the whole run has: the groups share links and anchors, whose counters do not tell mobile nodes apart."""
_FROM_HISTOGRAM = ("delay_p50_ps", "delay_p95_ps", "delay_p99_ps", "delay_resolution")
"""Figures that a run without a record of packets takes from the delays of all flows together."""


def group_rows(
    run: RunResult, groups: ProcedureGroups, mobile_of_flow: Int, agent_messages: Sequence[int]
) -> tuple[Row, ...]:
    """Return the summary of each group: of the handoffs and flows of its mobile nodes.

    Parameters
    ----------
    run : RunResult
        Result of a mixture, or of one of its windows.
    groups : ProcedureGroups
        Group of each mobile node.
    mobile_of_flow : ndarray of int64
        Mobile node of each flow (``handoff.simulation.handoff_metrics.FlowMobiles``).
    agent_messages : sequence of int
        Number of messages of each group that agents received in the window.

    Returns
    -------
    tuple of dict
        As ``RunResult.summary`` returns it, with the procedure of the group, the number of its mobile nodes (``mobile_nodes``),
        the number of their messages that routers and anchors received (``agent_messages``), and None for each of
        ``SHARED_FIGURES``. Quantiles of the delay are there if the run kept a record of packets.
    """
    rows = (_group_row(run, groups, mobile_of_flow, i) for i in range(len(groups.procedures)))
    return tuple(row | {"agent_messages": messages} for row, messages in zip(rows, agent_messages, strict=True))


def _group_row(run: RunResult, groups: ProcedureGroups, mobile_of_flow: Int, number: int) -> Row:
    in_flows = groups.group[mobile_of_flow] == number
    in_handoffs = groups.group[run.handoffs["mobile"]] == number

    def select(columns: Columns, rows: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Columns:
        return {name: values[rows] for name, values in columns.items()}

    detail = None
    if run.detail is not None:
        study = {name: values[number : number + 1] for name, values in run.detail.groups.items()}
        detail = PacketMetrics(select(run.detail.flows, in_flows), study, {})
    result = replace(run.result, flows=select(run.result.flows, in_flows))
    handoffs = select(run.handoffs, in_handoffs)
    part = replace(run, procedure=groups.procedures[number], result=result, handoffs=handoffs, detail=detail, extra=None)
    row = part.summary() | dict.fromkeys(SHARED_FIGURES)
    if detail is None:
        row |= dict.fromkeys(_FROM_HISTOGRAM)
    return row | {"mobile_nodes": int((groups.group == number).sum())}
