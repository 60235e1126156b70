"""Results of a run: columns and counters. The compiled engine and the oracle of the tests fill the same classes."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from engine.columns import Columns


class Fate(enum.IntEnum):
    """Terminal state of a packet copy; the list is complete (docs/model.md, 11)."""

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
        """Name in words, as in ``"queue full"``."""
        return self.name.lower().replace("_", " ")


class ConservationError(RuntimeError):
    """A conservation or order law is broken; the message names the unit, the link and the time. This is a bug in the engine."""


class TimeLimitError(ValueError):
    """A packet would arrive at 2**63 ps (106 days) or later, past the end of the engine's clock; the message names the queue."""


class MemoryLimitError(MemoryError):
    """The run may need more memory than its limit; the message has the estimate."""


class EngineStateError(ValueError):
    """The engine cannot serve this call now: it is running, it has run, or an exception has interrupted its run."""


FLOW_COLUMNS = (
    "sent", "copies", "delivered", "duplicate", "dropped", "lost", "in_flight", "reordered",
    "delay_sum_ps", "delay_max_ps", "gap_max_ps", "last_ps",
)  # fmt: skip
"""Columns of flows. ``copies``: copies besides the originals. ``dropped``: dropped copies. ``lost``: packets with no delivered
copy and none in flight. Delays: of delivered packets, from sender to receiver. ``gap_max_ps``: longest time between two
deliveries. ``last_ps``: time of the last delivery, -1 if none."""

LINK_COLUMNS = (
    "packets", "bytes", "control_packets", "control_bytes", "tunnel_bytes", "dropped", "lost", "detached",
    "rescued", "rescued_bytes", "queued", "queued_bytes", "peak_packets", "peak_bytes", "busy_ps",
)  # fmt: skip
"""Columns of links; each cell has one row for all its downlinks and one for all its uplinks. ``packets`` and ``bytes`` (with
tunnel headers): accepted packets. ``dropped``: packets that arrived at a full queue. ``lost`` and ``detached``: transmitted
packets that were not received, through link loss and because the mobile was not attached. ``rescued``: packets that the router
took from the queue to forward them. ``queued``: packets that had not reached the far end when the run ended. ``busy_ps``:
transmission time of accepted packets that were not rescued. A peak is the maximum of one FIFO."""

NODE_COLUMNS = (
    "forwarded", "forwarding_dropped", "forwarding_peak", "forwarding_wait_ps", "forwarding_wait_max_ps",
    "messages", "registered", "registration_dropped", "registration_peak", "registration_wait_ps", "registration_wait_max_ps",
    "entries_peak", "bindings_peak", "visitors_peak", "held_peak_packets", "held_peak_bytes",
    "diverted", "diverted_bytes", "hostile_registered", "hostile_dropped",
)  # fmt: skip
"""Columns of nodes. ``forwarded`` and ``registered``: packets and messages that the forwarding server and the registration server
accepted. ``*_wait_ps``: time from arrival to the start of service, as a sum and as a maximum. ``messages``: control messages
that the controller received, without refused ones. ``entries_peak``: maximum number of table entries, one for each mobile node.
``bindings_peak`` and ``visitors_peak``: maximum number of care-of nodes and of local entries or hold buffers that were valid at
once. ``held_peak_*``: maximum content of one hold buffer. ``diverted``, ``diverted_bytes``: data packets that the node sent into
tunnels of attackers, and their bytes without tunnel headers. ``hostile_registered`` and ``hostile_dropped``: those of
``registered`` and ``registration_dropped`` that an attacker caused."""

NODE_INTEGRALS = ("binding_ps", "visitor_ps", "held_byte_ps")
"""Columns of nodes that are integrals over time: the times for which care-of nodes, and local entries or hold buffers, were valid
in the table, and the bytes in hold buffers times the time that they waited (docs/model.md, 6)."""

EXACT_SUMS = ("delay_sum_ps", "busy_ps", "forwarding_wait_ps", "registration_wait_ps", *NODE_INTEGRALS)
"""Columns of flows, links and nodes that add times up. A sum may pass 2^63 ps (106 days), so these columns are arrays of Python
integers (dtype ``object``), which have any size."""

