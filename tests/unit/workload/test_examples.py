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
        "attack bicasting bologna claims commute core figures flood handover home_agent leo metro nr restart storm train"
    )


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_valid(path):
    """The files that it names are read too, except for the trace of Bologna, which is not shipped."""
    few = ("mobile_nodes=200",) if "mobile_nodes" in variable_fields(read_tables(path)[0]) else ()
    scenario, _ = load_scenario(path, few)
    assert scenario.name == path.stem
    if path.stem != "bologna":
        assert build_setup(scenario, path, 1).network.mobile_count == {"figures": 4, "handover": 13}.get(path.stem, 200)


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


def test_the_worked_example_of_prepared_handovers():
    """One run gives the figures that follow from the delays in the file, each by its closed form (docs/handovers.md).

    Packets reach the old router from 490 on, emitted after the command's 500 - 10. Without forwarding those before the switch at
    567 are lost: 77. A mobile node hears the first forwarded one 554 - 504 + 5 + 5 - 1/2 ms after the last over the old link; if
    the source forwards at HANDOVER SUCCESS, 6 + 6 ms later; with two stacks 6 + 5 - 4 ms. The way through the old router takes 4
    ms longer than the direct one, and back through the anchor 20 ms, less a nanosecond each: 3 and 19 packets are overtaken.
    """
    setup = build("handover")
    run = run_procedure(setup, "mixture", detail=True)
    names = [setup.groups.procedures[g] for g in setup.groups.group[run.handoffs["mobile"]]]
    columns = zip(*(run.handoffs[c].tolist() for c in ("lost", "reordered", "disruption_ps", "completed")), strict=True)
    seen = dict(zip(names, columns, strict=True))
    ms = 10**9
    assert {n: s[:2] for n, s in seen.items() if any(s[:2])} == {
        "xn-um": (77, 0), "n2-unforwarded": (77, 0), "xn-ungated": (0, 3), "n2-indirect-ungated": (0, 19),
        "fmipv6-predictive": (0, 3), "fmipv6-reactive": (0, 3), "pfmipv6-predictive": (0, 3),
    }  # fmt: skip
    expected = {"xn": 59.5, "n2-indirect": 59.5, "cho-early": 59.5, "cho-late": 71.5, "fmipv6-reactive": 71.5, "daps": 7}
    assert {n: round(seen[n][2] / ms, 5) for n in expected} == expected
    assert all(s[3] for s in seen.values())


def test_a_core_has_the_messages_of_the_published_example():
    """500,000 UEs with 3 % attaches, 3 area updates, 15 service requests, 4 sessions and 5 handovers an hour: 19,780.6 a second.

    A handover over N2 brings the AMF the 8 messages of the example (tests/analytic/test_handover_load.py).
    """
    scenario = load_scenario(ROOT / "examples" / "core.toml")[0]
    per_hour = sum(table.rate * table.messages["amf"] for table in scenario.background) / 10**6
    handovers = scenario.movement.commuters.handoff_rate / 10**6
    assert round(500_000 * (per_hour + 8 * handovers) / 3600, 1) == 19_780.6
    setup = build("core", "mobile_nodes=500", "handoff_rate=0/h")
    amf = setup.network.node_index("amf")
    per_second = sum(load.expected_messages(setup.duration_ps) for load in setup.background if load.node == amf) / 60
    assert 1000 * per_second == pytest.approx(19_780.6 - 500_000 * 40 / 3600, rel=1e-5)
