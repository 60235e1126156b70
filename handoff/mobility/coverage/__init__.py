"""Coverage: attachments and layer-2 events of mobile nodes from their positions (docs/movement.md).

All computations are integer arithmetic on draws by name. The attachments of a mobile node are therefore the same on every machine
and in every scenario with the same routers.
"""

from handoff.mobility.coverage.description import Coverage, Radio

__all__ = ["Coverage", "Radio"]
