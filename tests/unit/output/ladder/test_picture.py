"""Pictures of all figures, compared with the seed's description of each phase."""

from dataclasses import dataclass
from itertools import pairwise

import pytest

from handoff.output.ladder.figures import FIGURES, Figure
from handoff.output.ladder.picture import COPY, DISCARDED, DOWN, LOST, UP, Strand, build_figures, build_picture
from handoff.output.ladder.view import observe_handoff
from handoff.simulation.run import run_procedure
from tests.conformance.cases import BREAK, TIMELY
from tests.unit.output.ladder.figures_run import figures_setup, pictures

OLD, NEW, MN, HA, CN = "old router", "new router", "MN", "HA", "CN"


@dataclass(frozen=True)
class Variant:
    """Messages of a variant as the seed names them, typed from its text."""

    first: int
    anchor: str
    before_anchor: tuple[str, ...]
    requests: dict[str, str]  # by the new router, to the node
    deregistration: dict[str, str]  # by the old router, to the node
    replies: dict[str, str]  # from the node, by the new router
    marker: tuple[str, str]
    rescue: tuple[str, str]


VARIANTS = {
    "sync-mipv4": Variant(11, HA, (CN,), {"RQ": HA}, {}, {"RR": HA}, ("DRR", HA), ("BU", "BA")),
    "sync-mipv4-ro": Variant(18, CN, (), {"RQ": HA}, {"DBU": CN}, {"RR": HA}, ("DBA", CN), ("BU2", "BA2")),
    "sync-hmipv4": Variant(25, "GFA", (CN, HA), {"RQ": "GFA"}, {}, {"RR": "GFA"}, ("DRR", "GFA"), ("BU", "BA")),
    "sync-mipv6": Variant(32, HA, (CN,), {"BU": HA}, {"DBU": HA}, {"BA": HA}, ("DBA", HA), ("BU2", "BA2")),
    "sync-mipv6-ro": Variant(
        39, CN, (), {"BU1": HA, "BU2": CN}, {"DBU": CN}, {"BA1": HA, "BA2": CN}, ("DBA", CN), ("BU3", "BA3")
    ),
    "sync-hmipv6": Variant(46, "MAP", (CN, HA), {"BU": "MAP"}, {"DBU": "MAP"}, {"BA": "MAP"}, ("DBA", "MAP"), ("BU2", "BA2")),
}


def strands(number):
    return set(pictures()[number].strands)


def data(number):
    return {strand for strand in strands(number) if strand.label in (DOWN, UP, COPY)}


def messages(number):
    return {(s.label, s.source, s.target) for s in strands(number) if s.label not in (DOWN, UP, COPY)}


def state(number, column):
    return next(node for node in pictures()[number].nodes if node.column == column)


def path(label, *columns):
    return {Strand(a, b, label) for a, b in pairwise(columns)}


@pytest.fixture(params=VARIANTS)
def variant(request):
    return VARIANTS[request.param]


def figure(variant, phase):
    """Return the number of the figure of a phase of a variant."""
    return next(f.number for f in FIGURES.values() if f.phase == phase and f.number.startswith(tuple(
        str(variant.first + i) for i in range(7))) and VARIANTS.get(f.procedure) == variant)  # fmt: skip


def normal(variant, router):
    down = path(DOWN, *variant.before_anchor, variant.anchor, router, MN)
    return down | path(UP, MN, router, CN)


def test_phase_1_is_communication_by_the_old_router(variant):
    number = figure(variant, "I-1")
    assert data(number) == normal(variant, OLD)
    assert messages(number) == set()
    assert state(number, variant.anchor).entry == (OLD,)


def test_phase_2_sends_the_requests_while_data_take_the_old_path(variant):
    number = figure(variant, "I-2")
    expected = {(m, MN, OLD) for m in (*variant.requests, *variant.deregistration)}
    expected |= {(m, OLD, NEW) for m in variant.requests} | {(m, NEW, to) for m, to in variant.requests.items()}
    expected |= {(m, OLD, to) for m, to in variant.deregistration.items()}
    assert messages(number) == expected
    assert data(number) == normal(variant, OLD)
    assert state(number, variant.anchor).entry == (OLD,)


