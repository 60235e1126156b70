"""Ladder diagrams as SVG."""

import xml.etree.ElementTree as ET
from functools import cache

import pytest

from handoff.output.ladder.collect import build_ladder
from handoff.output.ladder.diagram import Arrow, Ladder, LadderEvent
from handoff.output.ladder.diagram_svg import render_svg
from tests.conformance.cases import LATE, SINGLE, TIMELY
from tests.conformance.two_router_scene import Scene
from tests.unit.output.ladder.diagrams import CROWDED, EMPTY, MS
from tests.unit.output.ladder.svg_geometry import SVG, crosses, lines, overlaps, text_boxes


@cache
def ladders():
    """Return ladders with many columns, texts and messages."""
    two_regions = Scene(TIMELY.stays, regions=2)
    return [
        CROWDED,
        EMPTY,
        build_ladder(SINGLE.setup(down=range(400, 600)), "sync-mipv4", 0, 0, 1),
        build_ladder(LATE.setup(down=range(400, 600, 10), up=range(405, 600, 10), peer=[400]), "sync-mipv6-ro", 0, 0, 1),
        build_ladder(two_regions.setup(down=range(400, 600, 10)), "sync-hmipv6", 0, 0, 1),
        build_ladder(TIMELY.setup(down=range(400, 600, 10)), "hmipv4-bicast", 0, 0, 1),
    ]


def drawn():
    return [ET.fromstring(render_svg(ladder)) for ladder in ladders()]


def test_svg_escapes_every_text_and_draws_everything():
    text = render_svg(CROWDED)
    assert "<script" not in text
    root = ET.fromstring(text)
    words = [t.text for t in root.iter(f"{SVG}text")]
    assert words.count("<script>alert(1)</script> & co") == 1
    assert {f"M{i}" for i in range(60)} <= set(words)
    assert "binds & more" in words
    assert any("1,234 delivered" in (w or "") for w in words)
    assert len(list(root.iter(f"{SVG}polygon"))) == 60 - 12


def test_labels_do_not_overlap():
    assert [overlaps(text_boxes(root)) for root in drawn()] == [[] for _ in ladders()]


def test_labels_do_not_cross_arrows():
    for root in drawn():
        arrows = [line for line in lines(root) if line.kind.startswith("message")]
        assert [(box.text, arrow) for box in text_boxes(root) for arrow in arrows if crosses(arrow, box)] == []


@pytest.mark.deep
def test_labels_do_not_cross_lifelines():
    for root in drawn():
        lives = [line for line in lines(root) if line.kind == "life"]
        assert [box.text for box in text_boxes(root) for life in lives if crosses(life, box)] == []


def test_headers_of_phases_do_not_cover_arrows():
    for root in drawn():
        arrows = [line for line in lines(root) if line.kind.startswith("message")]
        for header in (e for e in root.iter(f"{SVG}rect") if e.get("class") == "phase"):
            top, bottom = float(header.get("y")), float(header.get("y")) + float(header.get("height"))
            assert not [a for a in arrows if a.y1 < bottom and a.y2 + 4 > top]


def test_an_empty_ladder_is_drawn():
    root = ET.fromstring(render_svg(EMPTY))
    assert "nothing" in [text.text for text in root.iter(f"{SVG}text")]


def test_arrows_slant_downwards_from_source_to_target():
    arrows = [line for line in lines(ET.fromstring(render_svg(CROWDED))) if line.kind.startswith("message")]
    assert len(arrows) == 60
    assert all(line.y1 < line.y2 for line in arrows)
    assert all(line.x1 < line.x2 for line in arrows), "every message leaves the first column"
    assert [line.kind for line in arrows].count("message lost") == 12


def test_one_axis_is_to_scale():
    """Events at 10, 12 and 20 ms: the lines from the axis start at 0, 2/10 and all of its length."""
    events = tuple(LadderEvent(t * MS, "MN", f"at {t}", "1") for t in (10, 12, 20))
    root = ET.fromstring(render_svg(Ladder("t", ("MN", "HA"), (), events, (), ("1",))))
    scale = [line for line in lines(root) if line.kind == "scale"]
    axis = next(line for line in scale if line.x1 == line.x2)
    leads = [line for line in scale if line.x2 > axis.x1]
    assert [(line.y1 - axis.y1) / (axis.y2 - axis.y1) for line in leads] == pytest.approx([0, 0.2, 1], abs=0.03)
    ticks = [t.text for t in root.iter(f"{SVG}text") if t.get("text-anchor") == "end"]
    assert {"10", "20"} <= set(ticks)


def test_the_axis_of_an_instant_is_drawn():
    arrow = Arrow("RQ", "MN", "HA", 5 * MS, 6 * MS, "1")
    root = ET.fromstring(render_svg(Ladder("t", ("MN", "HA"), (arrow,), (), (), ("1",))))
    assert [line.kind for line in lines(root)].count("message") == 1
