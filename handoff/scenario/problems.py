"""Texts of a command line that are read beside the scenario: all that is wrong with both is said at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from engine.quantities import FOREVER
from handoff.scenario import ScenarioError

T = TypeVar("T")


def parse_option(option: str, read: Callable[[str], T], text: str | None, wrong: list[str]) -> T | None:
    """What an option's text means; None without one, or if it cannot be read.

    Parameters
    ----------
    option : str
        As in ``--warmup``.
    read : callable
        Raises ValueError, with what would be right.
    text : str or None
        What was given.
    wrong : list of str
        Gets what is wrong.
    """
    if text is None:
        return None
    try:
        return read(text)
    except ValueError as error:
        wrong.append(f"{option}: {error}")
        return None


def seed_range_errors(seed: int, runs: int) -> list[str]:
    """What is wrong with the seeds of so many replications."""
    beyond = seed + runs - 1 > FOREVER
    return [f"seed {seed} and {runs} replications go beyond the largest seed, {FOREVER}"] * beyond


def load_with_problems(wrong: list[str], load: Callable[[], T], *, last: bool = True) -> T:
    """What is loaded.

    Raises
    ------
    ScenarioError
        If something is wrong with it, or, where it is the last that can be, was before: with all.
    """
    try:
        loaded = load()
    except ScenarioError as error:
        raise ScenarioError([*wrong, *error.problems]) from None
    if wrong and last:
        raise ScenarioError(wrong)
    return loaded
