"""Ladder diagrams as sequence diagrams of Mermaid, for Markdown pages."""

from __future__ import annotations

from handoff.output.ladder.diagram import Arrow, Header, Ladder, LadderEvent, Traffic, format_time
from handoff.output.printable import printable_copy

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,:()/-_+")
"""Characters that have no meaning in Mermaid where a text is expected; others become entity codes."""


def render_mermaid(ladder: Ladder) -> str:
    """Return a ladder as a Mermaid sequence diagram; phases, events and data packets are notes."""
    ladder = printable_copy(ladder)
    names = {column: f"c{i}" for i, column in enumerate(ladder.columns)}
    lines = ["sequenceDiagram", *(f"    participant {name} as {_text(column)}" for column, name in names.items())]
    ends = list(names.values())
    over = f"{ends[0]},{ends[-1]}" if len(ends) > 1 else "".join(ends)
    for row in ladder.rows():
        if isinstance(row, Header):
            lines.append(f"    Note over {over}: phase {_text(row.phase)}{' (continued)' if row.continued else ''}")
        elif isinstance(row, Traffic):
            way = " to ".join(row.path)
            lines.append(f"    Note over {over}: {_text(f'{row.direction}: {way}: {row.packets:,} {row.outcome}')}")
        elif isinstance(row, LadderEvent):
            lines.append(f"    Note over {names[row.column]}: {_text(f'{format_time(row.time_ps)} ms {row.text}')}")
        else:
            lines.append(_arrow(row, names))
    return "\n".join(lines)


def _arrow(arrow: Arrow, names: dict[str, str]) -> str:
    head = "-x" if arrow.arrival_ps is None else "->>"
    times = format_time(arrow.sent_ps) + ("" if arrow.arrival_ps is None else f" to {format_time(arrow.arrival_ps)}")
    note = f", {arrow.note}" if arrow.note else ""
    return f"    {names[arrow.source]}{head}{names[arrow.target]}: {_text(f'{arrow.message} ({times} ms{note})')}"


def _text(text: str) -> str:
    return "".join(c if c in _PLAIN else f"#{ord(c)};" for c in text)
