"""Pictures of the network as self-contained SVG: the layout of the seed's figures, with labels that do not overlap."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from xml.sax.saxutils import escape

from handoff.output.ladder.diagram_svg import CHARACTER
from handoff.output.ladder.picture import COPY, DISCARDED, DOWN, LOST, UP, NodeState, Picture, Strand
from handoff.output.ladder.picture_text import entry_text, flow_lines
from handoff.output.printable import printable_copy

_MARGIN, _BETWEEN, _TOP = 20, 420, 100
"""Space beside the picture, between the boxes of the left and the right column, and above the centre of the first row."""
_BOX, _BOX_HEIGHT, _GAP = 200, 66, 12
_BADGE_HEIGHT, _SPACING = 16, 19
_LINE = 18
_ROWS = {"CN": 0, "HA": 0, "GFA": 120, "MAP": 120, "MN": 450}
_ROUTERS = 290
_POSITIONS = [0.5, 0.4, 0.6, 0.3, 0.7, 0.22, 0.78, 0.15, 0.85, 0.45, 0.55, 0.35, 0.65, 0.25, 0.75, 0.1, 0.9]
"""Places of a label along its strand, as parts of its length, in order of preference."""
_STYLE = (
    "svg{background:#fff}text{font:12px system-ui,sans-serif;fill:#1c2733}.t{font-size:15px;font-weight:600}"
    ".n{fill:#5a6875}.c{font-weight:600}.b{fill:#fff;stroke:#5a6875}.g{fill:#fff}"
    "line,path{fill:none;stroke-width:1.5}.l{stroke:#dfe5ea;stroke-width:4}.D{stroke:#7a4b00}.U{stroke:#0f7b53}.M{stroke:#0b5cad}.X{stroke:#b3261e}"
    "polygon.D{fill:#7a4b00}polygon.U{fill:#0f7b53}polygon.M{fill:#0b5cad}"
)


@dataclass(frozen=True)
class Rect:
    """Rectangle by its centre and half its sides."""

    x: float
    y: float
    half_width: float
    half_height: float

    def overlaps(self, other: Rect) -> bool:
        """Return whether two rectangles have a common area."""
        return (
            abs(self.x - other.x) < self.half_width + other.half_width
            and abs(self.y - other.y) < self.half_height + other.half_height
        )


@dataclass(frozen=True)
class Segment:
    """Straight line from one point to another."""

    x1: float
    y1: float
    x2: float
    y2: float

    def at(self, part: float) -> tuple[float, float]:
        """Return the point that is a part of the way from the first end to the second."""
        return self.x1 + (self.x2 - self.x1) * part, self.y1 + (self.y2 - self.y1) * part

    def inside(self, rect: Rect) -> tuple[float, float] | None:
        """Return the parts of the way at which the line, as if it had no ends, enters and leaves a rectangle."""
        enters, leaves = -1e9, 1e9
        for start, delta, centre, half in (
            (self.x1, self.x2 - self.x1, rect.x, rect.half_width), (self.y1, self.y2 - self.y1, rect.y, rect.half_height)
        ):  # fmt: skip
            if abs(delta) < 1e-9:
                if abs(start - centre) >= half:
                    return None
                continue
            first, second = sorted(((centre - half - start) / delta, (centre + half - start) / delta))
            enters, leaves = max(enters, first), min(leaves, second)
        return (enters, leaves) if enters < leaves else None

    def crosses(self, rect: Rect) -> bool:
        """Return whether a part of the line is in a rectangle."""
        inside = self.inside(rect)
        return inside is not None and inside[0] < 1 and inside[1] > 0


def render_picture(picture: Picture) -> str:
    """Draw a picture as SVG.

    Correspondents and home agent are at the top, gateways below them, then the routers, and the mobile node at the bottom. Each
    strand of data and each message is an arrow with its letter; parallel ones lie side by side. Below the network stand the
    paths with their numbers of packets, and the legend.
    """
    picture = printable_copy(picture)
    texts = [text for node in picture.nodes for text in (node.column, entry_text(node), buffer_text(node))]
    boxes = layout([node.column for node in picture.nodes], max(_BOX, *(round(CHARACTER * len(text)) + 12 for text in texts)))
    lines = [*flow_lines(picture), *_legend(picture)]
    bottom = max((box.y + box.half_height for box in boxes.values()), default=_TOP) + 30
    height = round(bottom + _LINE * len(lines) + 10)
    widest = max(len(line) for line in [picture.subtitle, *lines])
    right = max((box.x + box.half_width for box in boxes.values()), default=0.0)
    width = max(round(right) + _MARGIN, round(9 * len(picture.title)) + 32, round(CHARACTER * widest) + 32)
    name = escape(picture.title)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-labelledby="name"><title id="name">{name}</title><style>{_STYLE}</style>',
        f'<text class="t" x="16" y="26">{name}</text><text class="n" x="16" y="46">{escape(picture.subtitle)}</text>',
        *(_link(boxes[a], boxes[b]) for a, b in picture.links),
        *_strands(picture, boxes),
        *(_node(node, boxes[node.column]) for node in picture.nodes),
    ]
    for i, line in enumerate(lines):
        parts.append(f'<text x="16" y="{bottom + i * _LINE:g}">{escape(line)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def layout(columns: Sequence[str], width: int = _BOX) -> dict[str, Rect]:
    """Return the box of each column in the picture; boxes have the given width."""
    peers = [column for column in columns if column.startswith("CN")]
    boxes, left = {}, _MARGIN + width / 2
    gateways = 0.875 * width + _GAP if {"old GFA", "old MAP"} & set(columns) else 0
    right = left + width + max(_BETWEEN, (len(peers) - 1) * (width + _GAP) + _GAP, gateways + 0.95 * width)
    middle = (left + right) / 2
    for column in columns:
        row = _ROWS.get(column.removeprefix("old ").partition(" ")[0], _ROUTERS)
        if column in peers:
            x = left + peers.index(column) * (width + _GAP)
        elif column in ("HA", "new router"):
            x = right
        elif column in ("MN", "router"):
            x = middle
        elif column in ("GFA", "MAP"):
            x = right - 0.875 * width
        else:
            x = left if column == "old router" else left + 0.95 * width
        boxes[column] = Rect(x, _TOP + row, width / 2, _BOX_HEIGHT / 2)
    return boxes


def _node(node: NodeState, box: Rect) -> str:
    left, top = box.x - box.half_width, box.y - box.half_height
    texts = (("c", node.column), ("e", entry_text(node)), ("n", buffer_text(node)))
    body = "".join(
        f'<text class="{kind}" text-anchor="middle" x="{box.x:g}" y="{top + 19 + 19 * i:g}">{escape(text)}</text>'
        for i, (kind, text) in enumerate(texts)
        if text
    )
    return (
        f'<rect class="b" x="{left:g}" y="{top:g}" width="{2 * box.half_width:g}" height="{2 * box.half_height:g}" rx="5"/>{body}'
    )


def buffer_text(node: NodeState) -> str:
    """Return the contents of the buffers of a node, and its lost packets."""
    lost = f"   X {node.lost}" if node.lost else ""
    return f"UA {node.upstream}   DA {node.downstream}{lost}"


def _link(a: Rect, b: Rect) -> str:
    return f'<line class="l" x1="{a.x:g}" y1="{a.y:g}" x2="{b.x:g}" y2="{b.y:g}"/>'


def _strands(picture: Picture, boxes: Mapping[str, Rect]) -> Iterator[str]:
    """Draw every strand, and then every label at a place where it covers no other one."""
    segments = {}
    for pair in dict.fromkeys(tuple(sorted((s.source, s.target))) for s in picture.strands):
        strands = [s for s in picture.strands if {s.source, s.target} == set(pair)]
        for i, strand in enumerate(strands):
            segments[strand] = _segment(strand, pair, i, strands, boxes)
    placed: list[Rect] = list(boxes.values())
    labels = []
    for strand, segment in segments.items():
        others = [other for other in segments.values() if other is not segment]
        badge = _place(_label(strand), segment, placed, others)
        placed.append(badge)
        labels.append((strand, badge))
        yield _arrow(strand, segment)
    for strand, badge in labels:
        left, top, text = badge.x - badge.half_width, badge.y - badge.half_height, escape(_label(strand))
        yield (
            f'<rect class="g" x="{left:.1f}" y="{top:.1f}" width="{2 * badge.half_width:.1f}" height="{_BADGE_HEIGHT}"/>'
            f'<text text-anchor="middle" x="{badge.x:.1f}" y="{badge.y + 4:.1f}">{text}</text>'
        )


def _label(strand: Strand) -> str:
    return strand.label + {LOST: " X", DISCARDED: " x"}.get(strand.end, "")


def _half_width(label: str) -> float:
    return (CHARACTER * len(label) + 4) / 2


def _segment(
    strand: Strand, pair: tuple[str, ...], place: int, strands: Sequence[Strand], boxes: Mapping[str, Rect]
) -> Segment:  # fmt: skip
    """Return the line of a strand from box to box; the strands between two boxes are parallel."""
    first, second = boxes[pair[0]], boxes[pair[1]]
    dx, dy = second.x - first.x, second.y - first.y
    length = max((dx * dx + dy * dy) ** 0.5, 1.0)
    nx, ny = -dy / length, dx / length
    widths = [2 * _half_width(_label(s)) for s in strands]
    spacing = max(_SPACING * abs(ny), (max(widths) + 4) * abs(nx), 12.0)
    shift = (place - (len(strands) - 1) / 2) * spacing
    source, target = boxes[strand.source], boxes[strand.target]
    line = Segment(source.x + nx * shift, source.y + ny * shift, target.x + nx * shift, target.y + ny * shift)
    start, end = line.inside(source), line.inside(target)
    x1, y1 = line.at(start[1] if start else 0.2)
    x2, y2 = line.at(end[0] if end else 0.8)
    whole = Segment(x1, y1, x2, y2)
    return Segment(x1, y1, *whole.at(0.6)) if strand.end else whole


def _place(label: str, segment: Segment, placed: Sequence[Rect], others: Sequence[Segment]) -> Rect:
    """Return the first free place of a label on its strand: away from other labels, and if possible from other strands."""
    options = [Rect(*segment.at(part), _half_width(label), _BADGE_HEIGHT / 2) for part in _POSITIONS]
    free = [option for option in options if not any(option.overlaps(other) for other in placed)]
    alone = [option for option in free if not any(other.crosses(option) for other in others)]
    if alone or free:
        return (alone or free)[0]
    beside = [
        Rect(o.x + dx, o.y + dy, o.half_width, o.half_height)
        for dx, dy, o in product((0, -40, 40, -80, 80), (0, -20, 20, -40, 40), options)
    ]
    return next((o for o in beside if not any(o.overlaps(other) for other in placed)), options[0])


def _arrow(strand: Strand, segment: Segment) -> str:
    kind = "X" if strand.end == LOST else {DOWN: "D", COPY: "D", UP: "U"}.get(strand.label, "M")
    dash = ' stroke-dasharray="5 3"' if strand.label == COPY else ""
    line = f'<line class="{kind}" x1="{segment.x1:.1f}" y1="{segment.y1:.1f}" x2="{segment.x2:.1f}" y2="{segment.y2:.1f}"{dash}/>'
    if strand.end:
        return f'{line}<path class="{kind}" d="M{segment.x2 - 4:.1f} {segment.y2 - 4:.1f}l8 8m0 -8l-8 8"/>'
    dx, dy = segment.x2 - segment.x1, segment.y2 - segment.y1
    length = max((dx * dx + dy * dy) ** 0.5, 1.0)
    ux, uy = 8 * dx / length, 8 * dy / length
    points = " ".join(
        f"{x:.1f},{y:.1f}"
        for x, y in (
            (segment.x2, segment.y2), (segment.x2 - ux - uy / 2, segment.y2 - uy + ux / 2),
            (segment.x2 - ux + uy / 2, segment.y2 - uy - ux / 2),
        )
    )  # fmt: skip
    return f'{line}<polygon class="{kind}" points="{points}"/>'


def _legend(picture: Picture) -> Iterator[str]:
    labels = {strand.label for strand in picture.strands}
    ends = {strand.end for strand in picture.strands}
    letters = ((DOWN, "downstream"), (UP, "upstream"), (COPY, "copies"))
    words = [f"{letter} {text}" for letter, text in letters if letter in labels]
    words += [text for end, text in ((LOST, "X lost"), (DISCARDED, "x copy discarded")) if end in ends]
    yield ", ".join([*words, "UA, DA: most packets waiting in the buffer for upstream, downstream data"])
