"""Rooms of the source tree, the imports that each room may have, and the imports that it has.

``python -m tests.packaging.rooms`` prints the rooms with their floors, the imports between them, the violations and the circles.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Room(NamedTuple):
    """A part of the source tree. A room imports itself and the rooms in ``may_import``."""

    floor: int
    may_import: tuple[str, ...]


ENGINE = ("engine", "engine.describe", "engine.prepare", "engine.read_off", "engine.compiled")
_BELOW_EXPERIMENTS = ("workload", "output", "simulation", "theory", "scenario", "metrics", "protocol", *ENGINE)
_BELOW_CLI = (
    "experiments.planning", "experiments.sweep", "experiments.execution", *_BELOW_EXPERIMENTS, "mobility", "traces",
)  # fmt: skip
ROOMS = {
    "handoff": Room(5, ("api", *_BELOW_CLI)),
    "cli": Room(5, ("api", *_BELOW_CLI)),
    "api": Room(5, _BELOW_CLI),
    "experiments.planning": Room(4, ("experiments.sweep", "experiments.execution", *_BELOW_EXPERIMENTS)),
    "experiments.sweep": Room(4, ("experiments.execution", *_BELOW_EXPERIMENTS)),
    "experiments.execution": Room(4, _BELOW_EXPERIMENTS),
    "workload": Room(3, ("scenario", "mobility", "protocol", *ENGINE, "traces")),
    "output": Room(3, ("simulation", "theory", "metrics", "protocol", *ENGINE, "traces")),
    "scenario": Room(2, ("mobility", "protocol", *ENGINE)),
    "simulation": Room(2, ("protocol", "metrics", *ENGINE)),
    "theory": Room(2, ("protocol", "metrics", *ENGINE)),
    "protocol": Room(1, ENGINE),
    "mobility": Room(1, (*ENGINE, "traces")),
    "metrics": Room(1, ENGINE),
    "engine": Room(0, (*ENGINE, "engine.kernel")),
    "engine.compiled": Room(0, ("engine.describe", "engine.prepare", "engine.read_off", "engine.kernel")),
    "engine.read_off": Room(0, ("engine.describe", "engine.prepare")),
    "engine.prepare": Room(0, ("engine.describe",)),
    "engine.describe": Room(0, ()),
    "engine.kernel": Room(0, ()),
    "traces": Room(0, ()),
}
"""The table of docs/architecture.md: floor of each room, and the rooms that it may import.

``handoff`` is the package itself, which offers the Python interface.
"""
ENGINE_MODULES = {
    "engine.describe": (
        "network", "network_columns", "elements", "attachments", "replay", "columns", "quantities", "arguments", "rng",
        "regular_file", "similar_names",
    ),
    "engine.prepare": ("compiled_network", "lookahead", "routing", "offered_load", "memory"),
    "engine.read_off": ("results", "result_builder", "link_trace", "histogram", "checkpoint_file", "output_file"),
    "engine.compiled": ("_core", "_loop", "_context", "_checkpoint", "_interval_rows", "_mobile_states"),
}
_TRACES_PACKAGES = ("handoff_traces", "traces")

Graph = dict[str, set[str]]
"""Modules that each module imports."""


def room_of(module: str) -> str | None:
    """Return the room of a module, or None for a module outside the tree or without a room."""
    top, *rest = module.split(".")
    if top in _TRACES_PACKAGES:
        return "traces"
    if top == "engine":
        if not rest:
            return "engine"
        if rest[0] == "kernel":
            return "engine.kernel"
        return next((room for room, names in ENGINE_MODULES.items() if rest[0] in names), None)
    if top != "handoff":
        return None
    if not rest:
        return "handoff"
    if rest[0] == "__main__":  # the program
        return "cli"
    if rest[0] == "experiments":
        return ".".join(rest[:2]) if len(rest) > 1 else "experiments.planning"
    return rest[0] if rest[0] in ROOMS else None


def module_name(path: Path) -> str:
    """Return the dotted name of a Python or Cython source file."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def python_graph() -> Graph:
    """Return the imports of all modules of handoff/ and engine/, those inside of functions included."""
    files = [path for folder in ("handoff", "engine") for path in sorted((ROOT / folder).rglob("*"))]
    files = [path for path in files if path.suffix in (".py", ".pyx", ".pxd")]
    modules = {module_name(path) for path in files}
    graph: Graph = {module: set() for module in modules}
    for path in files:
        module = module_name(path)
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        found = _python_imports(path) if path.suffix == ".py" else _cython_imports(path)
        for base, level, names in found:
            target = _absolute(base, level, package)
            for name in names or ("",):
                imported = f"{target}.{name}" if f"{target}.{name}" in modules else target
                if room_of(imported) is not None or imported.partition(".")[0] in ("handoff", "engine"):
                    graph[module].add(imported)
        graph[module].discard(module)  # x.pyx and x.pxd are one module
    return graph


def _absolute(base: str, level: int, package: str) -> str:
    if not level:
        return base
    parent = package.split(".")
    return ".".join([*parent[: len(parent) - level + 1], *([base] if base else [])])


