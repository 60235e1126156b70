"""Pictures as SVG: well-formed, escaped, and without labels that overlap."""

import xml.etree.ElementTree as ET
from itertools import combinations

import pytest

from handoff.output.ladder.figures import FIGURES
from handoff.output.ladder.picture import COPY, LOST, UP, Flow, NodeState, Picture, Strand
from handoff.output.ladder.picture_svg import Rect, Segment, layout, render_picture
from tests.unit.output.ladder.figures_run import pictures
from tests.unit.output.ladder.svg_geometry import SVG, lines, overlaps, text_boxes


@pytest.mark.parametrize("width", [200, 300, 400])
def test_wide_boxes_do_not_overlap(width):
    boxes = layout(["MN", "old router", "new router", "old GFA", "GFA", "HA", "CN"], width)
    assert [(a, b) for a, b in combinations(boxes, 2) if boxes[a].overlaps(boxes[b])] == []


BUSY = ("MN", "old router", "new router", "old MAP", "MAP", "HA", "CN 1", "CN 2", "CN 3")
"""Columns of a move between regions with three correspondents."""


def busy_picture():
    nodes = tuple(NodeState(column, ("old router", "new router"), 12, 345, 6) for column in BUSY)
    pairs = [("MN", "old router"), ("MN", "new router"), ("old router", "new router"), ("HA", "MAP"), ("MAP", "new router")]
    pairs += [("CN 1", "HA"), ("CN 3", "new router"), ("CN 2", "old router"), ("HA", "old MAP"), ("old MAP", "old router")]
    strands = [Strand(a, b, label, end) for a, b in pairs for label, end in (("D", ""), ("DC", "discarded"), ("BU2", ""))]
    strands += [Strand(b, a, label, end) for a, b in pairs for label, end in (("U", ""), ("U", LOST), ("DBA", ""))]
    flows = (Flow(UP, ("MN", "old router", "CN 1"), "lost: <detached>", 1), Flow(COPY, BUSY, "delivered", 12_345))
    links = (("CN 1", "HA"), ("MN", "old router"))
    return Picture("FIG. <x> & co", "mn & <y>", nodes, links, tuple(strands), flows)


def test_labels_of_the_figures_do_not_overlap():
    for number, picture in pictures().items():
        boxes = text_boxes(ET.fromstring(render_picture(picture)))
        assert overlaps(boxes) == [], number


def test_labels_of_strands_are_outside_the_boxes_of_nodes():
    for number, picture in pictures().items():
        root = ET.fromstring(render_picture(picture))
        nodes = [rectangle(e) for e in root.iter(f"{SVG}rect") if e.get("class") == "b"]
        badges = [rectangle(e) for e in root.iter(f"{SVG}rect") if e.get("class") == "g"]
        assert len(badges) == len(picture.strands)
        assert [(a, b) for a in badges for b in nodes if a.overlaps(b)] == [], number
        assert [(a, b) for a, b in combinations(badges, 2) if a.overlaps(b)] == [], number


def test_labels_do_not_cross_the_arrows_of_other_strands():
    for number, picture in pictures().items():
        root = ET.fromstring(render_picture(picture))
        arrows = [line for line in lines(root) if line.kind != "l"]
        badges = [rectangle(e) for e in root.iter(f"{SVG}rect") if e.get("class") == "g"]
        for i, badge in enumerate(badges):  # in the order of the arrows
            crossed = [j for j, a in enumerate(arrows) if j != i and Segment(a.x1, a.y1, a.x2, a.y2).crosses(badge)]
            assert crossed == [], (number, i)


def test_arrows_do_not_cross_the_boxes_of_other_nodes():
    for number, picture in pictures().items():
        boxes = layout([node.column for node in picture.nodes])
        arrows = [line for line in lines(ET.fromstring(render_picture(picture))) if line.kind != "l"]
        assert len(arrows) == len(picture.strands)
        ends = {frozenset((s.source, s.target)) for s in picture.strands}
        for arrow in arrows:
            crossed = {c for c, box in boxes.items() if Segment(arrow.x1, arrow.y1, arrow.x2, arrow.y2).crosses(smaller(box))}
            assert not crossed or any(crossed <= pair for pair in ends), (number, crossed)
            assert len(crossed) <= 1, number


def rectangle(element):
    x, y, width, height = (float(element.get(name)) for name in ("x", "y", "width", "height"))
    return Rect(x + width / 2, y + height / 2, width / 2 - 0.06, height / 2 - 0.06)  # coordinates are rounded to 0.1


def smaller(box):
    return Rect(box.x, box.y, box.half_width - 2, box.half_height - 2)


def test_a_busy_picture_is_well_formed_escaped_and_without_overlap():
    text = render_picture(busy_picture())
    assert "<x>" not in text
    root = ET.fromstring(text)
    words = [t.text for t in root.iter(f"{SVG}text")]
    assert {"FIG. <x> & co", "mn & <y>", "U: MN > old router > CN 1: 1 packet lost: <detached>"} <= set(words)
    assert words.count("binding: old router + new router") == len(BUSY)
    assert words.count("UA 12   DA 345   X 6") == len(BUSY)
    nodes = [e for e in root.iter(f"{SVG}rect") if e.get("class") == "b"]
    assert [(a, b) for a, b in combinations(map(rectangle, nodes), 2) if a.overlaps(b)] == []
    assert overlaps(text_boxes(root)) == []


def test_a_lost_packet_has_a_cross_instead_of_a_head():
    node = NodeState("MN", (), 0, 0, 0)
    nodes = (node, NodeState("old router", ("visitor",), 0, 0, 0))
    strands = (Strand("old router", "MN", "D", LOST), Strand("MN", "old router", "U"))
    root = ET.fromstring(render_picture(Picture("t", "s", nodes, (), strands, ())))
    assert len(list(root.iter(f"{SVG}polygon"))) == 1
    assert [e.get("class") for e in root.iter(f"{SVG}path")] == ["X"]
    assert {"D X", "U"} <= {t.text for t in root.iter(f"{SVG}text")}


@pytest.mark.parametrize(
    ("segment", "inside"),
    [
        (Segment(0, 0, 10, 0), (0.4, 0.6)),
        (Segment(5, -5, 5, 5), (0.4, 0.6)),
        (Segment(0, 2, 10, 2), None),
        (Segment(0, 0, 1, 0), (4.0, 6.0)),  # as if the line had no ends
    ],
)
def test_a_line_enters_and_leaves_a_rectangle(segment, inside):
    assert segment.inside(Rect(5, 0, 1, 1)) == pytest.approx(inside)


def test_a_line_that_ends_before_a_rectangle_does_not_cross_it():
    assert not Segment(0, 0, 1, 0).crosses(Rect(5, 0, 1, 1))
    assert Segment(0, 0, 5, 0).crosses(Rect(5, 0, 1, 1))


def test_the_layout_is_that_of_the_document():
    """Correspondent and home agent above the gateway, that above the routers, the old one on the left, the mobile node below."""
    boxes = layout(["MN", "old router", "new router", "GFA", "HA", "CN"])
    assert boxes["CN"].y == boxes["HA"].y < boxes["GFA"].y < boxes["old router"].y == boxes["new router"].y < boxes["MN"].y
    assert boxes["old router"].x < boxes["MN"].x < boxes["new router"].x


def test_every_figure_has_its_number_as_title():
    assert {n: p.title.split(":")[0] for n, p in pictures().items()} == {n: f"FIG. {n}" for n in FIGURES}
