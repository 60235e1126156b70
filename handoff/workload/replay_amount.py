"""How many packets of captures a run sends, and flows that fall silent in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from handoff.workload.conversation import Conversation
from handoff.workload.flow import PacketSegment

_PS_PER_NS = 1000
_UNITS_S = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))


LONGEST_PAUSE_PS = 600 * 10**12
"""A longer silence of a flow may come from a wrong time stamp. Web sessions pause for minutes."""


@dataclass(frozen=True)
class ReplayAmount:
    """Amount of one ``[[traffic]]`` table.

    Attributes
    ----------
    within : int
        Number of packets of the captures that are sent at least once in the run.
    selected : int
        Number of packets that the table selects.
    silent_flows : int
        Number of flows that have no packet for at least ``LONGEST_PAUSE_PS`` and the length of the run, and reach that gap in it.
    longest_gap_ps : int
        Longest of these gaps.
    first_silent : str
        Name of the first of these flows.
    """

    within: int
    selected: int
    silent_flows: int = 0
    longest_gap_ps: int = 0
    first_silent: str = ""

    def remarks(self, loop: bool) -> tuple[str, list[str]]:
        """Return the amount in words, and warnings: of the silence of flows."""
        warnings = []
        if self.silent_flows:
            flows = f"the flow {self.first_silent}" if self.silent_flows == 1 else f"{self.silent_flows:,} flows"
            verb = "would be" if not loop else "is" if self.silent_flows == 1 else "are"
            cause = "if a time stamp of the capture is wrong, leave it out with 'clip'"
            warnings.append(f"with loop, {flows} {verb} silent for {format_gap(self.longest_gap_ps)}: {cause}")
        return f"{self.within:,} of {self.selected:,} within the run", warnings


def format_gap(gap_ps: int) -> str:
    """Format a time in its two largest units, as in ``18 h 12 min``, rounded down."""
    seconds = gap_ps // 10**12
    parts: list[str] = []
    for unit, size in _UNITS_S:
        if seconds >= size or parts or unit == "s":
            parts.append(f"{seconds // size} {unit}")
            seconds %= size
    return " ".join(parts[:2])


def measure_amount(conversations: Sequence[Conversation], windows_ps: Sequence[int], duration_ps: int) -> ReplayAmount:
    """Return how much of the conversations a run sends.

    Parameters
    ----------
    conversations : sequence of Conversation
        The flows as they are replayed.
    windows_ps : sequence of int
        For each conversation, the longest time that a mobile node replays it; 0 if none does.
    duration_ps : int
        Length of the run.
    """
    within, selected, gaps = 0, 0, []
    longest_ps = max(duration_ps, LONGEST_PAUSE_PS)
    for conversation, window_ps in zip(conversations, windows_ps, strict=True):
        segments = [segment for segment in (conversation.down, conversation.up) if segment is not None]
        limit_ns = _ns_before(conversation, window_ps)
        ends = [_count_before(segment, conversation.origin_ns, limit_ns) for segment in segments]
        within += sum(ends)
        selected += sum(map(len, segments))
        if window_ps > 0 and (gap_ps := _gap_at_end(conversation, segments, ends)) >= longest_ps:
            gaps.append((gap_ps, conversation.name))
    if not gaps:
        return ReplayAmount(within, selected)
    return ReplayAmount(within, selected, len(gaps), max(gap for gap, _ in gaps), gaps[0][1])


def _ns_before(conversation: Conversation, window_ps: int) -> int:
    """Return the least time after the origin, in ns of the capture, that is sent at ``window_ps`` or later."""
    factor = _PS_PER_NS * conversation.pace
    # floor(t * factor) < window if and only if t * factor < window, because the window is an integer
    return -(-window_ps * factor.denominator // factor.numerator)


def _count_before(segment: PacketSegment, origin_ns: int, limit_ns: int) -> int:
    clock = origin_ns + segment.clock_ns + limit_ns
    return len(segment) if clock >= 2**63 else int(np.searchsorted(segment.times, clock))


def _gap_at_end(conversation: Conversation, segments: Sequence[PacketSegment], ends: Sequence[int]) -> int:
    """Return the time in ps from the last packet in the run, or else from the origin, to the next packet; 0 if there is none."""
    later = [int(s.times[end]) - s.clock_ns for s, end in zip(segments, ends, strict=True) if end < len(s)]
    if not later:
        return 0
    earlier = [int(s.times[end - 1]) - s.clock_ns for s, end in zip(segments, ends, strict=True) if end]
    gap_ns = min(later) - max(earlier, default=conversation.origin_ns)
    return gap_ns * _PS_PER_NS * conversation.pace.numerator // conversation.pace.denominator
