"""Packet captures, movement files and association logs as numpy columns.

``read_capture`` reads pcap and pcapng into memory, ``compile_capture`` makes sorted columns on disk of a capture of any size,
``read_signalling`` finds the Mobile IP messages in it, ``summarise`` says what it holds; ``read_movement`` reads where mobiles
are when, ``read_associations`` which mobile was attached to which router when. Every fault of a file is a ``TraceError``.
``CaptureWriter`` writes pcapng from columns, and ``traces.wire`` makes the messages of Mobile IP.
"""

from traces.associations import Associations, read_associations
from traces.capture import NO_FLOW, NO_TIME_NS, Capture, Facts, Flows, Interface, Limits, TunnelTable, address_text, read_capture
from traces.compiled import CompiledCapture, PlacedFlows, compile_capture
from traces.errors import TraceError
from traces.movement import Projection, Tracks, look, read_movement
from traces.signalling import KINDS, Echo, Messages, Signalling, read_signalling
from traces.summary import summarise, summarise_signalling
from traces.writer import CaptureWriter, FlowHeaders, Packets

__all__ = [
    "KINDS",
    "NO_FLOW",
    "NO_TIME_NS",
    "Associations",
    "Capture",
    "CaptureWriter",
    "CompiledCapture",
    "Echo",
    "Facts",
    "FlowHeaders",
    "Flows",
    "Interface",
    "Limits",
    "Messages",
    "Packets",
    "PlacedFlows",
    "Projection",
    "Signalling",
    "TraceError",
    "Tracks",
    "TunnelTable",
    "address_text",
    "compile_capture",
    "look",
    "read_associations",
    "read_capture",
    "read_movement",
    "read_signalling",
    "summarise",
    "summarise_signalling",
]
