"""Number of random captures for each property: few in the plain run, hypothesis' default with ``--deep``."""

from tests.unit.workload import replay_strategies


def pytest_configure(config):
    """Set the number before the test modules are imported."""
    if config.getoption("deep"):
        replay_strategies.EXAMPLES = 100
