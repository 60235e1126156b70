"""Pictures as text."""

from handoff.output.ladder.picture import LOST, Flow, NodeState, Picture, Strand
from handoff.output.ladder.picture_text import entry_text, render_picture_text


def test_a_small_picture_character_by_character():
    nodes = (NodeState("MN", (), 3, 0, 0), NodeState("HA", ("new router",), 0, 12, 2))
    strands = (Strand("HA", "MN", "D"), Strand("MN", "HA", "RQ"), Strand("HA", "MN", "RR", LOST))
    flows = (Flow("D", ("HA", "MN"), "delivered", 4), Flow("D", ("HA",), "lost: detached", 1))
    assert render_picture_text(Picture("FIG. x", "mn0", nodes, (), strands, flows)).splitlines() == [
        "FIG. x",
        "mn0",
        "",
        "MN  UA 3   DA 0",
        "HA  UA 0   DA 12   X 2 binding: new router",
        "",
        "D: HA > MN: 4 packets delivered",
        "D: HA: 1 packet lost: detached",
        "RQ: MN > HA",
        "RR: HA > MN (lost)",
    ]


def test_entries_are_a_word_or_a_binding():
    texts = [entry_text(NodeState("HA", entry, 0, 0, 0)) for entry in ((), ("visitor",), ("holds packets",), ("a", "b"))]
    assert texts == ["", "visitor", "holds packets", "binding: a + b"]
