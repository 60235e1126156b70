"""Packet captures, movement files and association logs as numpy columns.

- ``read_capture`` reads a pcap or pcapng capture into memory; ``compile_capture`` turns a capture of any size into sorted
  columns on disk; ``read_signalling`` lists the Mobile IP messages of a capture; ``summarise`` describes a capture.
- ``read_movement`` reads positions of mobile nodes; ``read_associations`` and ``read_cell_log`` read when they were attached to
  which router; ``guess_format`` names the format of a file.
- ``CaptureWriter`` writes pcapng from columns; ``handoff_traces.wire`` builds the messages of Mobile IP.

A file that is wrong raises ``TraceError``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from handoff_traces.associations import Associations, read_associations
    from handoff_traces.bad_records import OnBadRecord
    from handoff_traces.capture import (
        NO_FLOW,
        NO_TIME_NS,
        Capture,
        Facts,
        Flows,
        Interface,
        Limits,
        TunnelLayer,
        TunnelTable,
        format_address,
        read_capture,
    )
    from handoff_traces.capture_writer import CaptureWriter, FlowHeaders, Packets
    from handoff_traces.cell_logs import read_cell_log
    from handoff_traces.compiled_capture import CompiledCapture, IndexedFlows, compile_capture
    from handoff_traces.errors import TraceError
    from handoff_traces.format_guess import FormatGuess, guess_format, unknown_format_error
    from handoff_traces.movement import Projection, Tracks, detect_format, read_movement
    from handoff_traces.signalling import KINDS, Echo, Messages, Signalling, read_signalling
    from handoff_traces.summary import summarise, summarise_signalling

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
    "FormatGuess",
    "IndexedFlows",
    "Interface",
    "Limits",
    "Messages",
    "OnBadRecord",
    "Packets",
    "Projection",
    "Signalling",
    "TraceError",
    "Tracks",
    "TunnelLayer",
    "TunnelTable",
    "compile_capture",
    "detect_format",
    "format_address",
    "guess_format",
    "read_associations",
    "read_capture",
    "read_cell_log",
    "read_movement",
    "read_signalling",
    "summarise",
    "summarise_signalling",
    "unknown_format_error",
]

_MODULES = {
    "associations": ("Associations", "read_associations"),
    "bad_records": ("OnBadRecord",),
    "capture": (
        "NO_FLOW", "NO_TIME_NS", "Capture", "Facts", "Flows", "Interface", "Limits", "TunnelLayer", "TunnelTable",
        "format_address", "read_capture",
    ),
    "capture_writer": ("CaptureWriter", "FlowHeaders", "Packets"),
    "cell_logs": ("read_cell_log",),
    "compiled_capture": ("CompiledCapture", "IndexedFlows", "compile_capture"),
    "errors": ("TraceError",),
    "format_guess": ("FormatGuess", "guess_format", "unknown_format_error"),
    "movement": ("Projection", "Tracks", "detect_format", "read_movement"),
    "signalling": ("KINDS", "Echo", "Messages", "Signalling", "read_signalling"),
    "summary": ("summarise", "summarise_signalling"),
}
"""Names that each module defines. A module is imported with its first name: a program seldom needs more than one reader."""
_MODULE_OF_NAME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF_NAME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULE_OF_NAME[name]}"), name)
    globals()[name] = value
    return value
