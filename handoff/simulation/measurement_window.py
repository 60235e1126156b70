"""Measurement windows of a run: the time after the warm-up, and each of its batches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from engine import Engine, Result
from engine.columns import Columns
from engine.results import FLOW_COLUMNS, LINK_COLUMNS, NODE_COLUMNS, NODE_INTEGRALS

NON_ADDITIVE_COLUMNS = {
    "delay_max_ps", "gap_max_ps", "last_ps", "in_flight", "queued", "queued_bytes", "peak_packets", "peak_bytes",
    "forwarding_peak", "registration_peak", "forwarding_wait_max_ps", "registration_wait_max_ps", "entries_peak",
    "bindings_peak", "visitors_peak", "held_peak_packets", "held_peak_bytes",
}  # fmt: skip
"""Columns of a result that are not sums: states at the end of a window, and peaks and maxima since the start of the run."""


@dataclass(frozen=True)
class Snapshot:
    """Counters of a run at a time: all events before ``time_ps`` have happened, and none after.

    Attributes
    ----------
    time_ps : int
    result : engine.Result or None
        None at time 0, when nothing has been counted.
    simultaneous : int
        As in ``handoff.simulation.result.RunResult``.
    group_messages : tuple of int
        Messages that the agents have received from each group of a mixture.
    attack_counts : tuple of int
        Counts of attacks in the order of ``handoff.protocol.attacks.ATTACK_COUNTS``.
    """

    time_ps: int = 0
    result: Result | None = None
    simultaneous: int = 0
    group_messages: tuple[int, ...] = ()
    attack_counts: tuple[int, ...] = ()


class WindowRecorder:
    """Recorder of snapshots at the edges of the windows of a run, at which the run has to stop.

    Parameters
    ----------
    until_ps, warmup_ps : int
        End of the run and of its warm-up.
    batches : int
        Number of equal parts of the time between them. The last one is longer by the remainder of the division.
    simultaneous : callable
        Returns the present count of simultaneous bindings, for the snapshots.
    group_messages : callable
        Returns the present counts of messages by group, for the snapshots.
    attack_counts : callable
        Returns the present counts of attacks, for the snapshots.

    Attributes
    ----------
    edges : list of int
        Start of each batch, in ps; the first one is the end of the warm-up.
    snapshots : list of Snapshot
        Snapshots at the edges that the run has reached.

    Raises
    ------
    ValueError
        If there is no time for the batches.
    """

    def __init__(
        self, until_ps: int, warmup_ps: int, batches: int, simultaneous: Callable[[], int],
        group_messages: Callable[[], tuple[int, ...]] = tuple, attack_counts: Callable[[], tuple[int, ...]] = tuple,
    ) -> None:  # fmt: skip
        if not 0 <= warmup_ps < until_ps:
            raise ValueError(f"a warm-up of {warmup_ps} ps leaves nothing of a run of {until_ps} ps")
        if not 1 <= batches <= until_ps - warmup_ps:
            raise ValueError(f"{batches} batches of {until_ps - warmup_ps} ps: there is at least one, and of a picosecond")
        self.edges = [warmup_ps + (until_ps - warmup_ps) // batches * i for i in range(batches)]
        self.snapshots: list[Snapshot] = [] if warmup_ps else [Snapshot()]
        self._simultaneous, self._group_messages, self._attack_counts = simultaneous, group_messages, attack_counts

    def next_stop(self, time_ps: int) -> int:
        """Return ``time_ps``, or the next edge if it comes earlier: the run must not pass an edge."""
        next_edge = self.edges[len(self.snapshots) :][:1]
        return min([time_ps, *next_edge])

    def record(self, engine: Engine) -> None:
        """Take a snapshot if the run has stopped at the next edge."""
        if self.edges[len(self.snapshots) :][:1] == [engine.time_ps]:
            counters = replace(engine.result(), packets=None)  # the result at the end has the records of all packets
            counts = self._simultaneous(), self._group_messages(), self._attack_counts()
            self.snapshots.append(Snapshot(engine.time_ps, counters, *counts))

    def windows(self, end: Snapshot) -> list[tuple[Snapshot, Snapshot]]:
        """Return the edges of the whole time after the warm-up, then those of each complete batch.

        Parameters
        ----------
        end : Snapshot
            Snapshot at the end of the run.
        """
        start = self.snapshots[0] if self.snapshots else end
        if len(self.edges) == 1:
            return [(start, end)]
        complete = len(self.snapshots) == len(self.edges)
        return [(start, end), *pairwise([*self.snapshots, end] if complete else self.snapshots)]


def window_result(first: Snapshot, second: Snapshot, end: Result) -> Result:
    """Return the result of the window ``first.time_ps <= t < second.time_ps``.

    Columns that count events count those in the window; ``NON_ADDITIVE_COLUMNS`` have their value at its end. A packet that was
    sent before the window and delivered in it counts as delivered, but not as sent. Spans are those opened in the window, with
    everything that happened in them until the end of the run. Records of packets are those of copies that ended in the window
    and, if it lasts until the end of the run, of copies in flight then. The fingerprint is that of the run up to the end of the
    window.

    Parameters
    ----------
    first, second : Snapshot
        Snapshots at the edges of the window.
    end : engine.Result
        Result of the whole run.
    """
    assert second.result is not None
    after, before, begin_ps = second.result, first.result, first.time_ps
    opened = (end.spans["open_ps"] >= begin_ps) & (end.spans["open_ps"] < second.time_ps)
    packets = end.packets
    if packets is not None and (begin_ps or second.time_ps < end.until_ps):
        ended_ps, is_last = packets["time_ps"], second.time_ps == end.until_ps
        rows = (ended_ps >= begin_ps) & (ended_ps < second.time_ps) | (ended_ps < 0) & is_last
        packets = {name: values[rows] for name, values in packets.items()}
    spans = end.spans if opened.all() else {name: values[opened] for name, values in end.spans.items()}
    if before is None:
        return replace(after, spans=spans, packets=packets)
    in_flight = np.zeros_like(after.fates)
    in_flight[:, -1] = before.fates[:, -1]  # in flight is a state: its value at the end of the window counts
    return replace(
        after,
        events=after.events - before.events,
        flows=subtract_counters(after.flows, before.flows, FLOW_COLUMNS),
        links=subtract_counters(after.links, before.links, LINK_COLUMNS),
        nodes=subtract_counters(after.nodes, before.nodes, NODE_COLUMNS + NODE_INTEGRALS),
        spans=spans,
        fates=after.fates - before.fates + in_flight,
        delay_histogram=after.delay_histogram - before.delay_histogram,
        packets=packets,
    )


def subtract_counters(after: Columns, before: Columns, names: tuple[str, ...]) -> Columns:
    """Subtract counters. ``NON_ADDITIVE_COLUMNS`` keep their value in ``after``."""
    return {name: after[name] if name in NON_ADDITIVE_COLUMNS else after[name] - before[name] for name in names}
