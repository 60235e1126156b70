"""Attacks on registrations, and the defences of the profile ``rfc``. Without them each attack succeeds (negative controls).

The victim is at the old router and gets a packet every 10 ms. The attacker, at the node ``peer``, diverts them to the new router.
"""

import pytest

from handoff.protocol.constants import IDENTIFICATION_TOLERANCE, MAX_NONCE_LIFETIME, NONCE_INTERVAL, Status
from handoff.protocol.messages import MessageFields
from handoff.protocol.program import compile_program
from handoff.protocol.security import NONCE_BITS, authenticator, management_key, nonce_index
from tests.conformance.attacker import ForgedMessage, data_packets_on, find_request_step, run_with_attacker
from tests.conformance.cases import BREAK
from tests.conformance.run_assertions import RunView
from tests.conformance.two_router_scene import Scene, Stay
from tests.conformance.weakened import without_acknowledgements, without_identifications

MS = 10**9
HERE = (Stay("old", down=900_000), Stay("new", up=910_000))
STAYS = Scene(HERE, until=3000)
DOWN = range(0, 2900, 10)
OLD_ENOUGH = 10**6


def index(setup, name):
    return setup.network.node_index(name)


def control_fates(view):
    return {k: v for k, v in view.run.result.fate_counts(control=True).items() if k not in ("delivered", "in flight")}


# -- forged registrations -----------------------------------------------------------------------------------------------
FORGED = [
    ("mipv4", "RQ", "HA", "ha", "ha>new"), ("sync-mipv4", "RQ", "HA", "ha", "ha>new"),
    ("sync-hmipv4", "RQ", "GFA", "gw", "gw>new"), ("sync-hmipv6", "BU", "MAP", "gw", "gw>new"),
    ("mipv6", "BU1", "HA", "ha", "ha>new"),
]  # fmt: skip


def forge(setup, procedure, message, role, to, at=1000):
    number, numbered = find_request_step(compile_program(setup, procedure), message, role)
    fields = MessageFields(number, len(numbered.step.path) - 1, -1, index(setup, "new"), -1, at * MS, 600)
    return run_with_attacker(setup, procedure, [ForgedMessage(at, to, fields)])


@pytest.mark.parametrize(("procedure", "message", "role", "to", "link"), FORGED)
def test_a_forged_registration_diverts_nothing(procedure, message, role, to, link):
    """Code 131 in IPv4 (RFC 5944 3.4), no reply in IPv6."""
    view = forge(STAYS.setup(down=DOWN, options={"profile": "rfc"}), procedure, message, role, to)
    assert control_fates(view) == {"authentication failed": 1} | ({"no visitor": 1} if view.program.procedure.ip == 4 else {})
    codes = [a.fields.status for a in view.arrivals if a.node == index(view.setup, "new")]
    assert codes == ([Status.AUTHENTICATION_FAILED] if view.program.procedure.ip == 4 else [])
    assert Status.AUTHENTICATION_FAILED == 131
    assert data_packets_on(view, link) == 0
    assert view.run.result.fate_counts() == {"delivered": len(DOWN)}


@pytest.mark.parametrize(("procedure", "message", "role", "to", "link"), FORGED)
def test_without_authentication_it_diverts_everything(procedure, message, role, to, link):
    """The home agent processes it at 1018 + 1, the gateway (peer, old, gw: 25 ms) at 1025 + 1. Later packets are diverted."""
    view = forge(STAYS.setup(down=DOWN), procedure, message, role, to)
    way, bound = (27.5, 1026) if to == "gw" else (20, 1019)
    assert data_packets_on(view, link) == len([t for t in DOWN if t + way >= bound])


# -- replayed and delayed registrations (RFC 5944 5.7) ------------------------------------------------------------------
BACK = Scene([Stay("old", down=500), Stay("new", up=510, down=1500), Stay("old", up=1510)], until=12_000)
"""Registered through the new router (618 + …), and through the old one again a second later."""


def recorded_requests(setup, procedure="mipv4", message="RQ"):
    """Return the requests that reach the home agent, as an attacker on the path records them."""
    view = RunView(setup, procedure)
    return [a for a in view.arrivals if a.node == index(setup, "ha") and view.message(a.fields) == message]