def test_phase_3_sends_replies_and_marker_and_data_by_the_new_router(variant):
    """New packets go from the anchor to the new router, those sent before reach the mobile node by the old one; upstream by the
    old router ("the correspondent node is still receiving upstream data packets from the old …")."""
    number, (marker, sender) = figure(variant, "I-3"), variant.marker
    sent = {(m, source, NEW) for m, source in variant.replies.items()} | {(marker, sender, OLD)}
    assert sent <= messages(number)
    allowed = sent | {(m, NEW, MN) for m in variant.replies} | {(marker, OLD, MN)}
    allowed |= {("BU", HA, CN)} if "RQ" in variant.requests and variant.anchor == CN else set()
    assert messages(number) <= allowed
    assert Strand(variant.anchor, NEW, DOWN) in data(number)
    assert Strand(OLD, MN, DOWN) in data(number)
    assert Strand(variant.anchor, OLD, DOWN) not in data(number)
    assert path(UP, MN, OLD, CN) <= data(number)
    assert Strand(MN, NEW, UP) not in data(number)
    assert state(number, variant.anchor).entry == (NEW,)


def test_phase_i_4_receives_the_marker_by_the_old_router(variant):
    number = figure(variant, "I-4")
    assert (variant.marker[0], OLD, MN) in messages(number)
    down = {strand for strand in data(number) if strand.label == DOWN}
    assert down == path(DOWN, *variant.before_anchor, variant.anchor, NEW, MN)
    assert Strand(MN, NEW, UP) in data(number)


@pytest.mark.parametrize("phase", ["I-5", "II-6", "III-6"])
def test_the_last_phase_is_communication_by_the_new_router(variant, phase):
    number = figure(variant, phase)
    assert data(number) == normal(variant, NEW)
    assert messages(number) == set()
    assert state(number, variant.anchor).entry == (NEW,)


def test_phase_ii_4_is_the_rescue_with_its_acknowledgement(variant):
    number, (update, acknowledgement) = figure(variant, "II-4"), variant.rescue
    assert messages(number) == {(update, MN, OLD), (acknowledgement, OLD, NEW), (acknowledgement, NEW, MN)}
    assert Strand(variant.anchor, NEW, DOWN) in data(number)
    assert Strand(variant.anchor, OLD, DOWN) not in data(number)
    assert state(number, OLD).entry == (NEW,)


def test_phase_ii_5_forwards_what_was_sent_to_the_old_router(variant):
    number = figure(variant, "II-5")
    assert path(DOWN, OLD, NEW, MN) <= data(number)
    assert Strand(variant.anchor, NEW, DOWN) in data(number)
    assert Strand(variant.anchor, OLD, DOWN) not in data(number)


def test_phase_iii_3_is_the_rescue_while_the_anchor_sends_to_the_old_router(variant):
    number, (update, acknowledgement) = figure(variant, "III-3"), variant.rescue
    assert {(update, MN, OLD), (acknowledgement, OLD, NEW)} <= messages(number)
    assert (acknowledgement, NEW, MN) not in messages(number)
    assert Strand(variant.anchor, OLD, DOWN) in data(number)
    assert Strand(MN, OLD, UP) in data(number)
    assert not {strand for strand in data(number) if strand.source == variant.anchor and strand.target == NEW}
    assert state(number, OLD).entry == (NEW,)
    assert state(number, NEW).entry == ("holds packets",)
    assert state(number, variant.anchor).entry == (OLD,)


def test_phase_iii_4_delivers_acknowledgement_and_forwarded_packets(variant):
    number = figure(variant, "III-4")
    assert messages(number) == {(variant.rescue[1], NEW, MN)}
    assert path(DOWN, *variant.before_anchor, variant.anchor, OLD, NEW, MN) == {s for s in data(number) if s.label == DOWN}
    assert Strand(MN, NEW, UP) not in data(number)
    assert state(number, MN).upstream > 0
    assert state(number, variant.anchor).entry == (OLD,)


def test_phase_iii_5_is_the_answer_of_the_anchor(variant):
    number = figure(variant, "III-5")
    replies = {(m, source, NEW) for m, source in variant.replies.items()} | {(m, NEW, MN) for m in variant.replies}
    assert replies <= messages(number)
    assert {Strand(variant.anchor, NEW, DOWN), Strand(MN, NEW, UP)} <= data(number)
    assert Strand(variant.anchor, OLD, DOWN) not in data(number)
    assert state(number, variant.anchor).entry == (NEW,)


def test_packets_wait_in_the_new_router_until_the_link_is_up():
    """Mobile node III in figure 16A: the old router has the update at 3005.5 ms, the new link is up at 3026.5. Packets leave the
    correspondent every 5 ms and take 80 ms to the old router and 5 ms to the new one, where they arrive at 3015, 3020, 3025."""
    assert state("16A", NEW).downstream == 3


@pytest.mark.parametrize("number", ["3A", "4A", "5A", "6A"])
def test_before_a_conventional_handoff_data_take_the_old_path(number):
    down = (CN, OLD, MN) if number in ("4A", "6A") else (CN, HA, OLD, MN)  # route optimization, triangle
    assert data(number) == path(DOWN, *down) | path(UP, MN, OLD, CN)


