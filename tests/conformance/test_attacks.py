"""Attacks of a scenario file, each with its defence on and off. The counts follow from the delays in ``attacked_scenario``."""

import numpy as np
import pytest

from handoff.protocol.constants import IDENTIFICATION_TOLERANCE
from handoff.theory.queueing import md1k_loss
from tests.conformance.attacked_scenario import build, figures, run
from tests.conformance.weakened import without_identifications

ON, OFF = "authentication = true", "authentication = false"
RFC_OFF = 'profile = "rfc"\nauthentication = false'
MS = 10**9
RQ, RR = 20 + 8 + 24 + 22, 20 + 8 + 20 + 22
"""Bytes of a registration request and a reply: IPv4, UDP, fixed part, Mobile-Home authentication extension (RFC 5944)."""


# -- forged registrations (RFC 5944 3.2, 5.1) -----------------------------------------------------------------------------
FORGED = 'kind = "forged registration"\nnode = "rogue"'


def test_a_forged_registration_diverts_every_packet_without_authentication(tmp_path):
    """It is at the home agent at 1 and bound at 2; the first of 400 packets comes at 10. The attacker's node drops them."""
    result = run(build(tmp_path, FORGED, options=OFF), "mipv4")
    assert figures(result, "attack_messages", "attack_bytes", "attack_accepted", "attack_refused") == (1, RQ, 1, 0)
    assert figures(result, "diverted", "diverted_bytes", "sent", "lost") == (400, 400 * 200, 400, 400)
    assert result.result.fate_counts() == {"no binding": 400}


def test_a_forged_registration_diverts_nothing_with_authentication(tmp_path):
    """Code 131: one reply to the care-of address, which is the attacker's (RFC 5944 3.4)."""
    result = run(build(tmp_path, FORGED, options=ON), "mipv4")
    assert figures(result, "attack_accepted", "attack_refused", "diverted", "lost") == (0, 1, 0, 0)
    assert figures(result, "attack_answers", "attack_answer_bytes") == (1, RR)
    assert result.result.fate_counts() == {"delivered": 400}
    assert result.result.fate_counts(control=True) == {"authentication failed": 1, "delivered": 1}


@pytest.mark.parametrize("procedure", ["mipv6", "sync-mipv6", "pmipv6", "sync-mipv4", "mipv4-bicast"])
def test_authentication_protects_the_home_agent_under_every_procedure(procedure, tmp_path):
    for options, diverted in ((OFF, 400), (ON, 0)):
        result = run(build(tmp_path, FORGED, options=options), procedure)
        assert figures(result, "diverted", "attack_accepted") == (diverted, int(diverted > 0))


def test_a_rate_and_a_stop_bound_the_messages(tmp_path):
    """100 a second from 1 s to before 1.5 s: 50. The last one leaves at 1490, is processed at 1492 and binds for 600 s."""
    attack = FORGED + '\nrate = "100/s"\nstart = "1s"\nstop = "1500ms"'
    result = run(build(tmp_path, attack, options=OFF), "mipv4")
    assert figures(result, "attack_messages", "attack_accepted", "attack_service_seconds") == (50, 50, 0.05)
    assert figures(result, "diverted") == (len([t for t in range(0, 4000, 10) if t + 10 >= 1002]),)


def test_attacks_concern_chosen_mobile_nodes(tmp_path):
    attack = FORGED + '\nmobiles = "mn[1-9]"'
    with pytest.raises(ValueError, match=r"attack\.0\.mobiles: no mobile node matches 'mn\[1-9\]'; there are mn0 to mn0"):
        build(tmp_path, attack)
    assert figures(run(build(tmp_path, FORGED + '\nmobiles = "mn*"'), "mipv4"), "diverted") == (400,)


def test_the_mobile_node_resynchronizes_after_a_forged_identification(tmp_path):
    """The forged identification exceeds the mobile node's, and is bound at 3. The request of 1100 is refused at 1108 (133, with
    the latest identification). The mobile node repeats it at 1115 and is bound at 1123: the packets of 0 to 1110 are diverted,
    112 in all.
    """
    stays = (("ar0", 0, 1000), ("ar1", 1000, 4100))
    result = run(build(tmp_path, FORGED + '\nstart = "1ms"', options=RFC_OFF, stays=stays), "mipv4")
    assert figures(result, "diverted", "legitimate_refused") == (len([t for t in range(0, 4000, 10) if t + 10 < 1123]), 1)
    assert result.handoffs["completed"].tolist() == [1]


