"""Pictures of the network as text."""

from __future__ import annotations

from collections.abc import Iterator

from handoff.output.ladder.picture import DATA, NodeState, Picture
from handoff.output.printable import printable_copy


def render_picture_text(picture: Picture) -> str:
    """Return a picture as lines: nodes with entries and buffers, paths of data, messages; without a final newline."""
    picture = printable_copy(picture)
    width = max((len(node.column) for node in picture.nodes), default=0) + 2
    lines = [picture.title, picture.subtitle, ""]
    for node in picture.nodes:
        lost = f"  X {node.lost}" if node.lost else ""
        lines.append(f"{node.column:<{width}}UA {node.upstream:<3} DA {node.downstream:<3}{lost} {entry_text(node)}".rstrip())
    lines += ["", *flow_lines(picture)]
    messages = [strand for strand in picture.strands if strand.label not in DATA]
    lines += [f"{m.label}: {m.source} > {m.target}{' (lost)' if m.end else ''}" for m in messages]
    return "\n".join(lines)


def entry_text(node: NodeState) -> str:
    """Return the entry of a node in words; empty without an entry."""
    if node.entry in (("visitor",), ("holds packets",)):
        return node.entry[0]
    return f"binding: {' + '.join(node.entry)}" if node.entry else ""


def flow_lines(picture: Picture) -> Iterator[str]:
    """Yield a line for each path of data."""
    for flow in picture.flows:
        plural = "" if flow.packets == 1 else "s"
        yield f"{flow.label}: {' > '.join(flow.path)}: {flow.packets:,} packet{plural} {flow.outcome}"
