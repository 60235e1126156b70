"""Phases of a first Mobile IPv6 registration against published figures (Rana et al., Simul. Model. Pract. Theory 72, 2017).

The figures are the ns-3 column of the paper. The closed form of movement detection is the time to the next advertisement of a
router with uniform intervals, E[X²]/2E[X], plus a random delay of up to 1 s and 1 s of duplicate address detection. The round
trips are those of the paper's topology: 4 ms from the mobile node to its correspondent, 9 ms by the home agent, 6 ms to it.
"""

import math

import numpy as np
import pytest

from engine import FOREVER, Network
from handoff.protocol.messages import MessageFields
from handoff.protocol.setup import Attachments, Options, Setup
from handoff.simulation.baseline import ZERO_BYTES
from handoff.simulation.observer import RunObserver
from handoff.simulation.run import run_procedure
from tests.analytic.one_handoff import one_handoff_setup

S = 10**12
MOBILES, ROUTERS = 1000, 20
PUBLISHED = {(1.0, 3.0): 2.600, (0.05, 1.5): 2.083}
HOME_REGISTRATION, ROUTABILITY, CORRESPONDENT = 1.022, 0.009, 0.004


def first_registrations(low_s, high_s):
    """Build mobile nodes whose links come up at random times, at least a second after the start."""
    rng = np.random.default_rng(1)
    net = Network()
    net.node("cn"), net.node("ha")
    net.link("cn", "ha", delay="1.5ms", both=True)
    routers = []
    for i in range(ROUTERS):
        routers.append(net.node(f"r{i}"))
        net.link("ha", f"r{i}", delay="2.5ms", both=True)
        net.link("cn", f"r{i}", delay="1.5ms", both=True)
        net.cell(f"r{i}", delay="0.5ms")
    mobiles = np.array([net.mobile(f"mn{i}", home="ha") for i in range(MOBILES)])
    net.cbr("cn", mobiles, interval="1s", size_bytes=100, count=1)
    up = rng.integers(S, 300 * S, MOBILES)
    nothing = np.full(MOBILES, -1)
    movement = Attachments(mobiles, np.array(routers)[mobiles % ROUTERS], up, np.full(MOBILES, FOREVER), nothing, nothing)
    options = Options(
        profile="rfc", discovery="advertisement", advertisement_min_ps=round(low_s * S), advertisement_max_ps=round(high_s * S),
        lifetime_s=1200,
    )  # fmt: skip
    return Setup(net, net.node_index("ha"), movement, 320 * S, options)


class Phases:
    """Times in seconds at which each mobile node first sent and received each message."""

    def __init__(self, procedure, low_s, high_s):
        self.setup = first_registrations(low_s, high_s)
        self.up = self.setup.attachments.up_ps / S
        observer = RunObserver(self.setup, procedure)
        sends = [(a.mobile, observer.message(MessageFields.unpack(a.arguments["args"])), a.time_ps) for a in observer.actions
                 if a.verb == "send" and a.node == -1]  # fmt: skip
        gets = [(a.mobile, observer.message(a.fields), a.time_ps) for a in observer.arrivals if a.node == -1]
        self.sent, self.got = self._table(sends), self._table(gets)
        first = self.sent["BU1"]
        self.retransmitting = [m for m, n, t in sends if n == "BU1" and 0 < t / S - first[m] < 100]  # a refresh comes later

    @staticmethod
    def _table(rows):
        times = {name: np.full(MOBILES, np.nan) for name in {name for _, name, _ in rows}}
        for mobile, name, time_ps in rows:
            times[name][mobile] = np.fmin(times[name][mobile], time_ps / S)
        return times


PARAMS = [
    ("mipv6-ro", 1.0, 3.0),
    *(pytest.param(p, marks=pytest.mark.deep) for p in (("mipv6-ro", 0.05, 1.5), ("mipv6", 1.0, 3.0), ("mipv6", 0.05, 1.5))),
]
"""Procedure, and shortest and longest interval of advertisements."""


@pytest.fixture(scope="module", params=PARAMS, ids=str)
def phases(request):
    return request.param, Phases(*request.param)


def test_movement_detection(phases):
    """Within 5 % of the published mean, and within 4 standard errors of the closed form."""
    (_, low, high), seen = phases
    detection = seen.sent["BU1"] - seen.up
    assert np.mean(detection) == pytest.approx(PUBLISHED[low, high], rel=0.05)
    mean, second = (low + high) / 2, (high**3 - low**3) / (3 * (high - low))
    assert abs(np.mean(detection) - (second / (2 * mean) + 1.5)) < 4 * np.std(detection) / math.sqrt(MOBILES)


def test_home_registration(phases):
    """1 s of duplicate address detection and a round trip; with a first wait of 1.5 s no node retransmits."""
    _, seen = phases
    registration = seen.got["BA1"] - seen.sent["BU1"]
    assert np.mean(registration) == pytest.approx(HOME_REGISTRATION, rel=0.05)
    np.testing.assert_allclose(registration, 1.006, atol=1e-6)
    assert seen.retransmitting == []


def test_return_routability_and_correspondent_registration(phases):
    (procedure, _, _), seen = phases
    if procedure == "mipv6":
        assert not {"HoTI2", "CoTI2", "BU2"} & set(seen.sent)
        return
    home_test = seen.got["HoT2"] - seen.sent["HoTI2"]
    assert np.mean(home_test) == pytest.approx(ROUTABILITY, rel=0.05)
    np.testing.assert_allclose(seen.got["CoT2"] - seen.sent["CoTI2"], 0.004, atol=1e-6)
    assert np.mean(seen.got["BA2"] - seen.sent["BU2"]) == pytest.approx(CORRESPONDENT, rel=0.05)
    np.testing.assert_allclose(seen.sent["BU2"], np.maximum(seen.got["HoT2"], seen.got["CoT2"]), atol=1e-6)


@pytest.mark.parametrize("lifetime_s", [600, 1200])
def test_the_binding_at_a_correspondent_is_refreshed_before_it_expires(lifetime_s):
    """Without a binding the correspondent would send by the home agent: no loss, but no optimized route either."""
    setup = one_handoff_setup(
        "mipv6-ro", interval_ms=1000, old_down=10_000, new_up=10_010, until_ms=1_500_000, profile="rfc", lifetime_s=lifetime_s
    )
    result = run_procedure(setup, "mipv6-ro", reference=ZERO_BYTES).result
    by_home_agent = result.link_names.index("cn>ha")
    assert result.links["packets"][by_home_agent] == result.links["control_packets"][by_home_agent]
