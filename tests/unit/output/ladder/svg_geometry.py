"""Geometry of an SVG: boxes of its texts, and its lines."""

from itertools import combinations
from typing import NamedTuple

SVG = "{http://www.w3.org/2000/svg}"
WIDTHS = {"title": 8.5, "t": 8.5}
"""Width of a character of a class of texts in px; of 12 px text, 7.2. A proportional font is narrower on average."""
ASCENT, DESCENT = 9.5, 2.5
"""Height of 12 px text above and below its base line: capitals and digits, and short descenders."""


class Box(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float
    text: str


class Line(NamedTuple):
    x1: float
    y1: float
    x2: float
    y2: float
    kind: str


def text_boxes(root):
    boxes = []
    for element in root.iter(f"{SVG}text"):
        text = element.text or ""
        width, x, y = WIDTHS.get(element.get("class"), 7.2) * len(text), float(element.get("x")), float(element.get("y"))
        left = x - {"middle": width / 2, "end": width}.get(element.get("text-anchor"), 0)
        boxes.append(Box(left, y - ASCENT, left + width, y + DESCENT, text))
    return boxes


def overlaps(boxes):
    return [
        (a.text, b.text)
        for a, b in combinations(boxes, 2)
        if a.left < b.right and b.left < a.right and a.top < b.bottom and b.top < a.bottom
    ]


def lines(root):
    return [
        Line(*(float(e.get(name)) for name in ("x1", "y1", "x2", "y2")), e.get("class") or "") for e in root.iter(f"{SVG}line")
    ]


def crosses(line, box):
    """Return whether a line has a point in a box, by 200 points of it."""
    points = ((line.x1 + (line.x2 - line.x1) * i / 200, line.y1 + (line.y2 - line.y1) * i / 200) for i in range(201))
    return any(box.left < x < box.right and box.top < y < box.bottom for x, y in points)
