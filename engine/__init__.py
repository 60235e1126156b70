"""Exact packet engine: FIFO queues, timestamped binding tables, mobile endpoints, controllers."""

from engine._context import Context, Event, EventKind
from engine._core import Engine
from engine._mobile_states import PerMobileState
from engine.link_trace import LinkTrace
from engine.network import Network
from engine.network_columns import NetworkError
from engine.quantities import FOREVER, format_duration, parse_duration
from engine.results import ConservationError, EngineStateError, Fate, MemoryLimitError, Result, TimeLimitError

__all__ = [
    "FOREVER",
    "ConservationError",
    "Context",
    "Engine",
    "EngineStateError",
    "Event",
    "EventKind",
    "Fate",
    "LinkTrace",
    "MemoryLimitError",
    "Network",
    "NetworkError",
    "PerMobileState",
    "Result",
    "TimeLimitError",
    "format_duration",
    "parse_duration",
]  # fmt: skip
