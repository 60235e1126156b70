"""Pages of the documentation: each is in the table of contents, and each relative link has a target."""

import re
from pathlib import Path

import pytest

from handoff.cli.root import root

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SITE = sorted(path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*") if path.suffix in (".md", ".ipynb"))
PAGES = [*(ROOT.glob("*.md")), *DOCS.rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
_TOCTREE = re.compile(r"^```\{toctree\}\n(.*?)^```", re.M | re.S)
_CODE = re.compile(r"^(`{3,}).*?^\1|^(?: {4}|\t).*?$|`[^`\n]*`", re.M | re.S)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+?) *$", re.M)


def toctree_entries(folder, text):
    """Return the pages that the table of contents of a page names, relative to the folder of the documentation."""
    lines = (line for block in _TOCTREE.findall(text) for line in block.splitlines())
    return [(Path(folder) / line).as_posix() for line in lines if line and not line.startswith(":")]


def anchors(text):
    """Return the anchors of the headings, as Git servers and MyST form them."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in _HEADING.findall(text)}


def broken_links(page, text):
    """Return each relative link of a page that has no target: no such file, or no such heading in it."""
    broken = []
    for link in _LINK.findall(_CODE.sub("", text)):
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if re.match(r"[a-z]+:", link) or (target.exists() and not anchor):
            continue
        if not target.is_file() or anchor not in anchors(target.read_text()):
            broken.append(link)
    return broken


def test_every_page_is_in_the_table_of_contents_once():
    listed = [e for path in DOCS.rglob("*.md") for e in toctree_entries(path.parent.relative_to(DOCS), path.read_text())]
    assert sorted([*listed, "index"]) == SITE


def test_every_command_has_a_page_of_its_own():
    assert [page.removeprefix("cli/") for page in SITE if page.startswith("cli/")] == sorted([*root.list_commands(None), "index"])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_relative_link_has_a_target(page):
    assert broken_links(page, page.read_text()) == []


# The checker itself


def test_links_are_found(tmp_path):
    page, other = tmp_path / "a.md", tmp_path / "b.md"
    other.write_text("# `keys`, and values\n")
    text = "[a](b.md) [b](b.md#keys-and-values) [c](#top) [d](https://x) `[e](e)` [f](no.md) [g](b.md#no) ![h](n.png)\n# Top\n"
    page.write_text(text)
    assert broken_links(page, text) == ["no.md", "b.md#no", "n.png"]


def test_entries_of_a_table_of_contents_are_found():
    assert toctree_entries("cli", "# A\n\n```{toctree}\n:hidden:\n\nrun\nb/c\n```\n") == ["cli/run", "cli/b/c"]
