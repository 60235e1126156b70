"""Terms that ``handoff explain`` knows: glossary, procedures, messages, measures, keys of a scenario file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

GLOSSARY = Path(__file__).with_name("glossary.md")
"""The page docs/glossary.md."""
_ENTRY = re.compile(r"^\*\*(?P<names>[^*]+)\.\*\* (?P<text>.*?)(?=^\*\*|^## |\Z)", re.S | re.M)
_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")
_UNITS = {"ps": "time", "s": "time", "": "count", "1/s": "rate of events"}
"""Units of measures in words; other units are words already."""
_COLUMN_MEASURES = {
    "dup": ("duplicate",),
    "signalling": ("signalling_messages",),
    "unfinished": ("unfinished_ratio",),
    "latency": ("latency_p50", "latency_p99"),
    "latency p50/p99": ("latency_p50", "latency_p99"),
}
"""Measures of those columns in tables of ``run`` and ``compare`` whose headings are not names of measures."""


class Term(NamedTuple):
    """A term and its explanation.

    Attributes
    ----------
    kind : str
        What the term is, such as "measure".
    names : tuple of str
        Names of the term; the first one is its heading.
    text : str
        Explanation, in paragraphs.
    """

    kind: str
    names: tuple[str, ...]
    text: str


def glossary_terms() -> Iterator[Term]:
    """Yield the entries of the glossary."""
    for entry in _ENTRY.finditer(GLOSSARY.read_text(encoding="utf-8")):
        heading = " ".join(entry["names"].split())
        names = [name.strip() for name in re.split(r"[,()]", heading) if name.strip()]
        lines = re.split(r"\n\s*\n|\n(?=- )", _LINK.sub(r"\1", entry["text"]).strip())
        text = "\n".join(" ".join(line.split()) for line in lines).replace("*", "").replace("`", "'")
        yield Term("term", (heading, *names), text)


def procedure_terms() -> Iterator[Term]:
    """Yield the procedures."""
    from handoff.protocol.procedures import ALL_PROCEDURES

    for procedure in ALL_PROCEDURES.values():
        facts = [f"{procedure.family} procedure", f"anchor {procedure.anchor}", ", ".join(procedure.rfcs)]
        facts += [f"marker {procedure.marker}"] if procedure.marker else []
        facts += [f"figures {procedure.figures}"] if procedure.figures else []
        text = f"{procedure.summary[0].upper()}{procedure.summary[1:]}.\n{'; '.join(facts)}"
        yield Term("procedure", (procedure.name,), text)


def set_terms() -> Iterator[Term]:
    """Yield the words that stand for several procedures, and the families of procedures."""
    from handoff.protocol.procedures import ALL_PROCEDURES, SETS

    families: dict[str, list[str]] = {}
    for procedure in ALL_PROCEDURES.values():
        families.setdefault(procedure.family, []).append(procedure.name)
    for word, names in SETS.items():
        yield Term("set of procedures", (word,), f"With --procedures {word}: {', '.join(names)}.")
    for family, members in families.items():
        if family not in SETS:
            yield Term("family of procedures", (family,), f"{', '.join(members)}.")


def message_terms() -> Iterator[Term]:
    """Yield the kinds of messages and the roles of the nodes that exchange them."""
    from handoff.cli.message_terms import ROLE_WORDS, message_entries

    for role, (words, text, *more_names) in ROLE_WORDS.items():
        about = f"{words[0].upper()}{words[1:]}, in the rows of procedures.{f' {text}' if text else ''}"
        yield Term("role", (role, words, *more_names), about)
    for kind, names, text in message_entries():
        yield Term("message", (kind, *names), text)


class MeasureEntry(NamedTuple):
    """A measure in the list of all.

    Attributes
    ----------
    name : str
        Name of the measure; that of a node begins with ``NODE.``, that of a link with ``LINK.``.
    unit : str
        Unit in words.
    definition : str
        What is measured.
    source : str
        Document that defines the measure, or an empty string.
    """

    name: str
    unit: str
    definition: str
    source: str


def measure_entries() -> Iterator[MeasureEntry]:
    """Yield the measures of runs, then those of nodes and links."""
    from handoff.metrics.catalogue import LINK_PARTS, MEASURES, NODE_PARTS

    for name, measure in MEASURES.items():
        yield MeasureEntry(name, _UNITS.get(measure.unit, measure.unit), measure.about, measure.source)
    for where, parts in (("NODE", NODE_PARTS), ("LINK", LINK_PARTS)):
        for name, part in parts.items():
            yield MeasureEntry(f"{where}.{name}", _UNITS.get(part.unit, part.unit), part.about, "")


def measure_terms() -> Iterator[Term]:
    """Yield the measures; those of nodes and links also have their names without ``NODE.`` and ``LINK.``."""
    for name, unit, definition, source in measure_entries():
        names = dict.fromkeys((name, name.rpartition(".")[2]))
        yield Term("measure", tuple(names), f"{definition}{f' ({source})' if source else ''}; {unit}")


def key_terms() -> Iterator[Term]:
    """Yield the keys of a scenario file and their short names."""
    from handoff.scenario.overrides import SHORT_NAMES
    from handoff.scenario.schema import scenario_keys

    for key in scenario_keys():
        path = key.path.replace(".*", "")
        default = f"; default {key.default}" if key.default else "; required" if key.is_required else ""
        yield Term("key", (path, key.path, path.rpartition(".")[2]), f"{key.description}\n{key.kind}{default}")
    for name, paths in SHORT_NAMES.items():
        yield Term("short name", (name,), f"Short name of {' and '.join(path.removesuffix('!') for path in paths)}.")


def all_terms() -> list[Term]:
    """Return all terms."""
    return [*glossary_terms(), *procedure_terms(), *set_terms(), *message_terms(), *measure_terms(), *key_terms()]


def find_terms(query: str) -> list[Term]:
    """Return the terms with a name, also in the plural, or with blanks for underscores, as in the headings of tables.

    Raises
    ------
    ValueError
        If there is none; the message has similar names.
    """
    from engine.similar_names import name_hint

    terms, wanted = all_terms(), query.strip().casefold()
    names = {wanted, wanted.replace(" ", "_"), f"scenario {wanted.partition('/')[0]}", *_COLUMN_MEASURES.get(wanted, ())}
    names.add(re.sub(r"^ho ", "handover ", wanted))
    with_singular = {*names, wanted.removesuffix("s")}
    found = [
        term
        for term in terms
        for known in [names if term.kind == "message" else with_singular]  # BUS is another message than BU
        if any(name.casefold() in known for name in term.names)
    ]
    if not found:  # a message with the digit that distinguishes it in a procedure, as in a ladder
        found = [term for term in terms if term.kind == "message" and term.names[0].casefold() == wanted.rstrip("123456789")]
    if not found:
        where, _, part = query.rpartition(".")  # a measure of a node or link, as in ha.registration_wait_mean
        found = [term for term in terms if term.kind == "measure" and where and part in term.names[1:]]
    if not found:
        known = dict.fromkeys(name for term in terms for name in term.names if "." not in name or term.kind != "term")
        raise ValueError(f"no term {query!r}; {name_hint(query, known, 'handoff explain --list shows all', 3)}")
    exact = [term for term in found if term.names[0].casefold() == wanted]
    return exact if exact and len(found) > MAX_SHOWN else found


MAX_SHOWN = 12
"""Number of terms that are shown if one of them has exactly the name."""