@pytest.mark.parametrize("at", [2500, 5000, 9000])
@pytest.mark.parametrize("second_rule", [True, False])
def test_a_replayed_registration_with_a_valid_timestamp_is_refused(at, second_rule):
    """Recorded at 628 ms; the timestamp is valid until 7.6 s. Before that only the growth of identifications stops the replay."""
    setup = BACK.setup(down=range(0, 11_900, 10), options={"profile": "rfc"})
    first = recorded_requests(setup)[0]
    within = at * MS + 19 * MS - first.fields.identification <= IDENTIFICATION_TOLERANCE
    assert within == (at < 7600)
    procedure = "mipv4" if second_rule else without_identifications("mipv4")
    before = data_packets_on(RunView(setup, procedure), "ha>new")
    view = run_with_attacker(setup, procedure, [ForgedMessage(at, "ha", first.fields)])
    diverted = data_packets_on(view, "ha>new") - before
    if second_rule or not within:
        assert diverted == 0
        assert control_fates(view)["replayed"] == 1
        codes = [a.fields.status for a in view.arrivals if a.node == index(setup, "new") and a.time_ps > at * MS]
        assert codes == [Status.IDENTIFICATION_MISMATCH]
        assert Status.IDENTIFICATION_MISMATCH == 133
    else:
        assert diverted > 500, "the old care-of address wins"


@pytest.mark.parametrize(("delay", "accepted"), [(6900, True), (7001, False)])
def test_a_delayed_registration_is_accepted_for_seven_seconds(delay, accepted):
    """The home agent gets nothing newer from the mobile node; the attacker delivers the first request."""
    scene = Scene(STAYS.stays, until=12_000)
    heard = recorded_requests(BREAK.setup(options={"profile": "rfc"}))[0]
    sent = heard.fields.identification / MS
    assert sent == 800
    transit_ms = 18 + 1  # ms
    message = ForgedMessage(sent + delay - transit_ms, "ha", heard.fields)
    view = run_with_attacker(scene.setup(options={"profile": "rfc"}), "mipv4", [message])
    assert (view.table("ha", 11_000) == ["new"]) == accepted
    assert ("replayed" in control_fates(view)) == (not accepted)


def test_a_request_refused_for_its_timestamp_is_repeated_at_once():
    """Resynchronization (RFC 5944 5.7.1): 7,100 forged requests of 1 ms each precede the request of 500 at the home agent."""
    scene = Scene([Stay("old", down=20_000, predict=500), Stay("new", up=520)], until=12_000)
    setup = scene.setup(options={"profile": "rfc", "retransmit_ps": 60_000 * MS})
    number, numbered = find_request_step(compile_program(setup, "sync-mipv4"), "RQ", "HA")
    forged = MessageFields(number, len(numbered.step.path) - 1, -1, index(setup, "new"), -1, 0, 600)
    view = run_with_attacker(setup, "sync-mipv4", [ForgedMessage(500, "ha", forged)] * 7100)
    # all of them are at the home agent at 518, before the request (522), which is served at 7619
    answers = [(a.time_ps / MS, a.fields.status) for a in view.arrivals if a.node == -1 and view.message(a.fields) == "RR"]
    assert (7619 + 12 + 5, Status.IDENTIFICATION_MISMATCH) in answers
    assert [a.time_ps / MS for a in view.sends("RQ")] == [500, 7636]
    assert view.table("ha", 7636 + 5 + 12 + 1) == ["new"]


# -- return routability (RFC 6275 5.2, 15.4) ----------------------------------------------------------------------------
def obtain_tokens(setup, procedure):
    """Return the tokens for an attacker who requests both. The home token passes only between correspondent and home agent."""
    program = compile_program(setup, procedure)
    cn, new = index(setup, "cn"), index(setup, "new")
    steps = program.return_routability
    home, care_of = (MessageFields(steps[m], hop, -1, new, cn, 1, 0) for m, hop in (("HoTI2", 3), ("CoTI2", 2)))
    view = run_with_attacker(setup, procedure, [ForgedMessage(1000, "cn", home), ForgedMessage(1000, "cn", care_of)])
    tokens = {}
    for arrival in view.arrivals:
        where = {index(setup, "ha"): "HoT2", new: "CoT2"}.get(arrival.node)
        if where == view.message(arrival.fields):
            tokens[where] = arrival.fields.proof
    return tokens["HoT2"], tokens["CoT2"]


def forge_correspondent_update(home, care_of, at=1100, **options):
    """Return the number of data packets that an update with these tokens diverts, and the fates of control messages."""
    setup = STAYS.setup(down=DOWN, options={"profile": "rfc", **options})
    number, numbered = find_request_step(compile_program(setup, "mipv6-ro"), "BU2", "CN")
    nonces = nonce_index(home) | nonce_index(care_of) << NONCE_BITS
    hop, new, cn = len(numbered.step.path) - 1, index(setup, "new"), index(setup, "cn")
    fields = MessageFields(number, hop, -1, new, cn, OLD_ENOUGH, 420, nonces)
    fields = fields.replace(proof=authenticator(management_key(home, care_of), fields))
    view = run_with_attacker(setup, "mipv6-ro", [ForgedMessage(at, "cn", fields)])
    return data_packets_on(view, "cn>new"), control_fates(view)


