"""Metrics of flows and handoffs by their standard names, from the records of packet copies."""

from handoff.metrics.packet_metrics import flow_metrics, group_metrics
from handoff.metrics.voice import CODECS, mos, r_factor, voice_metrics

__all__ = ["CODECS", "flow_metrics", "group_metrics", "mos", "r_factor", "voice_metrics"]
