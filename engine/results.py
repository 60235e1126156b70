"""What a run yields: columns and counters, the same from the compiled engine and from the oracle of the tests."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Columns = dict[str, npt.NDArray[Any]]


class Fate(enum.IntEnum):
    """How a packet copy ends; there is no other (docs/model.md, 11)."""

    DELIVERED = 0
    DUPLICATE = 1
    QUEUE_FULL = 2
    FORWARDING_OVERLOAD = 3
    REGISTRATION_OVERLOAD = 4
    LINK_LOSS = 5
    NO_BINDING = 6
    NO_VISITOR = 7
    DETACHED = 8
    BINDING_EXPIRED = 9
    BUFFER_TIMEOUT = 10
    TUNNEL_LIMIT = 11
    AUTHENTICATION_FAILED = 12
    REPLAYED = 13
    IN_FLIGHT = 14

    @property
    def label(self) -> str:
        """Words for people: ``"queue full"``."""
        return self.name.lower().replace("_", " ")


class EventKind(enum.IntEnum):
    """Kinds of events that a controller receives (``Event.kind``)."""

    SCHEDULED = 0
    TIMER = 1
    MESSAGE = 2
    REFUSED = 3
    """A message that found the registration queue full, at a node with ``registration_answers``."""


class ConservationError(RuntimeError):
    """A conservation or order law does not hold; the message names unit, link and time. Always a bug: please report."""


class MemoryLimitError(MemoryError):
    """The run needs, or may need, more memory than its limit; the message has the estimate."""


FLOW_COLUMNS = (
    "sent", "copies", "delivered", "duplicate", "dropped", "lost", "in_flight", "reordered",
    "delay_sum_ps", "delay_max_ps", "gap_max_ps", "last_ps",
)  # fmt: skip
"""Per flow. ``copies`` beyond the originals; ``dropped`` counts copies, ``lost`` packets of which no copy was or can be
delivered; delays of delivered packets from origin to receiver; ``gap_max_ps`` between deliveries; ``last_ps`` -1 if none."""

LINK_COLUMNS = (
    "packets", "bytes", "control_packets", "control_bytes", "tunnel_bytes", "dropped", "lost", "detached",
    "rescued", "rescued_bytes", "queued", "queued_bytes", "peak_packets", "peak_bytes", "busy_ps",
)  # fmt: skip
"""Per link, and for each cell one row for all its downlinks and one for all its uplinks. ``packets``, ``bytes`` (tunnel
headers included) count what was accepted; ``dropped`` what found the queue full; ``lost`` and ``detached`` what was sent
and not heard; ``rescued`` what was taken out again; ``queued`` what had not reached the far end when the run ended;
``busy_ps`` transmission time of what was accepted and not rescued. Peaks are of one FIFO."""

NODE_COLUMNS = (
    "forwarded", "forwarding_dropped", "forwarding_peak", "forwarding_wait_ps", "forwarding_wait_max_ps",
    "messages", "registered", "registration_dropped", "registration_peak", "registration_wait_ps", "registration_wait_max_ps",
    "entries_peak", "held_peak_packets", "held_peak_bytes",
)  # fmt: skip
"""Per node. ``forwarded`` and ``registered``: packets and messages that its forwarding and its registration server accepted;
``*_wait_ps``: time from their arrival to the start of their service, the sum of all (at most 2^63 - 1), and the largest;
``messages``: control messages its controller got, without refused ones; ``entries_peak``: most table entries at once;
``held_peak_*``: most that one hold buffer held."""

SPAN_COLUMNS = (
    "mobile", "id", "open_ps", "close_ps", "end_ps", "delivered", "duplicate", "reordered", "after_marker",
    "gap_max_ps", "gap_end_ps", "delay_max_ps", "last_before_ps",
)  # fmt: skip
"""Per span (see ``Context.begin_measurement``). ``gap_max_ps``: longest interruption that ended in the
span, ``gap_end_ps`` when (docs/model.md, 11): by how much the gap between two deliveries of a flow was longer than the
sender's own; -1 where there is none."""

PACKET_COLUMNS = ("flow", "seq", "copy", "fate", "time_ps", "node", "delay_ps", "sent_ps", "via", "tunnels")
"""Per data packet copy, if asked for. ``node``: where it ended (-1 at the mobile); ``time_ps`` -1 if in flight; ``sent_ps``:
when the packet left its origin; ``via``: the node through whose cell the mobile heard it (delivered or duplicate), else -1;
``tunnels``: how often it had been encapsulated when it ended, or when the run did."""


@dataclass
class Result:
    """Columns of one run, of ``0 <= t < until_ps``.

    Attributes
    ----------
    until_ps : int
        End of the run.
    fingerprint : int
        64-bit hash of all observables; equal runs have equal ones (docs/model.md, 12).
    events : int
        Packet-hops: packets accepted by links, downlinks and uplinks.
    flows, links, nodes, spans : dict of str to ndarray
        One array a column, all int64, one element a flow, link, node, span. See ``FLOW_COLUMNS`` and the others.
        Rows are in the order of declaration, which the ``name`` lists below give.
    link_names, node_names : list of str
        Row names. Links first, then ``r>*`` and ``r<*`` of each cell.
    fates : ndarray of int64, shape (2, 15)
        Packet copies by kind (0 data, 1 control) and :class:`Fate`.
    delay_histogram : ndarray of int64
        Delivered data packets by delay, log-linear (see ``engine.histogram``).
    packets : dict of str to ndarray or None
        Every packet copy of data (``record="packets"``) or only the dropped ones (``record="drops"``), sorted by
        (flow, seq, copy).
    """

    until_ps: int
    fingerprint: int
    events: int
    flows: Columns
    links: Columns
    nodes: Columns
    spans: Columns
    link_names: list[str]
    node_names: list[str]
    fates: npt.NDArray[np.int64]
    delay_histogram: npt.NDArray[np.int64]
    packets: Columns | None = None

    def fate_counts(self, control: bool = False) -> dict[str, int]:
        """Packet copies by fate, those with none left out."""
        return {f.label: int(n) for f, n in zip(Fate, self.fates[int(control)], strict=True) if n}
