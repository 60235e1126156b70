"""Packet captures, movement files and association logs as numpy columns.

``read_capture`` reads pcap and pcapng, ``summarise`` says what a capture holds, ``read_movement`` reads where mobiles are when,
``read_associations`` which mobile was attached to which router when. Every fault of a file is a ``TraceError``.
"""

from traces.associations import Associations, read_associations
from traces.capture import NO_FLOW, NO_TIME_NS, Capture, Flows, Interface, address_text, read_capture
from traces.errors import TraceError
from traces.movement import Projection, Tracks, look, read_movement
from traces.summary import summarise

__all__ = [
    "NO_FLOW",
    "NO_TIME_NS",
    "Associations",
    "Capture",
    "Flows",
    "Interface",
    "Projection",
    "TraceError",
    "Tracks",
    "address_text",
    "look",
    "read_associations",
    "read_capture",
    "read_movement",
    "summarise",
]