@cache
def _python_imports(path: Path) -> tuple[tuple[str, int, tuple[str, ...]], ...]:
    imports: list[tuple[str, int, tuple[str, ...]]] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imports += ((alias.name, 0, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            imports.append((node.module or "", node.level, tuple(alias.name for alias in node.names)))
    return tuple(imports)


_CYTHON_FROM = re.compile(r"^[ \t]*from[ \t]+(\.*)([\w.]*)[ \t]+c?import[ \t]+(\([^)]*\)|[^\n#]*)", re.M)
_CYTHON_IMPORT = re.compile(r"^[ \t]*c?import[ \t]+([\w.]+(?:[ \t]*,[ \t]*[\w.]+)*)", re.M)


def _cython_imports(path: Path) -> Iterator[tuple[str, int, tuple[str, ...]]]:
    text = path.read_text().replace("\\\n", " ")
    for dots, base, names in _CYTHON_FROM.findall(text):
        yield base, len(dots), tuple(re.findall(r"(\w+)(?:\s+as\s+\w+)?", re.sub(r"#.*", "", names)))
    for names in _CYTHON_IMPORT.findall(text):
        yield from ((name.strip(), 0, ()) for name in names.split(","))


def rust_graph() -> Graph:
    """Return the modules of traces/src and the modules that each one uses, by ``crate::`` and ``super::``."""
    source = ROOT / "traces" / "src"
    files = {_rust_module(path.relative_to(source)): path for path in sorted(source.rglob("*.rs"))}
    graph: Graph = {}
    for module, path in files.items():
        graph[module] = set()
        text = re.sub(r"//[^\n]*", "", path.read_text())
        for used in _rust_paths(text, module):
            while used not in files:
                used = used.rpartition("::")[0]
            graph[module].add(used)
        graph[module].discard(module)
    return graph


def _rust_module(path: Path) -> str:
    parts = list(path.with_suffix("").parts)
    return "::".join(["crate", *(parts[:-1] if parts[-1] in ("mod", "lib") else parts)])


def _rust_paths(text: str, module: str) -> Iterator[str]:
    for tree in re.findall(r"\bcrate(::(?:\w+::)*(?:\w+|\{[^;]*?\}(?=;)|\*))", text):
        yield from _expand("crate", tree)
    for tree in re.findall(r"^(?:pub(?:\([^)]*\))? )?use super(::[^;]+);", text, re.M):  # not in a nested `mod tests`
        yield from _expand(module.rpartition("::")[0], tree)


def _expand(prefix: str, tree: str) -> Iterator[str]:
    """Yield the paths of a ``use`` tree such as ``::a::{b, c::d}``."""
    head, brace, rest = tree.partition("{")
    base = prefix + head.rstrip(":")
    if not brace:
        yield base.removesuffix("::*").partition(" as ")[0].strip()
        return
    depth, item = 0, ""
    for character in rest.rstrip().removesuffix("}") + ",":
        depth += (character == "{") - (character == "}")
        if character == "," and not depth:
            if item.strip() not in ("", "self", "*"):
                yield from _expand(base, "::" + item.strip())
            elif item.strip():
                yield base
            item = ""
        else:
            item += character


def violations(graph: Mapping[str, Iterable[str]]) -> list[str]:
    """Return each import that the table does not allow, as ``importer -> imported``."""
    return [
        f"{module} -> {imported}"
        for module, imports in sorted(graph.items())
        for imported in sorted(imports)
        if not _is_allowed(room_of(module), room_of(imported))
    ]


def _is_allowed(room: str | None, imported: str | None) -> bool:
    return room is not None and imported is not None and (room == imported or imported in ROOMS[room].may_import)


def circles(graph: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Return the groups of modules that import each other directly or indirectly (strongly connected components)."""
    order: list[str] = []
    visited: set[str] = set()
    for start in sorted(graph):
        _visit(start, graph, visited, order)
    reverse: Graph = {module: set() for module in graph}
    for module, imports in graph.items():
        for imported in imports:
            if imported in reverse:
                reverse[imported].add(module)
    visited.clear()
    components = []
    for start in reversed(order):
        component: list[str] = []
        _visit(start, reverse, visited, component)
        if len(component) > 1:
            components.append(sorted(component))
    return sorted(components)


def _visit(start: str, graph: Mapping[str, Iterable[str]], visited: set[str], finished: list[str]) -> None:
    """Append the modules that ``start`` reaches to ``finished``, each one after all that it reaches."""
    if start in visited:
        return
    visited.add(start)
    stack = [(start, iter(sorted(graph[start])))]
    while stack:
        module, imports = stack[-1]
        following = next((m for m in imports if m in graph and m not in visited), None)
        if following is None:
            finished.append(module)
            stack.pop()
        else:
            visited.add(following)
            stack.append((following, iter(sorted(graph[following]))))


def main() -> None:
    """Print rooms, floors, imports between rooms, violations and circles."""
    graph, rust = python_graph(), rust_graph()
    sizes = Counter(room_of(module) or "?" for module in graph)
    arrows = {
        room: Counter(room_of(i) or "?" for m, imports in graph.items() if room_of(m) == room for i in imports) for room in ROOMS
    }
    print(f"{'room':<22} {'floor':>5} {'modules':>7}  imports (number of module pairs)")
    for room, (floor, _) in ROOMS.items():
        targets = ", ".join(f"{target} {count}" for target, count in sorted(arrows[room].items()) if target != room)
        print(f"{room:<22} {floor:>5} {sizes[room]:>7}  {targets}")
    for title, lines in (
        ("imports that the table does not allow", violations(graph)),
        ("circles", [" <-> ".join(circle) for circle in circles(graph) + circles(rust)]),
    ):
        print(f"\n{title}: {len(lines)}")
        print("\n".join(f"  {line}" for line in lines), end="\n" if lines else "")
    sys.exit(bool(violations(graph) or circles(graph) or circles(rust)))


if __name__ == "__main__":
    main()
