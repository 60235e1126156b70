"""Shipped scenarios are valid and show what their comments say."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from engine import FOREVER
from handoff.scenario import load_scenario
from handoff.scenario.load import read_tables
from handoff.scenario.overrides import variable_fields
from handoff.simulation.run import run_procedure
from handoff.workload.build import build_setup

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "examples").glob("*.toml"))
CARS = ROOT.parent / "shared" / "data" / "bologna_acosta_600s.fcd.xml.gz"
S = 10**12


def build(name, *changes, seed=1):
    path = ROOT / "examples" / f"{name}.toml"
    return build_setup(load_scenario(path, changes)[0], path, seed)


def test_the_list_of_shipped_scenarios():
    assert " ".join(sorted(p.stem for p in EXAMPLES)) == (
        "attack bicasting bologna claims commute figures flood home_agent metro restart train"
    )


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_valid(path):
    """The files that it names are read too, except for the trace of Bologna, which is not shipped."""
    few = ("mobile_nodes=200",) if "mobile_nodes" in variable_fields(read_tables(path)[0]) else ()
    scenario, _ = load_scenario(path, few)
    assert scenario.name == path.stem
    if path.stem != "bologna":
        assert build_setup(scenario, path, 1).network.mobile_count == (4 if path.stem == "figures" else 200)


@pytest.mark.skipif(not CARS.is_file(), reason="../shared/data is absent")
def test_bologna_is_valid():
    setup = build("bologna", f"movement.trace={CARS}", "duration=20s")
    assert len(setup.attachments.mobile) > setup.network.mobile_count > 10


def test_metro_hands_off_at_the_rate_of_the_drive_tests():
    """75 handoffs an hour and node; half of the nodes have a call in both directions, half a video for five seconds."""
    setup = build("metro", "mobile_nodes=400")
    handoffs = stats.poisson(400 * 75 * (60 - 0.22) / 3600)  # handoffs that have not ended with the run are left out
    assert handoffs.ppf(5e-7) <= len(setup.attachments.mobile) - 400 <= handoffs.ppf(1 - 5e-7)
    assert len(setup.gateways) == 64
    assert np.bincount(list(setup.gateways.values()))[min(setup.gateways.values()) :].tolist() == [32, 32]
    columns = setup.network.flow_column("mobile"), setup.network.flow_column("up")
    assert [int((columns[1] == up).sum()) for up in (0, 1)] == [400, 200]
    predictive, reactive = (run_procedure(setup, name) for name in ("sync-hmipv4", "mipv4"))
    assert int(predictive.result.flows["lost"].sum()) == 0
    assert int(reactive.result.flows["lost"].sum()) > 50


def test_the_train_passes_twenty_cells_at_once():
    """All passengers hand off together, 12 s apart; the buffers hold all packets that arrive meanwhile."""
    setup = build("train", "mobile_nodes=10")
    move = setup.attachments
    assert len(move.mobile) == 10 * 20
    ends = np.unique(move.down_ps[move.down_ps < FOREVER])
    assert len(ends) == 19
    assert (np.diff(ends) == 12 * S).all()
    names = [setup.network.nodes[n].name for n in move.router[:20].tolist()]
    assert names == [f"ar{i:02}" for i in range(20)]
    for name in ("mipv4-smooth", "sync-hmipv4"):
        assert int(run_procedure(setup, name).result.flows["lost"].sum()) == 0, name


def test_bindings_are_restored_by_the_next_refresh_after_a_restart():
    """A refresh each 60 s and a packet each 10 s: bindings are missing for 30 s on average, three packets."""
    run = run_procedure(build("restart", "mobile_nodes=500", "handoff_rate=0/h"), "mipv4")
    assert int(run.result.flows["lost"].sum()) == pytest.approx(500 * 3, rel=0.08)
