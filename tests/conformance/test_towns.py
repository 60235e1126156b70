"""The machine in random towns: the same on the engine and on the oracle, and what holds whatever happens there."""

from dataclasses import replace

import numpy as np
import pytest

from handoff.protocol.procedures import PROCEDURES
from tests.conformance.town import MOST_WAY_MS, MS, Town
from tests.conformance.twice import study

ROUGH = Town()
SYNCHRONIZED = [name for name, row in PROCEDURES.items() if row.family == "synchronized"]


@pytest.mark.parametrize("procedure", PROCEDURES)
@pytest.mark.parametrize("seed", range(20))
def test_a_mobile_node_that_stays_is_served_again(procedure, seed):
    """After 5 s nobody moves any more; 70 s later, after every back-off (at most 32 s), each flow still arrives."""
    setup = Town(until_ms=75_000).setup(seed)
    last = study(setup, procedure, seed).result.flows["last_ps"]
    assert np.min(last) > 55_000 * MS, [setup.network.mobile_name(i // 2) for i in np.flatnonzero(last <= 55_000 * MS)]


def after_markers(procedure: str, seeds: int, **options: object) -> tuple[int, int]:
    """Handoffs whose marker came, and packets that came by the old link after it."""
    came = late = 0
    for seed in range(seeds):
        setup = ROUGH.setup(seed)
        handoffs = study(replace(setup, options=replace(setup.options, **options)), procedure, seed).handoffs
        came += int((handoffs["marker_ps"] >= 0).sum())
        late += int(handoffs["after_marker"].sum())
    return came, late


@pytest.mark.parametrize("procedure", SYNCHRONIZED)
def test_nothing_comes_after_the_marker(procedure):
    """Every hop is a FIFO, so the marker is the last packet of the old path, whatever was lost before (decisions, 8)."""
    came, late = after_markers(procedure, 40, correspondent_race="hold")
    assert came > 100
    assert late == 0


@pytest.mark.parametrize("procedure", [p for p in SYNCHRONIZED if PROCEDURES[p].route_optimization])
def test_a_correspondent_that_deletes_at_once_breaks_the_marker(procedure):
    """Its packets then go by the home agent, which may still tunnel to the old router (decisions, 3)."""
    came, late = after_markers(procedure, 40)
    assert came > 100
    assert late > 0


@pytest.mark.parametrize("procedure", SYNCHRONIZED)
@pytest.mark.parametrize("relay", ["router", "l2"])
@pytest.mark.parametrize("overlap", [True, False])
@pytest.mark.parametrize("lead_ms", [0, 15, MOST_WAY_MS + 1])
@pytest.mark.parametrize("seed", range(5))
def test_a_guard_of_two_radio_delays_loses_nothing(procedure, relay, overlap, lead_ms, seed):
    """In scenarios I, II and III alike, with buffers large enough (oracles.md: max(0, 2 wo - guard))."""
    setup = Town(rough=False, lead_ms=lead_ms, guard_ms=12, overlap=overlap).setup(seed)
    run = study(setup, procedure, seed)
    assert len(run.handoffs["mobile"]) > 5
    assert run.result.flows["lost"].sum() == 0
    assert run.result.flows["duplicate"].sum() == 0
    scenarios = set(run.handoffs["scenario"].tolist())
    assert scenarios <= {1, 2} if overlap else scenarios == {3}
    if overlap and lead_ms > MOST_WAY_MS:
        assert scenarios == {1}
