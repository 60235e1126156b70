"""Errors that a user of the package can cause, as one family."""

from __future__ import annotations


class HandoffError(Exception):
    """Base of the errors of the package ``handoff``. The message has a line for each problem."""


class ScenarioError(HandoffError, ValueError):
    """Problems of a scenario, of a file that it names, or of the arguments of a function.

    Attributes
    ----------
    problems : list of str
        Messages with the place in the scenario, the mistake and, where known, the correction.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems

    def __reduce__(self) -> tuple[type[ScenarioError], tuple[list[str]]]:
        return type(self), (self.problems,)
