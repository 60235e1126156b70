"""Mobile IP handoff procedures as rows of one machine, scenarios, studies and the command line."""

__version__ = "0.1.0"
