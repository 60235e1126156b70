"""An exact, fast packet engine: FIFO queues, forwarding tables with versions in time, moving endpoints, controllers."""

from engine._context import Context, Event
from engine._core import Engine
from engine.hops import Hops
from engine.network import Network, NetworkError
from engine.quantities import FOREVER, duration, format_duration
from engine.results import Fate, LawBroken, MemoryLimitError, Result

__all__ = [
    "FOREVER", "Context", "Engine", "Event", "Fate", "Hops", "LawBroken", "MemoryLimitError", "Network", "NetworkError",
    "Result", "duration", "format_duration",
]  # fmt: skip
