"""The runs of a sweep: its points and seeds, and the runs that a dataset does not have yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from handoff.experiments.sweep.dataset import Run, StoredRun
from handoff.experiments.sweep.points import Failure, Point
from handoff.scenario import Scenario


@dataclass(frozen=True)
class SweepPlan:
    """Points and seeds of a sweep.

    Attributes
    ----------
    scenario : Scenario
        Scenario whose fields the points vary.
    points : tuple of Point
        Points in their order.
    failures : tuple of Failure
        Combinations whose scenario is wrong.
    seeds : tuple of int
        Seeds of the replications. All points have the same seeds, and so the same random draws.
    folder : Path
        Folder of the files that the scenarios name.
    memory_limit_bytes : int or None
        Memory that a run may need.
    """

    scenario: Scenario
    points: tuple[Point, ...]
    failures: tuple[Failure, ...]
    seeds: tuple[int, ...]
    folder: Path
    memory_limit_bytes: int | None = None

    @property
    def run_count(self) -> int:
        """Number of runs, done or not."""
        return len(self.points) * len(self.seeds)

    def missing(self, stored: Mapping[Run, StoredRun], code_version: str | None = None) -> set[Run]:
        """Return the runs that are not stored; with a code version, also the runs that another version made."""
        runs = ((p.key, seed) for p in self.points for seed in self.seeds)
        return {r for r in runs if r not in stored or (code_version is not None and stored[r].code_version != code_version)}
