"""Targets from the scenario and from the command line, checked together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from handoff.experiments.planning.slo import Target, parse_targets
from handoff.metrics.catalogue import get_measure
from handoff.protocol.setup import Setup
from handoff.scenario import Scenario


def target_sources(scenario: Scenario, texts: Sequence[str]) -> list[tuple[str, Sequence[str]]]:
    """Return the targets of ``[slo]`` and those of ``--slo``, each with the name of its source."""
    return [("[slo]", [] if scenario.slo is None else scenario.slo.targets), ("--slo", texts)]


def parse_study_targets(
    scenario: Scenario, texts: Sequence[str], setup: Setup | None, detail: bool | None, problems: list[str]
) -> list[Target]:
    """Parse the targets of a study, or of the first point of a sweep.

    Parameters
    ----------
    scenario : Scenario
        Scenario with ``[slo]``.
    texts : sequence of str
        Further targets.
    setup : Setup or None
        As for :func:`parse_sources`.
    detail : bool or None
        False: no packet is recorded, which is a problem for some measures.
    problems : list of str
        Receives each mistake.
    """
    targets = parse_sources(target_sources(scenario, texts), setup, problems)
    if detail is False:
        problems += [
            f"{target}: this measure needs a record of every packet: leave out --no-detail"
            for target in targets if get_measure(target.measure).detail
        ]  # fmt: skip
    return targets


def parse_sources(sources: Sequence[tuple[str, Sequence[str]]], setup: Setup | None, errors: list[str]) -> list[Target]:
    """Parse the targets of all sources together.

    Parameters
    ----------
    sources : sequence of (str, sequence of str)
        Name of each source, and its targets.
    setup : Setup or None
        Setup with the nodes and links that measures may name; None if it could not be built.
    errors : list of str
        Receives each mistake once, with the source that adds it.
    """
    targets: list[Target] = []
    source_errors: dict[str, str] = {}
    all_texts: list[str] = []
    for source, texts in sources:
        all_texts += texts
        try:
            targets = parse_targets(all_texts, _unit_finder(setup))
        except ValueError as error:
            for problem in str(error).split("\n"):
                source_errors.setdefault(problem, f"{source} {problem}")
    errors += source_errors.values()
    return targets


def _unit_finder(setup: Setup | None) -> Callable[[str], str]:
    if setup is None:
        return lambda name: get_measure(name).unit
    nodes, links = [n.name for n in setup.network.nodes], setup.network.link_names()
    return lambda name: get_measure(name, nodes, links).unit


__all__ = ["parse_sources", "parse_study_targets", "target_sources"]
