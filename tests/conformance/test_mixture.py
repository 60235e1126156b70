"""Mixtures of procedures: they contain the pure runs, and groups interact through queues and servers alone."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random

import numpy as np
import pytest

from handoff.output.parquet import SCHEMAS, table_columns
from handoff.output.pcap.recorder import Recorder
from handoff.protocol.procedures import MIXTURE
from handoff.protocol.setup import ProcedureGroups, Setup
from handoff.simulation.baseline import ByteCounts
from handoff.simulation.run import RunResult, run_procedure
from tests.conformance.cases import BREAK
from tests.conformance.random_towns import MS, Town
from tests.conformance.test_run_resume import run_differences, run_with_kills, without_fsync
from tests.conformance.two_router_scene import Scene
from tests.differential.compare import differences

__all__ = ["without_fsync"]
PAIRS = [
    ("mipv6", "sync-mipv6"), ("mipv4", "sync-hmipv4"), ("sync-mipv6-ro", "mipv4-bicast"), ("sync-hmipv6", "pmipv6"),
    ("mipv4-smooth", "sync-mipv4-ro"), ("hmipv6-ro-bicast", "mipv6-ro"),
]  # fmt: skip
"""Pairs that differ in prediction, regions, IP version, kind of anchor, or the owner of the care-of address."""


def mix(setup: Setup, procedures: tuple[str, ...], group: list[int]) -> Setup:
    """Return the setup with groups; ``group`` repeats over the mobile nodes."""
    return replace(setup, groups=ProcedureGroups(procedures, np.resize(np.array(group, np.int64), setup.network.mobile_count)))


def wild_town(seed: int) -> Setup:
    return Town(wild=True, mobiles=6, moving_ms=2_500, until_ms=3_000, calls=seed % 2 == 1).setup(seed)


def uncongested_town(seed: int) -> Setup:
    """Return a setup without losses in which no packet waits for one of another mobile node."""
    kind = Town(rough=False, lead_ms=seed % 3 * 20, guard_ms=5, overlap=seed % 2 == 0, moving_ms=3_000, until_ms=4_000)
    setup = kind.setup(seed)
    for i, node in enumerate(setup.network.nodes):
        setup.network.nodes[i] = replace(node, registration_ps=0, registration_queue=None)
    return setup


def tables(run: RunResult, setup: Setup, seed: int) -> dict[str, dict[str, list[object]]]:
    """Return all tables of a run as text, without the names of procedures and the real time."""
    names = {name: table_columns(name, run, setup, seed) for name in SCHEMAS}
    return {
        table: {c: list(map(str, values)) for c, values in columns.items() if "procedure" not in c}
        for table, columns in names.items()
    }


@pytest.mark.parametrize("procedure", ["mipv4-smooth", "sync-mipv6", "sync-hmipv4", "pmipv6"])
@pytest.mark.parametrize("seed", [0, 1])
def test_groups_of_one_procedure_equal_the_run_without_groups(procedure: str, seed: int) -> None:
    setup = wild_town(seed)
    pure = run_procedure(setup, procedure, seed=seed, detail=True)
    mixed_setup = mix(setup, (procedure, procedure), [1, 0, 0])
    mixed = run_procedure(mixed_setup, MIXTURE, seed=seed, detail=True)
    assert differences(pure.result, mixed.result) == []
    assert tables(pure, setup, seed) == tables(mixed, mixed_setup, seed)
    assert (mixed.procedure, mixed.extra, mixed.simultaneous) == (MIXTURE, pure.extra, pure.simultaneous)


@pytest.mark.parametrize("only", [0, 1])
@pytest.mark.parametrize("pair", PAIRS[:3])
def test_a_mixture_with_an_empty_group_is_the_pure_run(pair: tuple[str, str], only: int) -> None:
    """Authentication would also slow the servers of the empty group's anchors if the run contained them."""
    setup = wild_town(5)
    setup = replace(setup, options=replace(setup.options, authentication=True, authentication_service_ps=3 * MS))
    mixed_setup = mix(setup, pair, [only])
    mixed, pure = (run_procedure(mixed_setup, name, seed=5, detail=True) for name in (MIXTURE, pair[only]))
    assert run_differences(pure, mixed) == []
    assert tables(pure, setup, 5) == tables(mixed, mixed_setup, 5)