def test_mobile_ipv4_loses_packets_on_the_way_to_the_old_router():
    """Figure 3B: "previously sent downstream data packets … will be lost", denoted by X; later ones take the new router."""
    assert path(DOWN, CN, HA, NEW, MN) | path(UP, MN, NEW, CN) <= data("3B")
    assert Strand(OLD, NEW, DOWN) not in data("3B")
    lost = [flow for flow in pictures()["3B"].flows if flow.outcome.startswith("lost")]
    assert [flow.path for flow in lost] == [(CN, HA, OLD)]


@pytest.mark.parametrize("number", ["4B", "5B", "6B"])
def test_previously_sent_packets_are_forwarded_by_the_old_router(number):
    assert path(DOWN, OLD, NEW, MN) <= data(number)
    assert state(number, OLD).entry == (NEW,)


@pytest.mark.parametrize(("number", "anchor"), [("7B", HA), ("8B", "GFA"), ("9B", "MAP"), ("10B", "MAP")])
def test_the_anchor_sends_copies_to_both_routers(number, anchor):
    assert path(COPY, anchor, OLD, MN) | path(COPY, anchor, NEW, MN) <= data(number)
    assert {strand.source for strand in data(number) if strand.label == COPY} == {anchor, OLD, NEW}
    assert not [strand for strand in data(number) if strand.end == LOST]
    assert [strand for strand in data(number) if strand.end == DISCARDED] in ([], [Strand(OLD, MN, COPY, DISCARDED)])


def test_correspondents_send_to_the_anchor_point_with_route_optimization():
    assert Strand(CN, "MAP", DOWN) in data("10B")
    assert Strand(CN, HA, DOWN) in data("9B")


def test_figures_1_and_2_are_routing_and_registration():
    assert data("1") == path(DOWN, CN, HA, "router", MN) | path(UP, MN, "router", CN)
    assert messages("2") == {("RQ", MN, "router"), ("RQ", "router", HA), ("RR", HA, "router"), ("RR", "router", MN)}
    assert state("2", HA).entry == ("router",)
    assert {frozenset(link) for link in pictures()["1"].links} == {
        frozenset(link) for link in ((CN, HA), (HA, "router"), (CN, "router"), ("router", MN))
    }  # fmt: skip


def test_packets_that_are_held_until_the_end_of_the_run_wait():
    """BREAK: sent at 480 and 485, they are at the old router at 510 and 515, after the end of its link, and never leave it."""
    view = observe_handoff(BREAK.setup(down=[480, 485], options={"old_buffer_packets": 50}), "mipv4", 0, 0, 1)
    picture = build_picture(view, Figure("x", "mipv4", "", "2", "single"))
    waiting = {node.column: (node.upstream, node.downstream, node.lost) for node in picture.nodes}
    assert waiting == {OLD: (0, 2, 0)} | dict.fromkeys((MN, NEW, HA, CN), (0, 0, 0))


def test_the_handoffs_of_a_procedure_are_looked_up_in_one_run(monkeypatch):
    runs = []

    def run(setup, procedure, **options):
        runs.append(procedure)
        return run_procedure(setup, procedure, **options)

    monkeypatch.setattr("handoff.output.ladder.picture.run_procedure", run)
    figures = [FIGURES[number] for number in ("11A", "14", "16A", "12A", "3A")]
    assert [figure for figure, _ in build_figures(figures_setup(), figures, 1)] == figures
    assert runs == ["sync-mipv4", "mipv4"]


def test_a_figure_can_show_a_given_handoff():
    (_, picture), *_ = build_figures(figures_setup(), [FIGURES["7B"]], 1, mobile=1, handoff=0)
    assert picture.subtitle.startswith("II, ")


@pytest.mark.parametrize(
    ("figure", "mobile", "message"),
    [
        (FIGURES["11A"], 2, "figure 11A shows a handoff in scenario I, but this run of sync-mipv4 has none"),
        (FIGURES["3A"], 0, "figure 3A shows a handoff with single access, but this run of mipv4 has none"),
        (Figure("x", "sync-mipv4", "I", "I-9", "dual"), None, "figure x shows phase I-9, which this handoff does not have"),
        (FIGURES["2"], 0, "I does not register in this run: it is registered at time 0"),
    ],
)
def test_a_figure_that_the_run_does_not_have_is_refused(figure, mobile, message):
    with pytest.raises(ValueError, match=message):
        list(build_figures(figures_setup(), [figure], 1, mobile))


def test_a_first_registration_needs_a_mobile_node_that_comes_up_later():
    with pytest.raises(ValueError, match="figure 2 shows a first registration, but every link is up at time 0"):
        list(build_figures(TIMELY.setup(), [FIGURES["2"]], 1))
