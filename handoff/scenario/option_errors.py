"""Problems of command-line values, collected so that they are reported together with the problems of the scenario."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

from engine.quantities import FOREVER
from handoff.scenario import ScenarioError

T = TypeVar("T")


def parse_option(option: str, read: Callable[[str], T], text: str | None, problems: list[str]) -> T | None:
    """Return the value of an option; None if it is absent or invalid.

    Parameters
    ----------
    option : str
        Name of the option for messages, as in ``--warmup``.
    read : callable
        Converts the text; raises ValueError with a message that says what would be right.
    text : str or None
        Text of the option; None if it is absent.
    problems : list of str
        Receives the message if the text is invalid.
    """
    if text is None:
        return None
    try:
        return read(text)
    except ValueError as error:
        problems.append(f"{option}: {error}")
        return None


def seed_range_errors(seed: int, runs: int) -> list[str]:
    """Return the problem of a first seed and a number of replications, each of which adds 1 to the seed; [] if there is none."""
    largest = FOREVER - runs + 1
    if seed < 0:
        return [f"seed is {seed}: give 0 or more"]
    if seed <= largest:
        return []
    return [f"seed {seed} and {runs} replications go beyond the largest seed, {FOREVER}: give a seed of at most {largest}"]


def range_errors(**limits: tuple[float | None, float, float]) -> list[str]:
    """Return a problem for each named value outside of its limits, given as (value, least, greatest). None is no value."""
    return [
        f"{name} is {value}: give " + (f"{least:,} or more" if greatest == math.inf else f"{least:,} to {greatest:,}")
        for name, (value, least, greatest) in limits.items() if value is not None and not least <= value <= greatest
    ]  # fmt: skip


def load_with_problems(problems: list[str], load: Callable[[], T], *, last: bool = True) -> T:
    """Return the result of ``load``, unless it fails or problems were collected before.

    Parameters
    ----------
    problems : list of str
        Problems collected so far.
    load : callable
        Raises ScenarioError.
    last : bool
        If false, only a failure of ``load`` raises: the caller collects further problems first.

    Raises
    ------
    ScenarioError
        With the problems collected so far, followed by those of ``load``.
    """
    try:
        result = load()
    except ScenarioError as error:
        raise ScenarioError([*problems, *error.problems]) from None
    if problems and last:
        raise ScenarioError(problems)
    return result