@pytest.mark.parametrize("seed", [*range(3), *(pytest.param(seed, marks=pytest.mark.deep) for seed in range(3, 20))])
@pytest.mark.parametrize("pair", PAIRS)
def test_without_congestion_each_mobile_node_does_what_it_does_in_the_pure_run(pair: tuple[str, str], seed: int) -> None:
    setup = mix(uncongested_town(seed), pair, [0, 1, 1, 0, 1])
    assert setup.groups is not None
    mixed = run_procedure(setup, MIXTURE, seed=seed, detail=True)
    for number, name in enumerate(pair):
        pure = run_procedure(setup, name, seed=seed, detail=True)
        rows = setup.groups.group[pure.handoffs["mobile"]] == number
        assert rows.any()
        assert not rows.all()
        for column, values in pure.handoffs.items():
            np.testing.assert_array_equal(values[rows], mixed.handoffs[column][rows], err_msg=column)
        flows = setup.groups.group[setup.network.flow_column("mobile")] == number
        assert pure.detail is not None
        assert mixed.detail is not None
        for expected, columns in ((pure.result.flows, mixed.result.flows), (pure.detail.flows, mixed.detail.flows)):
            for column, values in expected.items():
                np.testing.assert_array_equal(values[flows], columns[column][flows], err_msg=column)


@pytest.mark.parametrize("pair", PAIRS)
def test_without_congestion_a_mixture_and_its_complement_add_up_to_the_pure_runs(pair: tuple[str, str]) -> None:
    """Each mobile node executes each procedure once on either side: bytes, messages, bindings and the baseline are equal."""
    setup = uncongested_town(1)
    runs = [run_procedure(setup, name) for name in pair]
    mixtures = [run_procedure(mix(setup, pair, group), MIXTURE) for group in ([0, 1, 1], [1, 0, 0])]

    def totals(sides: list[RunResult]) -> dict[str, int]:
        counted = {"simultaneous": sum(run.simultaneous for run in sides)}
        for name in ("packets", "bytes", "control_packets", "control_bytes", "tunnel_bytes"):
            counted[name] = sum(int(run.result.links[name].sum()) for run in sides)
        for run in sides:
            assert isinstance(run.extra, ByteCounts)
            counted["air"] = counted.get("air", 0) + run.extra.air
            counted["core"] = counted.get("core", 0) + run.extra.core
        return counted

    assert totals(mixtures) == totals(runs)


def test_groups_share_the_servers_of_anchors() -> None:
    """Both requests leave at 800 and reach the home agent at 817; with one server of 40 ms the second one waits for the first."""
    waits = []
    for mobiles in (1, 2):
        setup = Scene(BREAK.stays, mobiles=mobiles, service={"ha": 40}).setup()
        mixed = run_procedure(mix(setup, ("mipv4", "mipv6"), [0, 1]), MIXTURE)
        assert mixed.result.nodes["registered"][setup.home_agent] == mobiles
        waits.append(mixed.result.nodes["registration_wait_ps"][setup.home_agent])
    assert waits == [0, 40 * MS]


@pytest.mark.parametrize("pair", PAIRS[1:3])
def test_a_killed_mixture_resumes_with_the_same_result(pair: tuple[str, str], tmp_path: Path) -> None:
    setup = mix(wild_town(3), pair, [0, 1, 1])
    complete = run_procedure(setup, MIXTURE, seed=3)
    resumed = run_with_kills(setup, MIXTURE, tmp_path / "state", Random(3), seed=3)
    assert run_differences(complete, resumed) == []
    assert str(complete.groups) == str(resumed.groups)


@pytest.mark.parametrize("options", [{"scheduling": "window", "threads": 2}, {"scheduling": "heap"}])
def test_neither_scheduling_nor_threads_change_a_mixture(options: dict[str, object]) -> None:
    setup = mix(wild_town(2), ("mipv4-bicast", "sync-hmipv6"), [0, 1])
    expected, run = (run_procedure(setup, MIXTURE, seed=2, **kind) for kind in ({}, options))  # type: ignore[arg-type]
    assert run_differences(expected, run) == []


def test_a_capture_of_a_mixture_is_refused(tmp_path: Path) -> None:
    setup = mix(wild_town(1), ("mipv4", "sync-mipv4"), [0, 1])
    recorder = partial(Recorder, tmp_path / "x.pcapng", setup.network.link_names(), None, "", 0)
    with pytest.raises(ValueError, match="a capture has the messages of one procedure, and not of a mixture"):
        run_procedure(setup, MIXTURE, record=recorder)
