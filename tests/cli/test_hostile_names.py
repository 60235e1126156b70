"""Names out of files of other people: inert in every output, true in JSON, and no danger to XML."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import handoff.cli
from handoff.cli.main import main
from handoff.output.ladder.diagram import Arrow, Ladder, LadderEvent, Traffic
from handoff.output.ladder.diagram_svg import render_svg
from handoff.output.ladder.diagram_text import render_text
from handoff.output.ladder.picture import Flow, NodeState, Picture, Strand
from handoff.output.ladder.picture_svg import render_picture
from handoff.output.ladder.picture_text import render_picture_text

ACTIVE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]")
"""Characters that control a terminal, hide, or turn text: all of C0 except newline and tab, C1, and those of Unicode."""
FORGED = "forged-line"
PIECES = (
    "\x1b[31m", "\x1b]0;title\x07", "\x1b]8;;http://x\x1b\\", "\x9b31m", "\x00", "\x08", "\r", "\x7f", "\x85", "\u202e", "\u2066",
    "\u2069", "\u200b", "\u200d", "\ufeff", "\u2028", "\u2029", "\udcff", "\ufffe", "\uffff", "[red]", "[/]", "[link=x]",
    ":smile:", "<script>", "]]>", "&", "'", '"', "\\", "\t", f"\n{FORGED}", "界", "é", "\U000e0041", "a", "mn7",
)  # fmt: skip
NASTY = "a\x1b[31m\x9b\x07\r\x7f\u202e\u2066\u200b\u2028[red]:smile:<script>]]>&'"
SCENARIO = """
name = "walk"
duration = "2s"
correspondent = [{name = "cn"}]
home_agent = {name = "ha"}
link = [{between = ["cn", "ha"], delay = "5ms"}]
traffic = [{interval = "10ms", size_bytes = 200, phase = "10ms"}]
movement = {associations = "walk.csv"}
[routers]
names = ["ar0", "ar1"]
wired_to = "ha"
wired = {delay = "5ms"}
neighbours = {delay = "5ms"}
cell = {delay = "5ms"}
"""


def invoke(*words: object) -> Result:
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exception is None or isinstance(result.exception, SystemExit), words
    return result


def assert_inert(text: str) -> None:
    assert ACTIVE.findall(text) == []
    assert [line for line in text.splitlines() if line.startswith(FORGED)] == []


def pcapng(name: str) -> bytes:
    """Return a capture of one packet in which interface and comments have a name."""

    def option(code: int, value: bytes) -> bytes:
        return struct.pack("<HH", code, len(value)) + value + b"\0" * (-len(value) % 4)

    def block(kind: int, body: bytes) -> bytes:
        return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)

    text = name.encode(errors="surrogateescape")
    comment, end = option(1, text), struct.pack("<HH", 0, 0)
    return (
        block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + comment + end)
        + block(1, struct.pack("<HHI", 101, 0, 0) + option(2, text) + comment + end)
        + block(6, struct.pack("<IIIII", 0, 0, 1, 64, 64) + bytes(64) + comment + end)
    )


def write_walk(folder: Path, name: str) -> Path:
    """Write a scenario whose association log has a mobile node of a name."""
    quoted = '"' + name.replace('"', '""') + '"'
    rows = [f"{quoted},{rest}\n" for rest in ("ar0,0,0.8,0.5,0.7", "ar1,0.9,1.5,1.2,1.4", "ar0,1.6,,,")]
    log = "mobile,router,up_s,down_s,predict_s,going_down_s\n" + "".join(rows)
    (folder / "walk.csv").write_bytes(log.encode(errors="surrogateescape"))
    (folder / "walk.toml").write_text(SCENARIO)
    return folder / "walk.toml"


def toml_text(name: str) -> str:
    return '"' + "".join(f"\\U{ord(c):08x}" for c in name if not "\ud800" <= c <= "\udfff") + '"'


def commands(folder: Path, name: str) -> Iterator[tuple[object, ...]]:
    """Yield commands that meet a name in the files of a folder, and in their arguments."""
    scenario = write_walk(folder, name)
    (folder / "name.toml").write_text(SCENARIO.replace('"walk"', toml_text(name)))
    (folder / "key.toml").write_text(SCENARIO + f"{toml_text(name)} = 1\n")
    (folder / "routers.toml").write_text(SCENARIO.replace('"ar0"', toml_text(name)))
    (folder / "file.toml").write_text(SCENARIO.replace('"walk.csv"', toml_text(name)))
    (folder / "capture.pcapng").write_bytes(pcapng(name))
    (folder / "bad.csv").write_bytes((folder / "walk.csv").read_bytes().replace(b"ar1", b"ar9"))
    (folder / "bad.toml").write_text(SCENARIO.replace("walk.csv", "bad.csv"))
    for file in ("capture.pcapng", "walk.csv", "bad.csv"):
        yield "trace", "info", folder / file
    for file in ("name.toml", "key.toml", "routers.toml", "file.toml", "bad.toml", "walk.toml"):
        yield "validate", folder / file
    yield "run", scenario, "--procedure", "mipv4"
    ladder = ("ladder", scenario, "--procedure", "sync-mipv4", "--mn", 0)
    yield *ladder, "--handoff", 0
    yield *ladder, "--handoff", 9
    yield *ladder, "--handoff", 0, "-o", folder / "ladder.svg"
    yield "ladder", scenario, "--procedure", "sync-mipv4", "--mn", "nobody", "--handoff", 0
    for form in ("html", "mermaid", "svg"):
        yield *ladder, "--handoff", 0, "--format", form
    quoted = name.replace("'", "''")
    if "\0" not in name and not ACTIVE.fullmatch(name) and not re.search("[\ud800-\udfff]", name):
        for format in ((), ("--csv",)):
            yield "query", f"select '{quoted}' as \"{name.replace(chr(34), '')}x\"", folder / "data", *format
    yield from (
        ("run", scenario, "--procedure", name), ("run", scenario, "--procedure", "mipv4", "--set", f"{name}=1"),
        ("sweep", scenario, "--vary", f"{name}=1,2", "--procedures", "mipv4", "--dry-run"),
        ("sweep", scenario, "--vary", "buffer=1,2", "--procedures", "mipv4", "--where", name, "--dry-run"),
        ("sweep", scenario, "--vary", f"buffer=1,{name}", "--procedures", "mipv4", "--dry-run"),
        ("plan", scenario, "--vary", f"{name}=1:2", "--slo", f"{name}<=1"), ("query", name, folder / "data"), (name,),
        ("run", f"--{name}"), ("sweep", scenario, "--scheduler", name, "-o", folder / "out"),
    )  # fmt: skip
    file_name = name.replace("\0", "").replace("/", "")
    yield "validate", folder / file_name
    yield "query", "select 1", folder / file_name
    yield "run", scenario, "--procedure", "mipv4", "-o", folder / "walk.csv" / file_name


def write_dataset(folder: Path) -> None:
    (folder / "data" / "runs").mkdir(parents=True, exist_ok=True)


def assert_all_inert(folder: Path, name: str) -> None:
    write_dataset(folder)
    for words in commands(folder, name):
        result = invoke(*words)
        assert_inert(result.output)
        assert "Traceback" not in result.output
    svg = folder / "ladder.svg"
    if svg.exists():
        assert_inert(svg.read_text())
        assert {e.tag.rpartition("}")[2] for e in ElementTree.parse(svg).iter()} <= {
            "svg", "title", "style", "text", "rect", "line", "g", "path", "polygon", "circle"
        }  # fmt: skip


def test_a_hostile_name_is_inert_in_every_output(tmp_path: Path) -> None:
    assert_all_inert(tmp_path, f"{NASTY}\n{FORGED}")
    write_walk(tmp_path, NASTY)
    title = invoke("ladder", tmp_path / "walk.toml", "--procedure", "sync-mipv4", "--mn", 0, "--handoff", 0).output
    assert r"handoff 0 of a\x1b[31m\x9b\x07\r\x7f\u202e\u2066\u200b\u2028[red]:smile:<script>]]>&'" in title


def test_the_name_of_a_valid_file_forges_no_line(tmp_path: Path) -> None:
    scenario = write_walk(tmp_path, "walk").rename(tmp_path / f"s\n{FORGED}.toml")
    capture = tmp_path / f"c\n{FORGED}"
    capture.write_bytes(pcapng("eth0"))
    for words in (
        ("validate", scenario), ("trace", "info", capture), ("run", scenario, "--procedure", "mipv4"),
        ("sweep", scenario, "--vary", "buffer=1,2", "--procedures", "mipv4", "--dry-run"),
    ):  # fmt: skip
        result = invoke(*words)
        assert result.exit_code == 0
        assert_inert(result.output)


def test_json_has_the_true_names_and_text_shows_them_as_escapes(tmp_path: Path) -> None:
    name = f"{NASTY}\n{FORGED}"
    (tmp_path / "capture.pcapng").write_bytes(pcapng(name))
    text = invoke("trace", "info", tmp_path / "capture.pcapng").output
    assert r"a\x1b[31m\x9b\x07\r\x7f\u202e\u2066\u200b\u2028[red]:smile:<script>]]>&'\nforged-line" in text
    document = invoke("trace", "info", tmp_path / "capture.pcapng", "--json").output
    assert_inert(document)
    assert [interface["name"] for interface in json.loads(document)["interfaces"]] == [name]
    write_dataset(tmp_path)
    sql = f"select '{name.replace(chr(39), chr(39) * 2)}' as x"
    rows = invoke("query", sql, tmp_path / "data", "--json").output
    assert_inert(rows)
    assert json.loads(rows)["rows"] == [{"x": name}]


def test_parquet_keeps_the_true_names(tmp_path: Path) -> None:
    scenario = write_walk(tmp_path, NASTY)
    assert invoke("run", scenario, "--procedure", "mipv4", "-o", tmp_path / "out").exit_code == 0
    handoffs = pq.read_table(tmp_path / "out" / "handoffs.parquet", columns=["mobile"])
    assert set(handoffs["mobile"].to_pylist()) == {NASTY}


def hostile_ladder(name: str) -> Ladder:
    columns = (name, "HA")
    return Ladder(
        title=name, columns=columns, arrows=(Arrow(name, name, "HA", 1, 5, name, name),),
        events=(LadderEvent(2, name, name, name),), traffic=(Traffic(name, 1, 2, name, columns, 3, name),),
        phases=(name,), end_ps=9, intervals=((1, 9, name),),
    )  # fmt: skip


def hostile_picture(name: str) -> Picture:
    return Picture(
        name, name, (NodeState(name, (name,), 1, 2, 3), NodeState("HA", (), 0, 0, 0)), ((name, "HA"),),
        (Strand(name, "HA", name),), (Flow(name, (name, "HA"), name, 1),),
    )  # fmt: skip


names = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), min_size=1, max_size=6).map("".join)


@pytest.mark.deep
@settings(max_examples=500, deadline=None)
@given(names)
def test_diagrams_of_any_name_are_inert_and_well_formed(name: str) -> None:
    for text in (render_text(hostile_ladder(name)), render_picture_text(hostile_picture(name))):
        assert_inert(text)
    for svg in (render_svg(hostile_ladder(name)), render_picture(hostile_picture(name))):
        assert_inert(svg)
        root = ElementTree.fromstring(svg.encode())
        assert not {e.tag for e in root.iter() if "script" in e.tag}


@pytest.mark.deep
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names)
def test_any_name_is_inert_in_every_output(tmp_path: Path, name: str) -> None:
    assert_all_inert(tmp_path, name)


def test_everything_is_printed_by_one_module() -> None:
    """Text that is printed elsewhere would not be escaped."""
    folder = Path(handoff.cli.__file__).parent
    printing = re.compile(r"(?<![\w.])(?:print|click\.echo|click\.secho)\(|sys\.std(?:out|err)\.write|console\.print\(")
    files = [path.relative_to(folder) for path in folder.rglob("*.py") if printing.search(path.read_text())]
    assert sorted(map(str, files)) == ["process.py", "terminal.py"]  # the process prints only sentences of its own
