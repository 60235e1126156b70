"""Metrics of flows and handoffs by their standard names, computed from the records of packet copies."""

from handoff.metrics.packet_metrics import group_metrics
from handoff.metrics.voice import CODECS, mos, r_factor, voice_metrics

__all__ = ["CODECS", "group_metrics", "mos", "r_factor", "voice_metrics"]
