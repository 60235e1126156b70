"""Scenarios with commuters: mistakes, rate, every procedure on the resulting attachments."""

import pytest

from handoff.protocol.procedures import PROCEDURES
from handoff.scenario import ScenarioError, load_scenario
from handoff.simulation.run import run_procedure
from handoff.workload.build import build_setup

from .street_scenario import COMMUTERS


@pytest.fixture
def metro(tmp_path):
    path = tmp_path / "metro.toml"
    path.write_text(COMMUTERS)
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["mobile_nodes=0"], "--set: movement.commuters.mobile_nodes: input should be greater than or equal to 1, not 0"),
        (["handoff_rate=75"], "--set: movement.commuters.handoff_rate: 75 has no unit: write text with one, as in '75/h'"),
        (["handoff_rate=75/d"], "--set: movement.commuters.handoff_rate: '75/d' is not a rate of events: write a number and"),
        (["handoff_rate=-1/h"], "--set: movement.commuters.handoff_rate: '-1/h' is out of range"),
        (["handoff_rate=0.1/Mh"], "--set: movement.commuters.handoff_rate: '0.1/Mh' is finer than 1 /Mh, the smallest"),
        (["handoff_rate=9/s"], "FILE:19: movement.commuters: a handoff each 0.111111 s leaves no room for lead, guard"),
        (["handoff_rate=0.01/h"], "FILE:19: movement.commuters: a handoff each 100 h is rarer than one each 20 h"),
        (["moving=1.1"], "--set: movement.commuters.moving: 1.1 is not a share: give a number from 0 to 1"),
        (["moving=0"], "FILE:19: movement.commuters: 'moving' is 0, which excludes a 'handoff_rate' above 0"),
        (["dwell=exponent"], "--set: movement.commuters.dwell: 'exponent' is not one of 'exponential' or 'constant'"),
        (["gap=1ms"], "FILE:19: movement.commuters: give either 'gap' (time without a link) or 'overlap'"),
        (["gap=1ms", "single_access=2"], "--set: movement.commuters.single_access: 2 is not a share"),
        (["single_access=0.5"], "FILE:19: movement.commuters: give either 'gap' (time without a link) or 'overlap'"),
        (["announced=-1"], "--set: movement.commuters.announced: -1 is not a share"),
        (["overlap=121ms"], "FILE:19: movement.commuters: give an 'overlap' of at most 'lead' and 'guard' together"),
        (["lead=['2ms','1ms']"], "--set: movement.commuters.lead: ['2ms', '1ms'] ends before it begins"),
        (["lead=['2ms']"], "--set: movement.commuters.lead: ['2ms'] is neither a duration nor the ends of a range"),
        (["guard=20"], "--set: movement.commuters.guard: 20 has no unit: write text with one, as in '20ms'"),
        (["group=0"], "--set: movement.commuters.group: input should be greater than or equal to 1, not 0"),
        (["speed=2"], "--set: movement.commuters.speed: 2 has no unit: write text with one, as in '1.5m/s'"),
        (["pace=2"], "--set: movement.commuters.pace: unknown key; allowed are announced, distance, dwell, gap"),
    ],
)  # fmt: skip
def test_a_mistake_is_reported(metro, changes, message):
    with pytest.raises(ScenarioError) as caught:
        load_scenario(metro, tuple(f"movement.commuters.{change}" for change in changes))
    (problem,) = caught.value.problems
    assert problem.replace(str(metro), "FILE").startswith(message)


def test_a_single_router_is_an_error(metro):
    with pytest.raises(ScenarioError, match="handoffs go to a neighbouring router"):
        load_scenario(metro, ("routers.names=['a']", "region.0.routers=['a']"))


def test_there_are_no_handoffs_at_rate_0(metro):
    setup = build_setup(load_scenario(metro, ("movement.commuters.handoff_rate=0/h",))[0], metro, 1)
    assert len(setup.attachments.mobile) == 20


def test_the_handoff_rate_is_the_mean_over_all_mobile_nodes(metro):
    """If half of them move, they do so at twice the rate."""
    half, _ = load_scenario(metro, ("movement.commuters.moving=0.5",))
    assert half.movement.commuters.model().dwell_ps == 6 * 10**12
    assert load_scenario(metro)[0].movement.commuters.model().dwell_ps == 12 * 10**12


@pytest.mark.parametrize(
    "changes",
    [
        [],
        pytest.param(["path=random"], marks=pytest.mark.deep),
        pytest.param(["group=4", "dwell=constant"], marks=pytest.mark.deep),
        pytest.param(["lead=0s", "guard=0s"], marks=pytest.mark.deep),
    ],
)
def test_every_procedure_runs_on_commuters(metro, changes):
    changes = [f"movement.commuters.{change}" for change in changes]
    setup = build_setup(load_scenario(metro, tuple(changes))[0], metro, 1)
    for name in PROCEDURES:
        run = run_procedure(setup, name, detail=True)
        assert len(run.handoffs["mobile"]) == len(setup.attachments.mobile) - 20, name
        sent, lost = (int(run.result.flows[c].sum()) for c in ("sent", "lost"))
        assert lost < 0.05 * sent, (name, lost, sent)
        if name == "sync-mipv4" and "movement.commuters.lead=0s" not in changes:
            assert lost == 0
