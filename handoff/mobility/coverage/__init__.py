"""Coverage: from where mobile nodes are to which router they are attached to, and what layer 2 says of it beforehand.

docs/movement.md is the contract. Everything is integer arithmetic on draws by name, so that a trajectory does not depend on the
machine or on what else is in the scenario.
"""

from handoff.mobility.coverage.attachment import Coverage, compute_attachments
from handoff.mobility.coverage.path_loss import Radio

__all__ = ["Coverage", "Radio", "compute_attachments"]
