"""Contents of an interactive ladder, from a run; its page; and Mermaid."""

import html
import json
import re
from itertools import pairwise

import pytest

from handoff.output.ladder.collect import ladder_of
from handoff.output.ladder.diagram import Arrow, Ladder, LadderEvent, Traffic
from handoff.output.ladder.diagram_mermaid import render_mermaid
from handoff.output.ladder.diagram_text import render_text
from handoff.output.ladder.ladder_page import draw_ladder_page, render_ladder_page
from handoff.output.ladder.timeline import MAX_LINES, timeline
from handoff.output.ladder.view import MobileRun, observe_mobile
from tests.unit.output.ladder.diagrams import CROWDED, EMPTY, MS
from tests.unit.output.pcap.recorded_runs import setup_of


@pytest.fixture(scope="module")
def drawn():
    """Handoffs of the first mobile node that has more than one."""
    setup = setup_of(2, "patent")
    mobiles = setup.attachments.mobile.tolist()
    mobile = next(m for m in dict.fromkeys(mobiles) if mobiles.count(m) > 2)
    return [(view, ladder_of(view)) for view in observe_mobile(setup, "mipv6-ro", mobile, 3).views(0, 10)]


@pytest.fixture(scope="module")
def timelines(drawn):
    return [timeline(view, ladder) for view, ladder in drawn]


def test_neighbouring_handoffs_come_from_one_run(drawn):
    assert [view.facts["index"] for view, _ in drawn] == list(range(len(drawn)))
    assert len(drawn) > 1
    assert len({id(view.observer) for view, _ in drawn}) == 1


def test_a_run_shows_the_handoffs_within_reach_of_the_chosen_one(drawn):
    """The run is kept without its record of packets, which has 200 bytes for each of all mobile nodes."""
    (view, _), *_ = drawn
    run = MobileRun(view.setup, view.observer, view.mobile, ())
    assert [v.facts["index"] for v in run.views(1)] == [1]
    assert [v.facts["index"] for v in run.views(1, 1)] == [i for i in (0, 1, 2) if i < len(drawn)]
    assert run.observer.run.result.packets is None
    with pytest.raises(ValueError, match=f"has no handoff 99 in this run: it has handoffs 0 to {len(drawn) - 1}$"):
        run.views(99)


def test_messages_have_the_times_sizes_and_fields_of_the_run(drawn, timelines):
    for (view, _), line in zip(drawn, timelines, strict=True):
        hops = [hop for hop in view.hops if view.begin_ps <= hop.sent_ps <= view.end_ps]
        assert [m["name"] for m in line["messages"]] == [hop.message for hop in hops]
        for message, hop in zip(line["messages"], hops, strict=True):
            assert line["begin"] + message["sent"] == pytest.approx(hop.sent_ps / MS)
            assert message["bytes"] == hop.size_bytes > 0
            assert (message["arrival"] is None) == (hop.got_ps is None)
            facts = dict(message["facts"])
            assert facts["identification"] == str(hop.fields.identification)
            assert {"old router", "new router"} & facts.keys()


def test_packets_start_and_end_at_columns_in_order_of_time(timelines):
    legs = [leg for t in timelines for packet in t["packets"] for leg in packet]
    assert legs
    for source, begin, target, end, kind in legs:
        assert (source != target and begin <= end) if kind != 2 else (source == target and begin == end)
    assert all(max(leg[0], leg[2]) < len(t["columns"]) for t in timelines for packet in t["packets"] for leg in packet)
    for t in timelines:
        begins = [packet[0][1] for packet in t["packets"]]
        assert begins == sorted(begins)
        for packet in t["packets"]:  # a leg begins where the one before ends
            assert all(a[2] == b[0] and a[3] <= b[1] for a, b in pairwise(packet))


def test_the_number_of_legs_is_bounded(drawn, timelines, monkeypatch):
    """A limit of half the legs leaves every second packet."""
    view, ladder = drawn[0]
    packets = timelines[0]["packets"]
    assert timelines[0]["count"] == len(packets) > 10
    monkeypatch.setattr("handoff.output.ladder.timeline.MAX_LINES", -(-sum(map(len, packets)) // 2))
    line = timeline(view, ladder)
    assert line["packets"] == packets[::2]
    assert line["count"] == len(packets)
    assert MAX_LINES > 100


def test_the_page_holds_the_timelines_and_their_texts(drawn, timelines):
    page = draw_ladder_page([view for view, _ in drawn], handoff=1)
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)[1]
    assert json.loads(data) == json.loads(json.dumps({"timelines": timelines, "chosen": 1}))
    assert page.count("<script>") == 1
    assert page.count('<details class="text"') == len(drawn)
    assert page.count('<details class="text" hidden>') == len(drawn) - 1
    assert all(render_text(ladder, 130) in html.unescape(page) for _, ladder in drawn)


def test_hostile_texts_are_inert_in_the_page():
    nasty = "</script><script>alert(1)</script><!--\u2028"
    page = render_ladder_page([{"title": nasty, "columns": [nasty]}], [nasty])
    assert page.count("<script>") == 1
    assert "<!--" not in page.replace("<!doctype", "")


def test_mermaid_has_a_line_for_each_row():
    ladder = Ladder(
        "title", ("MN", "HA"),
        (Arrow("RQ", "MN", "HA", 5 * MS, 8 * MS, "1"), Arrow("RR", "HA", "MN", 9 * MS, None, "2", "lost")),
        (LadderEvent(8 * MS, "HA", "binds", "1"),), (Traffic("1", 1 * MS, 2 * MS, "down", ("HA", "MN"), 1200, "delivered"),),
        ("1", "2"),
    )  # fmt: skip
    assert render_mermaid(ladder).splitlines() == [
        "sequenceDiagram", "    participant c0 as MN", "    participant c1 as HA", "    Note over c0,c1: phase 1",
        "    Note over c0,c1: down: HA to MN: 1,200 delivered", "    c0->>c1: RQ (5.000 to 8.000 ms)",
        "    Note over c1: 8.000 ms binds", "    Note over c0,c1: phase 2", "    c1-xc0: RR (9.000 ms, lost)",
    ]  # fmt: skip


def test_mermaid_has_no_foreign_syntax():
    text = render_mermaid(CROWDED)
    assert "<" not in text
    assert "#60;b#62;" in text
    assert render_mermaid(EMPTY) == "sequenceDiagram"


@pytest.mark.parametrize("width", [60, 80, 100, 130, 200])
def test_no_line_is_longer_than_the_terminal(drawn, width):
    for _, ladder in drawn:
        lines = render_text(ladder, width).splitlines()
        assert max(map(len, lines[:-1])) <= max(width, 75), "the caption of the scale has up to 75 characters"


def test_a_folded_line_keeps_its_words():
    narrow, wide = (" ".join(render_text(CROWDED, width).split()) for width in (60, 130))
    assert narrow.count(" at ") == wide.count(" at ")