# -- replayed and delayed registrations (RFC 5944 5.7) ---------------------------------------------------------------------
TO_AR1_AND_BACK = (("ar0", 0, 1000), ("ar1", 1000, 2000), ("ar0", 2000, 4100))
REPLAYED = 'kind = "replayed registration"\nnode = "ar1"\ndelay = "2s"'


@pytest.mark.parametrize(("second_rule", "diverted"), [(True, 0), (False, 90)])
def test_a_replayed_registration_is_refused_for_its_identification(second_rule, diverted, tmp_path):
    """The request of 1100 passes the attacker, the router ar1, at 1102. It repeats it at 3102, and the home agent has it at 3108.

    Its timestamp is 2 s old, which the tolerance of 7 s admits. Only the rule that identifications grow stops it. Without that
    rule the old care-of address wins: the packets sent at 3100 to 3990 go to ar1.
    """
    procedure = "mipv4" if second_rule else without_identifications("mipv4")
    result = run(build(tmp_path, REPLAYED, options='profile = "rfc"', stays=TO_AR1_AND_BACK), procedure)
    assert figures(result, "attack_messages", "attack_accepted", "attack_refused") == (1, int(not second_rule), int(second_rule))
    after = [t for t in range(0, 4000, 10) if t + 10 >= 3108]
    assert figures(result, "diverted") == (diverted,) == (len(after) * (not second_rule),)
    assert result.result.fate_counts(control=True).get("replayed", 0) == int(second_rule)


@pytest.mark.parametrize(("delay_ms", "accepted"), [(6992, 1), (6993, 0)])
def test_a_delayed_registration_is_accepted_for_seven_seconds(delay_ms, accepted, tmp_path):
    """The router ar1 holds back the request of 1100 from 1102 on. The home agent processes it 6 after ar1 sends it, and so 8 +
    the delay after its timestamp. The mobile node is on no link then, so that no newer request precedes it.
    """
    assert 8 * MS + 6992 * MS == IDENTIFICATION_TOLERANCE
    stays = (("ar0", 0, 1000), ("ar1", 1000, 1500), ("ar0", 9000, 10_100))
    attack = f'kind = "delayed registration"\nnode = "ar1"\ndelay = "{delay_ms}ms"'
    result = run(build(tmp_path, attack, options='profile = "rfc"', stays=stays, duration="9050ms"), "mipv4")
    assert figures(result, "attack_messages", "attack_accepted", "attack_refused") == (1, accepted, 1 - accepted)
    data = [t for t in range(0, 9050, 10) if t + 10 >= 1102 + delay_ms + 6 and t + 10 < 9050]
    assert figures(result, "diverted") == (len(data) * accepted,)


def test_an_attacker_that_records_nothing_changes_nothing(tmp_path):
    """Messages for the correspondent stop at ``core``, which sends them on at once: its registration server is not for them."""
    stays, options = (("ar0", 0, 1000), ("ar1", 900, 2500), ("ar0", 2450, 4100)), 'profile = "rfc"\ndad = "0s"'
    idle = 'kind = "replayed update"\nnode = "core"\ndelay = "1s"\nstop = "1ms"'
    with_attack, without = (
        run(build(tmp_path, *attacks, options=options, stays=stays, core="50ms"), "mipv6-ro")
        for attacks in ([idle], [])
    )
    for name, column in without.handoffs.items():
        assert np.array_equal(column, with_attack.handoffs[name]), name
    for name, column in without.result.flows.items():
        assert np.array_equal(column, with_attack.result.flows[name]), name
    assert with_attack.result.fingerprint == without.result.fingerprint
    assert figures(with_attack, "attack_messages") == (0,)
    messages = dict(zip(with_attack.result.node_names, with_attack.result.nodes["messages"].tolist(), strict=True))
    assert messages["core"] == 6 + 4, "both tests and the update; the home token of the first handoff serves for the second"
    assert with_attack.handoffs["completed"].tolist() == [1, 1]


