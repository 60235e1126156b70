"""One handoff as a diagram: what is collected (from the scene of the conformance tests), and how it is drawn."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from handoff.output.ladder.collect import build_ladder
from handoff.output.ladder.diagram import Arrow, Ladder, LadderEvent, Traffic
from handoff.output.ladder.svg import render_svg
from handoff.output.ladder.text import render_text
from tests.conformance.cases import LATE, SINGLE, TIMELY
from tests.conformance.scene import Scene, Stay

MS = 10**9
ROOT = Path(__file__).parents[4]
SVG = "{http://www.w3.org/2000/svg}"


def begins(ladder):
    """The first thing of each phase, in ms."""
    first = {}
    for thing in (*ladder.arrows, *ladder.marks):
        at = (thing.sent_ps if isinstance(thing, Arrow) else thing.time_ps) / MS
        first[thing.phase] = min(at, first.get(thing.phase, at))
    return first


@pytest.mark.parametrize(
    ("scene", "phases"),
    [
        # request 500; binding 523; marker at the mobile node 537; the old link ends at 600
        (TIMELY, {"I-2": 500, "I-3": 523, "I-4": 537, "I-5": 600}),
        # warned at 520; binding 523; the update is at the old router at 524; the old link ends at 545
        (LATE, {"II-2": 500, "II-4": 520, "II-3": 523, "II-5": 524, "II-6": 545}),
        # warned at 502; the new link is up at 513; binding 523; reply 540
        (SINGLE, {"III-2": 500, "III-3": 502, "III-4": 513, "III-5": 523, "III-6": 540}),
    ],
    ids=["I", "II", "III"],
)
def test_phases_of_the_seed_begin_when_they_should(scene, phases):
    assert begins(build_ladder(scene.setup(), "sync-mipv4", 0, 0, 1)) == phases


def test_messages_columns_and_data_of_a_handoff():
    """Packets sent at 480, 495 and 510 go by the old radio, by forwarding and by the new router (tests of the paths say why)."""
    ladder = build_ladder(LATE.setup(down=[480, 495, 510], up=[505]), "sync-mipv4", 0, 0, 1)
    assert ladder.columns == ("MN", "old router", "new router", "HA", "CN")
    assert [(a.message, a.source, a.to, a.sent_ps / MS, a.got_ps / MS) for a in ladder.arrows[:3]] == [
        ("RQ", "MN", "old router", 500, 504), ("RQ", "old router", "new router", 504, 510), ("RQ", "new router", "HA", 510, 523),
    ]  # fmt: skip
    assert {(t.phase, t.direction, t.path, t.packets, t.outcome) for t in ladder.traffic} == {
        ("II-1", "down", ("CN", "HA", "old router", "MN"), 1, "delivered"),
        ("II-1", "down", ("CN", "HA", "old router", "new router", "MN"), 1, "delivered"),
        ("II-2", "down", ("CN", "HA", "new router", "MN"), 1, "delivered"),
        ("II-2", "up", ("MN", "CN"), 1, "delivered"),
    }
    assert [m.text for m in ladder.marks if m.column == "HA"] == ["binds to new router"]


def test_a_lost_packet_ends_where_it_was_lost_and_a_lost_message_says_so():
    scene = Scene([Stay("old", down=500), Stay("new", up=700)], loss=["new>ha"])
    ladder = build_ladder(scene.setup(down=[480]), "mipv4", 0, 0, 1)
    assert [(t.path, t.outcome) for t in ladder.traffic] == [(("CN", "HA", "old router"), "lost: detached")]
    assert [(a.message, a.to, a.got_ps) for a in ladder.arrows] == [("RQ", "new router", 805 * MS), ("RQ", "HA", None)]
    assert ladder.arrows[1].note


def test_two_gateways_when_the_move_goes_between_regions():
    scene = Scene(TIMELY.stays, regions=2)
    ladder = build_ladder(scene.setup(down=[100]), "sync-hmipv6", 0, 0, 1)
    assert ladder.columns == ("MN", "old router", "new router", "old MAP", "MAP", "HA", "CN")


def test_a_handoff_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="has no handoff 1 in this run: it has handoffs 0 to 0"):
        build_ladder(LATE.setup(), "sync-mipv4", 0, 1, 1)


NASTY = Ladder(
    "<script>alert(1)</script> & co",
    ("MN", "old <b>", "HA"),
    tuple(Arrow(f"M{i}", "MN", "HA" if i % 2 else "old <b>", i * MS, (i + 3) * MS if i % 5 else None, "A") for i in range(60)),
    (LadderEvent(5 * MS, "HA", "binds & more", "A"),),
    (Traffic("A", 0, 9 * MS, "down", ("HA", "old <b>", "MN"), 1234, "delivered"),),
    ("A",),
)


def test_the_picture_escapes_every_text_and_holds_everything():
    text = render_svg(NASTY)
    assert "<script" not in text
    root = ET.fromstring(text)
    words = [t.text for t in root.iter(f"{SVG}text")]
    assert words.count("<script>alert(1)</script> & co") == 1
    assert {f"M{i}" for i in range(60)} <= set(words)
    assert "binds & more" in words
    assert any("1,234 delivered" in (w or "") for w in words)
    assert len(list(root.iter(f"{SVG}polygon"))) == 60 - 12


def test_no_two_labels_of_the_picture_cover_each_other():
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
    empty = Ladder("nothing", (), (), (), (), ())
    assert "nothing" in render_text(empty)
    ET.fromstring(render_svg(empty))


def test_arrows_of_the_text_point_where_they_go():
    lines = render_text(NASTY, 100).splitlines()
    heads = {m[1]: line for line in lines if (m := re.search(r" (M\d+) ", line))}
    assert len(heads) == 60
    assert "X" in heads["M5"]
    assert heads["M7"].rstrip().endswith("at 10.000")
    assert heads["M7"].index(">") > heads["M6"].index(">"), "one goes to the last column, the other to the second"
    assert all(len(line) <= 130 for line in lines)


def test_the_command_prints_and_writes(tmp_path):
    out = tmp_path / "one.svg"
    call = [sys.executable, "-c", "from handoff.cli.main import main; main()", "ladder", "examples/commute.toml", "--procedure",
            "sync-mipv6-ro", "--set", "duration=100s", "--handoff", "3", "--mn"]  # fmt: skip
    printed = subprocess.run([*call, "7"], capture_output=True, text=True, cwd=ROOT, check=True).stdout
    assert printed.startswith("sync-mipv6-ro, scenario I: handoff 3 of mn7 (old router ar1, new router ar0, HA ha, CN cn)\n")
    for message in ("BU1", "BU2", "DBU", "BA1", "BA2", "DBA"):
        assert f" {message} " in printed
    done = subprocess.run([*call, "mn7", "-o", str(out)], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout == ""
    ET.parse(out)
    place = str(tmp_path / "no" / "x.svg")
    nowhere = subprocess.run([*call, "7", "-o", place], capture_output=True, text=True, cwd=ROOT, check=False)
    assert (nowhere.returncode, nowhere.stderr) == (2, f"-o: {tmp_path / 'no'} is no folder\n")
    wrong = subprocess.run([*call, "mn700"], capture_output=True, text=True, cwd=ROOT, check=False)
    assert wrong.returncode == 2
    assert wrong.stderr == "--mn: no mobile node 'mn700': give a name (mn0 to mn199) or 0 to 199\n"
