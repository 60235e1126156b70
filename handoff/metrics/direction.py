"""Which values of a measure are better."""

from __future__ import annotations

from typing import Literal

Better = Literal["lower", "higher", ""]

_HIGHER = ("delivered", "seamless", "completed_ratio", "scenario_1_ratio", "mos", "attack_refused")
_LOWER = (
    "lost", "loss_", "disruption_", "duplicate", "reorder", "after_marker", "delay_", "unfinished_ratio", "latency_",
    "registration_delay_", "retransmissions", "extra_", "signalling_", "tunnel_bytes", "attack_accepted",
    "attack_service_seconds", "amplification", "diverted", "legitimate_", "ipdv_", "pdv_", "jitter_", "registration_wait",
    "registration_dropped", "forwarding_wait", "forwarding_dropped", "dropped", "error_ratio", "detached",
)  # fmt: skip
"""Beginnings of names. All other measures describe a load or a size, as ``handoffs`` or ``utilisation`` do."""


def better_values(measure: str) -> Better:
    """Return which values of a measure are better; empty if neither lower nor higher ones are.

    Parameters
    ----------
    measure : str
        Name in ``handoff.metrics.catalogue``; the name of a node or link before a dot does not matter.
    """
    name = measure.rpartition(".")[2]
    return "higher" if name.startswith(_HIGHER) else "lower" if name.startswith(_LOWER) else ""
