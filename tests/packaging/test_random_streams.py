"""Purposes of random streams: two purposes with one number would draw the same numbers for one entity."""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]


def purposes(source):
    """Yield (line, n) of each ``PURPOSE_USER + n`` in a source text; n is 0 where ``PURPOSE_USER`` is used alone."""
    if "PURPOSE_USER" not in source:
        return
    tree = ast.parse(source)
    added = {
        id(node.left): node.right.value
        for node in ast.walk(tree)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add) and isinstance(node.right, ast.Constant)
    }
    for node in ast.walk(tree):
        if getattr(node, "id", None) == "PURPOSE_USER" or getattr(node, "attr", None) == "PURPOSE_USER":
            yield node.lineno, added.get(id(node), 0)


def shared(sources):
    """Return the places of each number that several places use, by number."""
    places = defaultdict(list)
    for name, source in sources.items():
        for line, n in purposes(source):
            places[n].append(f"{name}:{line}")
    return {n: found for n, found in places.items() if len(found) > 1}


def test_each_purpose_has_a_number_of_its_own():
    sources = {str(path.relative_to(ROOT)): path.read_text() for path in sorted((ROOT / "handoff").rglob("*.py"))}
    assert sum(len(list(purposes(source))) for source in sources.values()) > 10
    assert shared(sources) == {}


def test_a_shared_number_is_found():
    sources = {
        "a.py": "from engine.rng import PURPOSE_USER\nPURPOSE_A = PURPOSE_USER + 6\n",
        "b.py": "from engine import rng\nPURPOSE_B = rng.PURPOSE_USER + 6\nPURPOSE_C = rng.PURPOSE_USER + 7\n",
        "c.py": "stream(PURPOSE_USER)\n",
        "d.py": "stream(PURPOSE_USER + 0)\n",
    }
    assert shared(sources) == {6: ["a.py:2", "b.py:2"], 0: ["c.py:1", "d.py:1"]}
