"""Example scenarios that come with the package: the folder ``examples/`` of the repository."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"
"""Folder of the example scenarios and the files that they name."""


def example_names() -> list[str]:
    """Return the names of the example scenarios, sorted."""
    return sorted(path.stem for path in EXAMPLES.glob("*.toml"))


def example_path(name: str) -> Path:
    """Return the file of an example scenario."""
    return EXAMPLES / f"{name}.toml"


def example_summary(name: str) -> str:
    """Return the first sentence of the comment at the top of an example."""
    text = " ".join(line.removeprefix("#").strip() for line in _comment_lines(example_path(name)))
    sentence = re.split(r"(?<=[.?])\s", text)[0]
    return f"{sentence.removesuffix(':')}." if sentence.endswith(":") else sentence


def _comment_lines(path: Path) -> Iterator[str]:
    for line in path.read_text(encoding="utf-8").splitlines():
        if not re.match(r"# ?\S", line):
            return
        yield line
