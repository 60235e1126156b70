"""Further mutants of the rules that give all procedures the same means (design decisions 27 to 32)."""

from tests.mutation.mutant import Mutant

EQUAL_MEANS_MUTANTS = (
    Mutant(
        "request waits for a warning that never comes",
        "protocol/layer2_triggers.py",
        'return self.records["going_down_ps"][row] >= 0 and self.waits',
        "return self.waits",
    ),
    Mutant(
        "warning at the instant of the advertisement is missed",
        "protocol/layer2_triggers.py",
        "ps + (not predicted)",
        "ps",
    ),
    Mutant(
        "warning at the instant of the prediction counts twice",
        "protocol/layer2_triggers.py",
        "ps + (not predicted)",
        "ps + 1",
    ),
    Mutant(
        "old router without a buffer knows when its link ends",
        "simulation/initial_state.py",
        "if setup.options.buffers_at_old_router:",
        "if True:",
    ),
    Mutant(
        "old router keeps a packet in time",
        "simulation/initial_state.py",
        "- delays + 1,",
        "- delays,",
    ),
    Mutant(
        "old router sends a packet too late",
        "simulation/initial_state.py",
        "- delays + 1,",
        "- delays + 2 * 10**6,",
    ),
    Mutant(
        "no fixed duration of bicasting",
        "protocol/binding_cache.py",
        "if self.options.bicast_ps is not None:",
        "if False:",
    ),
    Mutant(
        "bicasting until a later stay ends",
        "protocol/setup.py",
        " and self.up_ps.item(row) <= time_ps:",
        ":",
    ),
    Mutant(
        "without a warning nobody asks the old router",
        "protocol/layer2_triggers.py",
        "row = self.row_of[old] if self.rescues else -1",
        "row = -1",
    ),
    Mutant(
        "update after the one at the warning",
        "protocol/layer2_triggers.py",
        'or self.records["rescue_ps"][row] >= 0 or',
        "or",
    ),
    Mutant(
        "prediction after the discovery sends a second request",
        "protocol/layer2_triggers.py",
        'if self.records["known_ps"][row] >= 0:\n            return',
        "if False:\n            return",
    ),
    Mutant(
        "marker waits for the registration server",
        "protocol/agent.py",
        "taps, like_data = self.roles.taps, hop.like_data",
        "taps, like_data = self.roles.taps, False",
    ),
    Mutant(
        "messages pass the registration server",
        "protocol/agent.py",
        "taps, like_data = self.roles.taps, hop.like_data",
        "taps, like_data = self.roles.taps, True",
    ),
)
