"""Diagram for the tests of drawing."""

from handoff.output.ladder.diagram import Arrow, Ladder, LadderEvent, Traffic

MS = 10**9
CROWDED = Ladder(
    "<script>alert(1)</script> & co",
    ("MN", "old <b>", "HA"),
    tuple(Arrow(f"M{i}", "MN", "HA" if i % 2 else "old <b>", i * MS, (i + 3) * MS if i % 5 else None, "A") for i in range(60)),
    (LadderEvent(5 * MS, "HA", "binds & more", "A"),),
    (Traffic("A", 0, 9 * MS, "down", ("HA", "old <b>", "MN"), 1234, "delivered"),),
    ("A",),
)
"""60 messages, every fifth one lost, and texts that need escaping."""
EMPTY = Ladder("nothing", (), (), (), (), ())
