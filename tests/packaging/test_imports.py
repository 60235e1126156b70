"""Imports: each room imports only the rooms that its row of the table names, and no modules import each other in a circle."""

import re

import pytest

from tests.packaging import rooms
from tests.packaging.rooms import ROOMS, ROOT, circles, python_graph, room_of, rust_graph, violations


def test_every_module_has_a_room():
    assert [module for module in python_graph() if room_of(module) is None] == []


def test_rooms_import_only_what_the_table_allows():
    assert violations(python_graph()) == []


def test_no_python_modules_import_each_other_in_a_circle():
    assert circles(python_graph()) == []


def test_no_rust_modules_use_each_other_in_a_circle():
    assert circles(rust_graph()) == []


def test_the_table_has_no_arrow_upwards_and_no_circle():
    for room, (floor, may_import) in ROOMS.items():
        for imported in may_import:
            assert ROOMS[imported].floor <= floor, f"{room} -> {imported}"
    engine = [room for room in ROOMS if room.startswith("engine")]
    assert circles({room: [i for i in ROOMS[room].may_import if i != room] for room in ROOMS if room not in engine}) == []


def test_the_table_agrees_with_the_documentation():
    """The table of docs/architecture.md names the rooms of handoff/ that each row may import."""
    page = (ROOT / "docs" / "architecture.md").read_text()
    rows = dict(re.findall(r"^\| \d \| `(?:handoff/)?(\w+)` \|[^|]*\|([^|]*)\|$", page, re.M))
    assert len(rows) == 13
    assert rows.pop("cli").strip() == "`api` and all below"
    assert rows.pop("api").strip() == "all below"
    for name, allowed in rows.items():
        for room in ROOMS:
            if room.partition(".")[0] == name:
                imported = {i.partition(".")[0] for i in ROOMS[room].may_import} - {"engine", "traces", name}
                assert imported == set(re.findall(r"`(\w+)`", allowed)), room


def test_neither_readers_nor_product_import_the_layers_above():
    """``traces`` knows nothing of the simulator; the product knows nothing of its tests and benchmarks."""
    forbidden = {"traces/python": {"handoff", "engine"}, "handoff": {"tests", "bench"}, "engine": {"tests", "bench"}}
    wrong = []
    for folder, tops in forbidden.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            bases = {base.partition(".")[0] for base, level, _ in rooms._python_imports(path) if not level}
            wrong += [f"{path.relative_to(ROOT)} -> {top}" for top in bases & tops]
    assert wrong == []


# The checker itself


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """Return a function that writes the files of a small tree and makes it the one that is checked."""

    def write(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        monkeypatch.setattr(rooms, "ROOT", tmp_path)

    return write


@pytest.mark.parametrize(
    "text",
    [
        "from handoff.cli.tables import print_cells",
        "from handoff.cli import tables",
        "import handoff.cli.tables",
        "def f():\n    from handoff.cli import tables\n",
        "if TYPE_CHECKING:\n    from handoff.cli import tables\n",
        "from ..cli import tables",
        "from ..cli.tables import print_cells",
    ],
)
def test_every_form_of_an_import_is_seen(tree, text):
    tree({"handoff/protocol/agent.py": text, "handoff/cli/tables.py": "", "handoff/cli/__init__.py": ""})
    assert violations(python_graph()) == ["handoff.protocol.agent -> handoff.cli.tables"]


def test_cython_imports_are_seen(tree):
    tree({
        "engine/_core.pyx": (
            "from engine.kernel.fifo cimport (a,\n    b)\ncimport engine.kernel.arena\nfrom engine cimport kernel\n"
        ),
        "engine/kernel/__init__.pxd": "",
        "engine/kernel/fifo.pxd": "from engine.results import Fate\nfrom libc.stdint cimport int64_t\n",
        "engine/kernel/arena.pxd": "from engine.kernel cimport fifo",
        "engine/results.py": "",
    })  # fmt: skip
    graph = python_graph()
    assert graph["engine._core"] == {"engine.kernel.fifo", "engine.kernel.arena", "engine.kernel"}
    assert graph["engine.kernel.arena"] == {"engine.kernel.fifo"}
    assert violations(graph) == ["engine.kernel.fifo -> engine.results"]


def test_a_module_without_a_room_is_a_violation(tree):
    tree({"engine/novel.py": "", "engine/network.py": "import engine.novel", "handoff/x.py": "from engine import network"})
    assert violations(python_graph()) == ["engine.network -> engine.novel", "handoff.x -> engine.network"]


def test_circles_are_found_through_functions_and_other_modules(tree):
    tree({
        "handoff/cli/a.py": "from handoff.cli import b",
        "handoff/cli/b.py": "from handoff.cli.c import x",
        "handoff/cli/c.py": "def f():\n    import handoff.cli.a\n",
        "handoff/cli/d.py": "import handoff.cli.a",
    })  # fmt: skip
    assert circles(python_graph()) == [["handoff.cli.a", "handoff.cli.b", "handoff.cli.c"]]


def test_rust_paths_are_seen(tree):
    tree({
        "traces/src/lib.rs": "mod io; mod capture; mod error;",
        "traces/src/error.rs": "// use crate::io::file::X;\npub struct E;",
        "traces/src/io/mod.rs": "pub mod file; pub mod bytes;",
        "traces/src/io/file.rs": (
            "use super::bytes::read;\nuse crate::{error::E, capture::{self, pcap::{A, B}}};\nmod tests { use super::*; }"
        ),
        "traces/src/io/bytes.rs": "fn f() { crate::io::file::open() }",
        "traces/src/capture/mod.rs": "",
        "traces/src/capture/pcap.rs": "use crate::error::*;",
    })  # fmt: skip
    graph = rust_graph()
    assert graph["crate::io::file"] == {"crate::io::bytes", "crate::error", "crate::capture", "crate::capture::pcap"}
    assert graph["crate::capture::pcap"] == {"crate::error"}
    assert graph["crate::error"] == set()
    assert circles(graph) == [["crate::io::bytes", "crate::io::file"]]
