"""Windows of a run: figures of the time after the warm-up only, and of each of its batches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from engine import FOREVER, Engine, Result
from engine.columns import Columns
from engine.results import FLOW_COLUMNS, LINK_COLUMNS, NODE_COLUMNS

NON_ADDITIVE_COLUMNS = {
    "delay_max_ps", "gap_max_ps", "last_ps", "in_flight", "queued", "queued_bytes", "peak_packets", "peak_bytes",
    "forwarding_peak", "registration_peak", "forwarding_wait_max_ps", "registration_wait_max_ps", "entries_peak",
    "held_peak_packets", "held_peak_bytes",
}  # fmt: skip
"""Columns of a result that are not sums: what they are at the end of a window, peaks and maxima since the run began."""


@dataclass(frozen=True)
class Snapshot:
    """What a run had counted when all events before ``time_ps`` had happened, and none after.

    Attributes
    ----------
    time_ps : int
    result : engine.Result or None
        None: nothing yet, at time 0.
    simultaneous : int
        As in ``handoff.simulation.result.RunResult``.
    """

    time_ps: int = 0
    result: Result | None = None
    simultaneous: int = 0


class WindowRecorder:
    """Stops a run at the edges of its windows.

    Parameters
    ----------
    until_ps, warmup_ps : int
        End of the run and of its warm-up.
    batches : int
        Equal parts of the time between them, the last one longer by what does not divide.
    simultaneous : callable
        Tells the count of the snapshots.

    Raises
    ------
    ValueError
        If there is no time for the batches.
    """

    def __init__(self, until_ps: int, warmup_ps: int, batches: int, simultaneous: Callable[[], int]) -> None:
        if not 0 <= warmup_ps < until_ps:
            raise ValueError(f"a warm-up of {warmup_ps} ps leaves nothing of a run of {until_ps} ps")
        if not 1 <= batches <= until_ps - warmup_ps:
            raise ValueError(f"{batches} batches of {until_ps - warmup_ps} ps: there is at least one, and of a picosecond")
        self.edges = [warmup_ps + (until_ps - warmup_ps) // batches * i for i in range(batches)]
        self.taken: list[Snapshot] = [] if warmup_ps else [Snapshot()]
        self._simultaneous = simultaneous

    def next_stop(self, to: int) -> int:
        """``to``, or the edge before it at which the run has to stop."""
        left = self.edges[len(self.taken) :]
        return min(to, left[0]) if left else to

    def take(self, engine: Engine) -> None:
        """Called wherever the run stops."""
        if self.edges[len(self.taken) :][:1] == [engine.time_ps]:
            counted = replace(engine.result(), packets=None)  # the last result has them all
            self.taken.append(Snapshot(engine.time_ps, counted, self._simultaneous()))

    def windows(self, end: Snapshot) -> list[tuple[Snapshot, Snapshot]]:
        """First the whole time after the warm-up, then the batches that are complete; the run ended at ``end``."""
        begin = self.taken[0] if self.taken else end
        if len(self.edges) == 1:
            return [(begin, end)]
        all_begun = len(self.taken) == len(self.edges)
        return [(begin, end), *pairwise([*self.taken, end] if all_begun else self.taken)]


def window_result(first: Snapshot, second: Snapshot, end: Result) -> Result:
    """Result of the window ``first.time_ps <= t < second.time_ps``.

    Everything that counts events counts those in the window; ``STATES`` are what they are at its end. A packet sent before the
    window and delivered in it is delivered, but not sent, there. Spans are those opened in the window, with all that came of
    them until the run's end; records of packets those of copies that ended in it, and of those in flight at the run's end if
    it lasts until then. The fingerprint is the run's, up to the end of the window.

    Parameters
    ----------
    first, second : Snapshot
        At its edges.
    end : engine.Result
        Of the whole run.
    """
    assert second.result is not None
    after, before, begin = second.result, first.result, first.time_ps
    opened = (end.spans["open_ps"] >= begin) & (end.spans["open_ps"] < second.time_ps)
    packets = end.packets
    if packets is not None and (begin or second.time_ps < end.until_ps):
        ended, last = packets["time_ps"], second.time_ps == end.until_ps
        rows = (ended >= begin) & (ended < second.time_ps) | (ended < 0) & last
        packets = {name: values[rows] for name, values in packets.items()}
    spans = end.spans if opened.all() else {name: values[opened] for name, values in end.spans.items()}
    if before is None:
        return replace(after, spans=spans, packets=packets)
    in_flight = np.zeros_like(after.fates)
    in_flight[:, -1] = before.fates[:, -1]  # a state, too
    return replace(
        after,
        events=after.events - before.events,
        flows=_difference(after.flows, before.flows, FLOW_COLUMNS),
        links=_difference(after.links, before.links, LINK_COLUMNS),
        nodes=_difference(after.nodes, before.nodes, NODE_COLUMNS),
        spans=spans,
        fates=after.fates - before.fates + in_flight,
        delay_histogram=after.delay_histogram - before.delay_histogram,
        packets=packets,
    )


def _difference(after: Columns, before: Columns, names: tuple[str, ...]) -> Columns:
    """A sum that has come to its end (``FOREVER``: waits in an overload) stays there, else it would look like none."""
    return {
        name: after[name] if name in NON_ADDITIVE_COLUMNS else np.where(after[name] == FOREVER, FOREVER, after[name] - before[name])
        for name in names
    }
