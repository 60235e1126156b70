"""Contents of a report: sections of charts, each with a sentence that says what it shows and a table of its figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Spec = dict[str, Any]
"""Vega-Lite specification of a chart, without width."""


@dataclass(frozen=True)
class TextTable:
    """Table of texts.

    Attributes
    ----------
    columns : tuple of str
        Headings.
    rows : tuple of tuple of str
        One text for each column. The first one is the heading of its row.
    text_columns : tuple of str
        Columns beside the first one that are words, not numbers.
    links : tuple of str
        Address to which the first cell of each row links; empty in a report that is a file.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    text_columns: tuple[str, ...] = ()
    links: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chart:
    """Chart, or only a table.

    Attributes
    ----------
    title : str
    sentence : str
        What the chart shows, with its figures.
    table : TextTable
    specs : tuple of dict
        Charts that lie on top of each other; empty for a table alone.
    is_open : bool
        True if the table is visible from the start.
    """

    title: str
    sentence: str
    table: TextTable
    specs: tuple[Spec, ...] = ()
    is_open: bool = False


@dataclass(frozen=True)
class Drawing:
    """Drawing with a caption.

    Attributes
    ----------
    title : str
    svg : str
        Complete SVG document. The page shows it as an image, so that nothing in it can reach the page.
    text : str
        The same as text.
    """

    title: str
    svg: str
    text: str


@dataclass(frozen=True)
class Section:
    """Section of a report.

    Attributes
    ----------
    key : str
        Part of the address of the section within the page.
    title : str
    text : str
        Definition of the figures.
    charts : tuple of Chart
    beside : bool
        True if the charts are small and lie beside each other.
    drawings : tuple of Drawing
    """

    key: str
    title: str
    text: str
    charts: tuple[Chart, ...]
    beside: bool = False
    drawings: tuple[Drawing, ...] = ()


@dataclass(frozen=True)
class KeyFigure:
    """Figure at the top of a report: name, value, and the name of the procedure or a remark."""

    name: str
    value: str
    remark: str = ""


@dataclass(frozen=True)
class Report:
    """Contents of a report.

    Attributes
    ----------
    title : str
    subtitle : str
    verdict : tuple of str
        Two sentences.
    key_figures : tuple of KeyFigure
    sections : tuple of Section
    command : str
        Command that makes the study again; empty if it is not known.
    scenario : str
        Text of the scenario file; empty if it is not known.
    links : tuple of (str, str)
        Names and addresses of the pages with every handoff; empty in a report that is a file.
    """

    title: str
    subtitle: str
    verdict: tuple[str, ...]
    key_figures: tuple[KeyFigure, ...]
    sections: tuple[Section, ...]
    command: str = ""
    scenario: str = ""
    links: tuple[tuple[str, str], ...] = ()


def filled(sections: Sequence[Section | None]) -> tuple[Section, ...]:
    """Return the sections that have something to show."""
    return tuple(s for s in sections if s is not None and (s.charts or s.drawings))