# -- forged updates to correspondents (RFC 6275 5.2, 15.4) ------------------------------------------------------------------
@pytest.mark.parametrize("routability", ["true", "false"])
def test_an_attacker_off_the_path_needs_no_tokens_only_without_return_routability(routability, tmp_path):
    """Without it the update is at the correspondent at 11: 398 packets, of 20 to 3990. With it the attacker has one token.

    It sends two tests and an update, of which the correspondent refuses the last.
    """
    attack = 'kind = "forged update"\nnode = "rogue"'
    options = f'profile = "rfc"\nreturn_routability = {routability}'
    result = run(build(tmp_path, attack, options=options), "mipv6-ro")
    if routability == "true":
        assert figures(result, "attack_messages", "attack_accepted", "attack_refused") == (3, 0, 1)
        assert figures(result, "diverted") == (0,)
    else:
        assert figures(result, "attack_messages", "attack_accepted", "attack_refused") == (1, 1, 0)
        assert figures(result, "diverted") == (len([t for t in range(0, 4000, 10) if t >= 11]),) == (398,)


def test_an_attacker_on_both_paths_succeeds(tmp_path):
    """``core`` is on the path of the home test, and the care-of address is its own. It sends both tests at 0, which are at the
    correspondent at 5, reads both tokens at 10, and the correspondent is bound at 15 (documented in RFC 6275 15.4.4).
    """
    result = run(build(tmp_path, 'kind = "forged update"\nnode = "core"', options='profile = "rfc"'), "mipv6-ro")
    assert figures(result, "attack_messages", "attack_accepted", "attack_refused") == (3, 1, 0)
    assert figures(result, "diverted") == (len([t for t in range(0, 4000, 10) if t >= 15]),) == (398,)


@pytest.mark.parametrize(("delay_ms", "refused"), [(200_000, 0), (238_832, 0), (238_833, 1)])
def test_a_delayed_update_is_refused_when_its_nonce_is_240_s_old(delay_ms, refused, tmp_path):
    """The mobile node moves at 1 s, so that its tokens have the nonce of second 0. ``core`` holds its update back.

    The mobile node registers at 1100, has the reply at 1115 and sends the home test, which is at the home agent at 1122, leaves
    it at 1123, is answered by the correspondent at 1133, leaves the home agent at 1144 and ends at 1151. The update is at
    ``core`` at 1151 + 2 + 5 + 5 = 1163 and is at the correspondent 5 later: 1168 + 238,832 = 240,000.
    """
    stays = (("ar0", 0, 1000), ("ar1", 1000, 1500))
    attack = f'kind = "delayed update"\nnode = "core"\ndelay = "{delay_ms}ms"\nstop = "1400ms"'
    options = 'profile = "rfc"\ndad = "0s"'
    setup = build(tmp_path, attack, stays=stays, options=options, duration="250s", margin="0s")
    assert figures(run(setup, "mipv6-ro"), "attack_messages", "attack_refused") == (1, refused)


# -- floods (RFC 6275 15.5) ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("options", "answers"), [(OFF, 0), (ON, 1000)])
def test_a_flood_costs_service_time_and_diverts_nothing(options, answers, tmp_path):
    """1,000 requests in 1 s, each of which takes 1 ms: the server has just finished one when the next comes, and drops none."""
    attack = 'kind = "registration flood"\nnode = "rogue"\nto = "ha"\nrate = "1000/s"\nstop = "1s"'
    result = run(build(tmp_path, attack, options=options), "mipv4")
    assert figures(result, "attack_messages", "attack_refused", "attack_dropped") == (1000, 1000, 0)
    assert figures(result, "attack_service_seconds", "attack_answers", "diverted", "lost") == (1.0, answers, 0, 0)


FLOOD = """
name = "flood"
duration = "12s"
home_agent = {{ name = "ha", registration = "1ms", registration_queue = 5 }}
correspondent = {{ name = "cn" }}
node = [{{ name = "rogue" }}]
link = [{{ between = ["ha", "cn"], delay = "10ms" }}, {{ between = ["ha", "rogue"], delay = "1ms" }}]
traffic = [{{ interval = "10min", phase = "10min", size_bytes = 200 }}]
options = {{ lifetime = "18h", retransmit = "1000s", retransmit_max = "1000s", agent_discovery = "1ms" }}

[routers]
names = "ar{{0..7}}"
wired_to = "ha"
wired = {{ delay = "5ms" }}
cell = {{ delay = "2ms" }}

[movement.commuters]
mobile_nodes = 2000
handoff_rate = "360/h"
gap = "1ms"
path = "ring"

[[attack]]
kind = "registration flood"
node = "rogue"
to = "ha"
rate = "{rate}/s"
poisson = true
"""