SPAN_COLUMNS = (
    "mobile", "id", "open_ps", "close_ps", "end_ps", "delivered", "duplicate", "reordered", "after_marker",
    "gap_max_ps", "gap_end_ps", "delay_max_ps", "last_before_ps",
)  # fmt: skip
"""Columns of spans, the measurement intervals of handoffs (``Context.begin_measurement``). ``gap_max_ps``: longest interruption
that ended in the span. An interruption is the time by which the gap between two deliveries of a flow exceeds the gap at the
sender (docs/model.md, 11). ``gap_end_ps``: its end. Both are -1 if there is none."""

PACKET_COLUMNS = ("flow", "seq", "copy", "fate", "time_ps", "node", "delay_ps", "sent_ps", "via", "tunnels")
"""Columns of data packet copies, recorded on request. ``node``: node at which the copy ended, -1 for the mobile. ``time_ps``:
time of its end, -1 if in flight. ``sent_ps``: time at which the sender sent the packet. ``via``: node whose cell the
mobile received it through (delivered or duplicate), else -1.
``tunnels``: number of encapsulations up to the end of the copy or of the run."""


LINK_SAMPLE = ("packets", "bytes", "dropped", "lost", "detached", "queue_packets", "busy_low", "busy_high")
"""Columns of links in a sample. ``queue_packets``: packets that wait or are being transmitted. ``busy_low``,
``busy_high``: 64-bit words of the time (ps) for which the link has transmitted. The others are those of ``LINK_COLUMNS``."""

NODE_SAMPLE = ("registrations", "dropped", "bindings", "visitors", "held_bytes", "queue_packets", "busy_low", "busy_high")
"""Columns of nodes in a sample. ``registrations``: messages that the registration server accepted. ``dropped``: packets and
messages that found the queue of a server full. ``bindings``, ``visitors``: care-of nodes, and local entries or hold buffers,
that are valid. ``held_bytes``: bytes in hold buffers. ``queue_packets``, ``busy_low``, ``busy_high``: as for links, of the
registration server."""

FLOW_SAMPLE = ("sent", "delivered", "lost")
"""Sums over all flows in a sample; see ``FLOW_COLUMNS``."""

SAMPLE_STATES = ("queue_packets", "bindings", "visitors", "held_bytes")
"""Columns of samples with a state at that time. The others count what has happened."""


class Sample(NamedTuple):
    """Counters of a run at ``time_ps``: all events before it have happened, and none after.

    Attributes
    ----------
    time_ps : int
    links, nodes : ndarray of int64
        One row for each link or node, in the order of ``Result``, with the columns ``LINK_SAMPLE`` and ``NODE_SAMPLE``.
    flows : tuple of int
        The sums ``FLOW_SAMPLE``.
    """

    time_ps: int
    links: npt.NDArray[np.int64]
    nodes: npt.NDArray[np.int64]
    flows: tuple[int, int, int]


class IntervalTables(NamedTuple):
    """Rows of links, nodes and flows for the intervals of a run.

    Each table is a list of blocks of rows. A row has the begin and the end of an interval (ps), the number of the link or node,
    and the columns of a sample: states at the end of the interval, and by how much the other counters grew in it. Rows are in
    the order of time; those in which every column is 0 are left out.

    Attributes
    ----------
    links, nodes, flows : list of ndarray of int64
    """

    links: list[npt.NDArray[np.int64]]
    nodes: list[npt.NDArray[np.int64]]
    flows: list[npt.NDArray[np.int64]]


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
        One int64 array for each column, with one element for each flow, link, node or span; see ``FLOW_COLUMNS`` and the
        others. The columns ``EXACT_SUMS`` are arrays of Python integers. Rows are in the order of declaration, as in the lists
        of names below.
    link_names, node_names : list of str
        Row names; links first, then ``r>*`` and ``r<*`` of each cell.
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
        """Return the number of packet copies of each fate that occurs."""
        return {f.label: int(n) for f, n in zip(Fate, self.fates[int(control)], strict=True) if n}