def test_only_an_attacker_on_both_paths_can_update_a_correspondent():
    home, care_of = obtain_tokens(STAYS.setup(down=DOWN, options={"profile": "rfc"}), "mipv6-ro")
    blind = 0
    for guess in ((blind, blind), (blind, care_of), (home, blind), (home ^ 1 << NONCE_BITS, care_of)):
        assert forge_correspondent_update(*guess) == (0, {"authentication failed": 1})
    diverted, fates = forge_correspondent_update(home, care_of)
    assert "authentication failed" not in fates
    assert diverted == len([t for t in DOWN if t >= 1100 + 38 + 1]), "peer, ha, cn: 38 ms; documented in RFC 6275 15.4.4"


def test_without_return_routability_any_attacker_can_update_a_correspondent():
    assert forge_correspondent_update(0, 0, return_routability=False)[0] == len([t for t in DOWN if t >= 1139])


@pytest.mark.parametrize("age_s", [200, 240, 272])
def test_tokens_expire_with_their_nonce(age_s):
    """MAX_NONCE_LIFETIME: a token of second 1 has the nonce of second 0, and is refused (136) when that is 240 s old."""
    setup = Scene(HERE, until=280_000).setup(down=[100], options={"profile": "rfc"})
    home, care_of = obtain_tokens(STAYS.setup(down=[100], options={"profile": "rfc"}), "mipv6-ro")
    assert nonce_index(home) == nonce_index(care_of) == 1000 * MS // NONCE_INTERVAL
    number, numbered = find_request_step(compile_program(setup, "mipv6-ro"), "BU2", "CN")
    fields = MessageFields(number, len(numbered.step.path) - 1, -1, index(setup, "new"), index(setup, "cn"), OLD_ENOUGH, 420)
    fields = fields.replace(proof=authenticator(management_key(home, care_of), fields))
    view = run_with_attacker(setup, "mipv6-ro", [ForgedMessage(age_s * 1000 + 100, "cn", fields)])
    fresh = age_s * 1000 + 139 <= MAX_NONCE_LIFETIME / MS
    assert (view.table("cn", age_s * 1000 + 140) == ["new"]) == fresh
    codes = [a.fields.status for a in view.arrivals if a.node == index(setup, "new") and view.message(a.fields) == "BA2"]
    assert codes == [Status.ACCEPTED if fresh else Status.EXPIRED_HOME_NONCE]


# -- two agents that forward to each other (decision 25) -----------------------------------------------------------------
def forward_to_each_other(procedure, **options):
    """Ask both routers to forward to each other, and send a packet. Return its fates, its links, and the control fates."""
    setup = Scene([Stay("old", down=900), Stay("new", up=2900)], until=2800).setup(down=[1200], options=options)
    number = next(i for i, n in enumerate(compile_program(setup, procedure).steps) if n.step.on == "going-down")
    old, new = index(setup, "old"), index(setup, "new")
    messages = [ForgedMessage(1000, "old", MessageFields(number, 1, old, new, -1, 1000 * MS, 600)),
                ForgedMessage(1000, "new", MessageFields(number, 1, new, old, -1, 1000 * MS, 600))]  # fmt: skip
    view = run_with_attacker(setup, procedure, messages)
    links = view.run.result.links
    data = dict(zip(view.run.result.link_names, (links["packets"] - links["control_packets"]).tolist(), strict=True))
    return view.run.result.fate_counts(), {name: n for name, n in data.items() if n}, control_fates(view)


@pytest.mark.parametrize("procedure", ["sync-mipv4", "sync-mipv6"])
def test_routers_asked_to_forward_to_each_other_do_not_loop(procedure):
    """The acknowledgement of each makes the other one buffer for the mobile node, so that no loop arises."""
    assert forward_to_each_other(procedure) == ({"in flight": 1}, {"cn>ha": 1, "ha>old": 1}, {})
    fates, _, control = forward_to_each_other(procedure, profile="rfc")
    assert control["authentication failed"] == 2
    assert "tunnel limit" not in fates


@pytest.mark.parametrize("procedure", ["sync-mipv4", "sync-mipv6"])
@pytest.mark.parametrize(("limit", "there", "back"), [(4, 2, 1), (3, 1, 1), (2, 1, 0)])
def test_a_loop_ends_with_the_tunnel_limit(procedure, limit, there, back):
    """If acknowledgements had no effect, a packet would loop until it reaches the tunnel limit."""
    fates, legs, _ = forward_to_each_other(without_acknowledgements(procedure), tunnel_limit=limit)
    assert fates == {"tunnel limit": 1}
    assert legs == {"cn>ha": 1, "ha>old": 1, "old>new": there} | ({"new>old": back} if back else {})
