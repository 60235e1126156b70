"""Prose of the sources and pages: openings of docstrings, and phrases that are not plain English."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = (".py", ".pyi", ".pyx", ".pxd", ".rs", ".md")
OPENINGS = ("Of", "Whether", "What", "Those")
"""A docstring begins with a verb or a noun, not with a word that only the signature or the name completes."""
PHRASES = {
    # The patterns leave idiomatic uses alone: "stands for", "is to be expected", "so many that", "told apart".
    r"those that": "name the things: 'flows that …'",
    r"what is (?:to be|asked|there|said|done|held|kept|loaded|under way)": "name the subject: 'the existing …'",
    r"(?:is|are) to be (?!expected)": "'must be', or the plain present",
    r"(?:of|for|in|into|with|after|at|by) so many": "'n', or 'the number of …'",
    r"stands? (?:twice|there|in the way of)": "'is listed twice', 'is there'",
    r"for ever": "'without end', 'infinite'",
    r"not any more": "'no longer'",
    r"by itself alone": "'alone'",
    r"takes? its leave": "'is replaced', 'leaves'",
    r"takes? (?:the )?\w+'s leave": "'replaces'",
    r"(?:go|goes|gone|going) on with": "'continue', 'resume'",
    r"as it were": "leave it out",
    r"(?:is|are|was|were|be) begun": "'starts', 'started'",
    r"(?:is|are|was|were|be) told (?!apart)": "'is informed', 'receives'",
    r"beyond all measure": "'without bound'",
    r"and what not": "leave it out",
}
"""Phrases of the style guide that no text contains, and plain English in their place."""
_ANY_PHRASE = re.compile(rf"\b(?:{'|'.join(PHRASES)})", re.I)
_COMMENT = re.compile(r"^[ \t]*(?:#+|//[/!]?|\*)[ \t]?", re.M)
_TRIPLE_QUOTED = re.compile(r'^[ \t]*[rRbB]?"""(.*?)"""', re.M | re.S)
_RUST_DOC = re.compile(r"^[ \t]*//[/!](?!/)[ \t]?(.*)$", re.M)
_PREVIOUS_RUST_DOC = re.compile(r"[ \t]*//[/!](?!/)")


def tracked(*endings):
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout: nothing is tracked here")
    names = [name for name in done.stdout.splitlines() if name.endswith(endings) and (ROOT / name).exists()]
    return [name for name in names if name != "tests/packaging/test_prose.py"]  # it quotes the phrases


def docstrings(name, text):
    """Yield line number and text of each docstring; in Rust, of the first line of each documentation comment."""
    if name.endswith(".rs"):
        lines = text.splitlines()
        for number, line in enumerate(lines):
            if (match := _RUST_DOC.match(line)) and not (number and _PREVIOUS_RUST_DOC.match(lines[number - 1])):
                yield number + 1, match[1]
    elif not name.endswith(".md"):
        for match in _TRIPLE_QUOTED.finditer(text):
            yield text.count("\n", 0, match.start(1)) + 1, match[1].strip()


def bad_openings(name, text):
    pattern = re.compile(rf"(?:{'|'.join(OPENINGS)})\b")
    return [f"{name}:{line}: {doc.splitlines()[0][:80]}" for line, doc in docstrings(name, text) if pattern.match(doc)]


def bad_phrases(name, text):
    """Return each phrase with its file. A phrase may span lines and begin a sentence."""
    flat = re.sub(r"\s+", " ", _COMMENT.sub(" ", text))
    found: list[str] = []
    if not _ANY_PHRASE.search(flat):  # one search takes less time than a search for each
        return found
    for phrase, instead in PHRASES.items():
        for match in re.finditer(rf"\b{phrase}(?:\b|(?<= ))", flat, re.I):
            found.append(f"{name}: '…{flat[max(0, match.start() - 30) : match.end() + 20]}…': write {instead}")
    return found


def test_no_docstring_opens_with_a_word_of_the_list():
    assert [hit for name in tracked(*SOURCES) for hit in bad_openings(name, (ROOT / name).read_text())] == []


def test_no_text_contains_a_phrase_of_the_list():
    assert [hit for name in tracked(*SOURCES) for hit in bad_phrases(name, (ROOT / name).read_text())] == []


# The checker itself


@pytest.mark.parametrize(
    ("name", "text", "hits"),
    [
        ("a.py", 'def f():\n    """Whether it runs."""\n', ["a.py:2: Whether it runs."]),
        ("a.py", 'X = 1\n"""\nOf each node."""\n', ["a.py:2: Of each node."]),
        ("a.py", '"""Officers and whatever else."""\nx = "Of nothing"\n', []),
        ("a.pxd", 'cdef int f():\n    """What is next."""\n', ["a.pxd:2: What is next."]),
        ("a.rs", "/// Those of a file.\n/// What follows.\nfn f() {}\n", ["a.rs:1: Those of a file."]),
        ("a.rs", "//! Of a stream.\n// Of no interest.\n", ["a.rs:1: Of a stream."]),
    ],
)
def test_openings_are_found(name, text, hits):
    assert bad_openings(name, text) == hits


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("# keep those\n# that are late\n", 1),
        ("/// Waits for ever.\n", 1),
        ('"""The run that is to be repeated; what is asked for."""', 2),
        ("A false alarm is to be expected. `n` stands for the number. There are so many that it takes long.", 0),
        ("Those that go on with it are listed twice; a name stands twice.", 3),
        ("forever, foretold, told apart: they are told apart", 0),
    ],
)
def test_phrases_are_found(text, count):
    assert len(bad_phrases("a.py", text)) == count