@pytest.mark.parametrize("rate", [500, 1000])
def test_a_flood_makes_the_home_agent_drop_legitimate_requests_as_in_md1k(rate, tmp_path):
    """200 legitimate requests a second and the attack's are one Poisson stream: all see the loss of M/D/1/K with K = 5.

    2,400 legitimate requests: at p = 0.05 a standard error of 0.0045, at p = 0.25 one of 0.009, doubled for correlation.
    """
    from handoff.scenario.load import load_scenario
    from handoff.workload.build import build_setup

    path = tmp_path / "flood.toml"
    path.write_text(FLOOD.format(rate=rate))
    result = run(build_setup(load_scenario(path)[0], path, seed=1), "mipv4")
    loss = md1k_loss((rate + 200) / 1000, 5)
    dropped, served, attacks, attack_dropped = figures(
        result, "legitimate_dropped", "legitimate_served", "attack_messages", "attack_dropped"
    )
    assert dropped + served > 2000
    for lost, of in ((dropped, dropped + served), (attack_dropped, attacks)):
        assert lost / of == pytest.approx(loss, abs=4 * 2 * np.sqrt(loss * (1 - loss) / of))
    assert figures(result, "unfinished_handoffs")[0] >= dropped


# -- two agents that point at each other (decision 25) -------------------------------------------------------------------------
LOOP = 'kind = "tunnel loop"\nnode = "rogue"\nto = "ha"\ncare_of = "ar0"'


@pytest.mark.parametrize(("limit", "there", "back"), [(4, 2, 2), (3, 2, 1), (2, 1, 1)])
def test_a_loop_of_home_agent_and_router_ends_at_the_tunnel_limit(limit, there, back, tmp_path):
    """The home agent is bound to ar0 at 2 and ar0 forwards to the home agent from 6 on. Each of 400 packets goes back and forth
    with a tunnel each time, and is dropped instead of entering one more than the limit.
    """
    result = run(build(tmp_path, LOOP, options=f"{OFF}\ntunnel_limit = {limit}"), "mipv6")
    assert result.result.fate_counts() == {"tunnel limit": 400}
    assert figures(result, "attack_accepted", "diverted", "lost") == (2, 400 * limit, 400)
    links = result.result.links
    data = dict(zip(result.result.link_names, links["packets"] - links["control_packets"], strict=True))
    assert (data["ha>ar0"], data["ar0>ha"]) == (400 * there, 400 * back)


@pytest.mark.parametrize("procedure", ["mipv6", "sync-mipv4"])
def test_authentication_prevents_the_loop(procedure, tmp_path):
    result = run(build(tmp_path, LOOP, options=ON), procedure)
    assert figures(result, "attack_accepted", "attack_refused", "diverted", "lost") == (0, 2, 0, 0)


# -- reflection --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("procedure", "request_bytes", "answer_bytes"), [("mipv4", 28, 48), ("mipv6", 56, 96)])
def test_a_router_answers_solicitations_to_the_victim_with_more_bytes(procedure, request_bytes, answer_bytes, tmp_path):
    """RFC 1256: 20 + 8 bytes against 20 + 8 + 8 + 2 + 10. RFC 4861: 40 + 16 against 40 + 16 + 8 + 32. The factor is 12 / 7."""
    attack = 'kind = "reflection"\nnode = "rogue"\nto = "ar0"\nrate = "100/s"\nstop = "1s"'
    result = run(build(tmp_path, attack, options=ON), procedure)
    assert figures(result, "attack_messages", "attack_bytes") == (100, 100 * request_bytes)
    assert figures(result, "attack_answers", "attack_answer_bytes") == (100, 100 * answer_bytes)


def test_a_home_agent_and_a_correspondent_do_not_amplify(tmp_path):
    """A refusal has 70 bytes for 74, a token 40 + 24 for a test of 40 + 16. A home agent of IPv6 is silent (RFC 6275 9.5.1)."""

    def attack(to):
        return f'kind = "reflection"\nnode = "rogue"\nto = "{to}"\ncare_of = "ar1"'

    names = "attack_bytes", "attack_answer_bytes"
    assert figures(run(build(tmp_path, attack("ha"), options=ON), "mipv4"), *names) == (74, 70)
    assert figures(run(build(tmp_path, attack("cn"), options='profile = "rfc"'), "mipv6-ro"), *names) == (56, 64)
    assert figures(run(build(tmp_path, attack("ha"), options=ON), "mipv6"), *names)[1] == 0
