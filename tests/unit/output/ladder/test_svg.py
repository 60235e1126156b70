"""Ladder diagrams as SVG."""

import xml.etree.ElementTree as ET

from handoff.output.ladder.collect import build_ladder
from handoff.output.ladder.svg import render_svg
from tests.conformance.cases import SINGLE
from tests.unit.output.ladder.diagrams import CROWDED, EMPTY

SVG = "{http://www.w3.org/2000/svg}"


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


def test_labels_of_the_svg_do_not_overlap():
    boxes = []
    ladder = build_ladder(SINGLE.setup(down=range(400, 600)), "sync-mipv4", 0, 0, 1)
    for element in ET.fromstring(render_svg(ladder)).iter(f"{SVG}text"):
        width, x, y = 7 * len(element.text or ""), float(element.get("x")), float(element.get("y"))
        left = x - {"middle": width / 2, "end": width}.get(element.get("text-anchor"), 0)
        boxes.append((left, left + width, y, element.text))
    clashes = [
        (a[3], b[3]) for i, a in enumerate(boxes) for b in boxes[:i]
        if abs(a[2] - b[2]) < 8 and a[0] < b[1] and b[0] < a[1]
    ]  # fmt: skip
    assert clashes == []


def test_an_empty_ladder_is_drawn():
    root = ET.fromstring(render_svg(EMPTY))
    assert "nothing" in [text.text for text in root.iter(f"{SVG}text")]


def test_arrows_slant_downwards_from_source_to_target():
    lines = [e for e in ET.fromstring(render_svg(CROWDED)).iter(f"{SVG}line") if e.get("class", "").startswith("message")]
    assert len(lines) == 60
    assert all(int(line.get("y1")) < int(line.get("y2")) for line in lines)
    assert all(int(line.get("x1")) < int(line.get("x2")) for line in lines), "every message leaves the first column"
    assert [line.get("class") for line in lines].count("message lost") == 12
