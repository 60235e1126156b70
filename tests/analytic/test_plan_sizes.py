"""The sizes that a plan finds equal the closed forms of handoffs within one packet (constant delays, docs/theory.md)."""

import json

import pytest
from click.testing import CliRunner

from engine.quantities import parse_duration
from handoff.cli.main import main
from tests.unit.experiments.planning.one_mobile_node import BN, BO, C, P, T, W, commuting, one_handoff

SWITCH = W + C + BN + P
"""Time in ms from the request to the switch at the home agent."""


def plan_size(file, what, *options, procedure="sync-mipv4"):
    done = CliRunner().invoke(main, ["plan", str(file), "--size", what, "--procedures", procedure, "--json", *options])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)["answers"]


@pytest.mark.parametrize("radio_ms", [20, pytest.param(100, marks=pytest.mark.deep)])
def test_the_new_router_buffers_packets_of_both_paths_until_its_link_is_up(tmp_path, radio_ms):
    """Scenario III: ((min(tU, tH+bo+c) - (tB+c))+ + (tU - (tH+bn))+) / T, and the acknowledgements that wait there too."""
    warn, down = SWITCH - 20, SWITCH - 10
    up, updated = down + radio_ms, warn + W
    peak = (max(0, min(up, SWITCH + BO + C) - (updated + C)) + max(0, up - (SWITCH + BN))) / T
    messages = sum(t <= up for t in (updated + C, SWITCH + BN))
    assert peak == {20: 20, 100: 106}[radio_ms]
    old, new = plan_size(one_handoff(tmp_path, predict=0, warn=warn, down=down, up=up), "buffer")
    assert old["met"] == 0  # with 10 ms of warning, the update arrives before the link ends
    assert (new["missed"], new["breaks_first"][0]["mean"]) == (new["met"] - 1, 1)
    assert abs(new["met"] - messages - peak) <= 1


@pytest.mark.parametrize("gap_ms", [20, pytest.param(200, marks=pytest.mark.deep)])
def test_the_old_router_buffers_packets_until_the_update_arrives(tmp_path, gap_ms):
    """mipv4-smooth: (tB - (tL - wo)) / T, tB = tU + 100 ms of agent discovery + wn + c."""
    updated = gap_ms + 100 + W + C
    need = (updated + W) / T
    old, new = plan_size(one_handoff(tmp_path, down=0, up=gap_ms), "buffer", procedure="mipv4-smooth")
    assert abs(old["met"] - need) <= 1
    assert old["missed"] == old["met"] - 1
    assert new["met"] <= 1 or new["missed"] == new["met"] - 1


@pytest.mark.deep
def test_the_old_router_buffers_packets_if_the_guard_is_too_short(tmp_path):
    """sync-mipv4 in scenario II: max(0, 2 wo - (tL - tW)) / T."""
    old, _ = plan_size(one_handoff(tmp_path, predict=0, warn=SWITCH - 2, down=SWITCH + 1, up=5), "buffer")
    assert abs(old["met"] - (2 * W - 3) / T) <= 1


@pytest.mark.deep
def test_the_lead_is_the_delay_of_the_request_and_the_marker(tmp_path):
    """wo + c + bn + p + bo + wo from the prediction to the warning, before which the marker has to arrive."""
    lead = W + C + BN + P + BO + W
    assert lead == 35
    (answer,) = plan_size(commuting(tmp_path), "lead", "--most-runs", "3")
    missed, met = (parse_duration(answer[end]) for end in ("missed", "met"))
    assert missed <= lead * 10**9 < met
    assert met - missed <= T * 10**8


@pytest.mark.deep
def test_no_size_is_enough_for_a_conventional_handoff(tmp_path):
    """The packets that it loses are never buffered."""
    file = one_handoff(tmp_path, down=0, up=200)
    done = CliRunner().invoke(main, ["plan", str(file), "--size", "buffer", "--procedures", "mipv4", "--json"])
    assert done.exit_code == 3
    (answer,) = json.loads(done.stdout)["answers"]
    assert not answer["found"]
    lost = 200 + 100 + W + BN + P + BO + W
    assert all(abs(e["targets"][0]["mean"] - lost / T) <= 1 for e in answer["evaluations"])
