"""Border of the Python interface: every mistake of a user arrives as one family of errors, in the words of Python."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from handoff.scenario.errors import HandoffError, ScenarioError

_OPTION = re.compile(r"--([a-z]+(?:-[a-z]+)*)")
_NEGATED = "no_"
_ARGUMENTS = {"slo": "targets", "metric": "measures", "zip": "together"}
"""Arguments whose option has another name."""


@contextmanager
def named_errors() -> Iterator[None]:
    """Raise mistakes as ``ScenarioError``, with the arguments of functions in place of options of the command line."""
    try:
        yield
    except ScenarioError as error:
        raise ScenarioError([_name_arguments(problem) for problem in error.problems]) from None
    except HandoffError:
        raise
    except ValueError as error:
        raise ScenarioError([_name_arguments(line) for line in str(error).splitlines()]) from error


def _name_arguments(problem: str) -> str:
    return _OPTION.sub(lambda option: _name_argument(option[1].replace("-", "_")), problem)


def _name_argument(option: str) -> str:
    return f"{option.removeprefix(_NEGATED)}=False" if option.startswith(_NEGATED) else _ARGUMENTS.get(option, option)
