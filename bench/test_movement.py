"""Group *movement*: floating car data to columns, and positions to attachments."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

import handoff_traces
from handoff.mobility import GaussMarkov
from handoff.mobility.coverage import Coverage, Radio
from handoff.mobility.coverage.attachment import compute_attachments

CARS, STEPS = 500, 500
S = 10**12


@pytest.fixture(scope="module")
def cars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write 250,000 samples in the format of SUMO, compressed."""
    path = tmp_path_factory.mktemp("movement") / "cars.fcd.xml.gz"
    with gzip.open(path, "wt", compresslevel=6) as file:
        file.write("<fcd-export>\n")
        for step in range(STEPS):
            file.write(f'    <timestep time="{step}.00">\n')
            for car in range(CARS):
                x, y = car * 3.25 + step * 7.81, (car * 71 % 997) + step * 0.37
                file.write(f'        <vehicle id="car_{car}_0" x="{x:.2f}" y="{y:.2f}" angle="90.00" speed="7.81"/>\n')
            file.write("    </timestep>\n")
        file.write("</fcd-export>\n")
    return path


@pytest.mark.benchmark(group="movement")
def test_floating_car_data_250_000_samples(benchmark: Any, cars: Path) -> None:
    tracks = benchmark(handoff_traces.read_movement, cars)
    assert len(tracks) == CARS * STEPS
    assert (tracks.x_mm[1], tracks.y_mm[-1]) == (7_810, 499 * 71 % 997 * 1000 + 499 * 370)


@pytest.mark.benchmark(group="movement")
def test_coverage_of_100_nodes_for_10_minutes(benchmark: Any) -> None:
    tracks = GaussMarkov(2_000_000, 1_000_000, 10_000).tracks([f"mn{i}" for i in range(100)], seed=1, until_ps=600 * S)
    positions = [(x, y) for x in range(250_000, 2_000_000, 500_000) for y in range(250_000, 1_000_000, 500_000)]
    x, y = zip(*positions, strict=True)
    coverage = Coverage(tuple(f"r{i}" for i in range(8)), x, y, Radio(shadowing=6_000))
    log = benchmark(compute_attachments, coverage, tracks, seed=1, until_ps=600 * S)
    assert len(log.mobile_names) == 100
