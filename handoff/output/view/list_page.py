"""List of the handoffs of a procedure: a page of rows, sorted and filtered by the parameters in its address."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from handoff.output.handoff_file import ROW, SORTS, HandoffQuery, StoredHandoffs
from handoff.output.printable import printable
from handoff.output.report.study_data import Row, time_ms
from handoff.output.report.wording import plural, show_count, show_ms, show_name
from handoff.output.report.worst_section import lost_packets, origin_ms, show_scenario
from handoff.output.view.frame import Link, ViewPage, handoff_address, list_address, render_frame

ROWS = 50
"""Rows of a page."""
_TITLES = {
    "mobile": "Mobile node", "number": "Number", "old": "From", "new": "To", "time": "Old link ends (s)", "lost": "Lost",
    "interruption": "Interruption", "unregistered": "Unregistered", "duplicate": "Duplicate", "reordered": "Reordered",
    "scenario": "Scenario",
}  # fmt: skip
"""Titles of the columns by their orders (``SORTS``)."""
_WORDS = ("mobile", "old", "new", "scenario")
_COLUMNS = (
    "mobile", "index", "old_router", "new_router", "down_s", "up_s", "open_s", "lost", "dropped", "disruption_s", "latency_s",
    "duplicate", "reordered", "scenario",
)  # fmt: skip


class ParameterError(ValueError):
    """A parameter of an address is wrong; the message names it and says what would be right."""


@dataclass(frozen=True)
class _Column:
    title: str
    address: str
    sorted: str
    is_word: bool


@dataclass(frozen=True)
class _Line:
    address: str
    cells: tuple[str, ...]


def read_query(parameters: Mapping[str, str], procedures: Sequence[str]) -> tuple[HandoffQuery, int]:
    """Return the query and the number of the page, from 1, that the parameters of an address choose.

    Raises
    ------
    ParameterError
        If a parameter is wrong.
    """
    procedure, sort, order = (parameters.get(name, "") for name in ("procedure", "sort", "order"))
    if procedure not in procedures:
        raise ParameterError(f"procedure: {show_name(procedure)!r} is not in this study: {', '.join(map(show_name, procedures))}")
    if sort not in ("", *SORTS):
        raise ParameterError(f"sort: {show_name(sort)!r} is no column: {', '.join(SORTS)}")
    if order not in ("", "asc", "desc"):
        raise ParameterError(f"order: {show_name(order)!r}: asc or desc")
    page = parameters.get("page", "1")
    if not (page.isascii() and page.isdigit() and len(page) <= 9 and int(page) > 0):
        raise ParameterError(f"page: {show_name(page)!r}: a number from 1 on")
    if (lost := parameters.get("lost", "")) not in ("", "1"):
        raise ParameterError(f"lost: {show_name(lost)!r}: 1, or nothing")
    return HandoffQuery(
        procedure, lost == "1", parameters.get("mobile", ""), parameters.get("router", ""),
        _seconds("from", parameters), _seconds("until", parameters), sort or "time", order == "desc",
    ), int(page)  # fmt: skip


def render_list(handoffs: StoredHandoffs, query: HandoffQuery, page: int, procedures: Sequence[str]) -> ViewPage:
    """Return a page of the list of handoffs that a query chooses; the last one if there are fewer.

    Raises
    ------
    ValueError
        If the table is damaged.
    """
    count = handoffs.count(query)
    pages = max(math.ceil(count / ROWS), 1)
    page = min(page, pages)
    rows = handoffs.rows(handoffs.find(query, (page - 1) * ROWS, ROWS), _COLUMNS) if count else []
    steps: list[Link] = [
        ("First", _query_address(query) if page > 1 else ""),
        ("Previous", _query_address(query, page - 1) if page > 1 else ""),
        ("Next", _query_address(query, page + 1) if page < pages else ""),
        ("Last", _query_address(query, pages) if page < pages else ""),
    ]  # fmt: skip
    direction = "descending" if query.descending else "ascending"
    sentence = f"{plural(count, 'handoff')}, sorted by “{_TITLES[query.sort]}”, {direction}."
    shown = replace(query, mobile=printable(query.mobile), router=printable(query.router))
    return render_frame(
        "list.html.j2", procedures, f"Handoffs under {show_name(query.procedure)}", "Every handoff of the run, page by page",
        query=shown, begin=_show_seconds(query.begin_s), end=_show_seconds(query.end_s),
        all_address=list_address(query.procedure), sentence=sentence if count else "The filter leaves no handoff.",
        columns=[_column(query, name) for name in _TITLES], rows=[_Line(handoff_address(row[ROW]), _cells(row)) for row in rows],
        steps=steps, page=f"{page:,}", pages=f"{pages:,}",
    )  # fmt: skip


def _cells(row: Row) -> tuple[str, ...]:
    return (
        show_name(row["mobile"]), show_count(row["index"]), show_name(row["old_router"]), show_name(row["new_router"]),
        f"{origin_ms(row) / 1000:.3f}", show_count(lost_packets(row)), show_ms(time_ms(row, "disruption")),
        show_ms(time_ms(row, "latency")), show_count(row["duplicate"]), show_count(row["reordered"]), show_scenario(row),
    )  # fmt: skip


def _column(query: HandoffQuery, name: str) -> _Column:
    """Return a heading, which sorts by its column; by the one that is sorted already, in the other direction."""
    is_sorted = query.sort == name
    descending = not query.descending if is_sorted else name not in ("time", "number", *_WORDS)
    direction = ("descending" if query.descending else "ascending") if is_sorted else ""
    address = _query_address(replace(query, sort=name, descending=descending))
    return _Column(_TITLES[name], address, direction, name in _WORDS)


def _query_address(query: HandoffQuery, page: int = 1) -> str:
    return list_address(
        query.procedure, mobile=query.mobile, router=query.router, lost="1" if query.lost_only else "",
        **{"from": _show_seconds(query.begin_s), "until": _show_seconds(query.end_s)}, sort=query.sort,
        order="desc" if query.descending else "asc", page=str(page) if page > 1 else "",
    )  # fmt: skip


def _seconds(name: str, parameters: Mapping[str, str]) -> float | None:
    text = parameters.get(name, "").strip()
    if not text:
        return None
    try:
        value = float(text.replace("_", "?"))  # Python reads 1_0 as 10
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ParameterError(f"{name}: {show_name(text)!r}: a time in seconds, as in 12.5")
    return value


def _show_seconds(value: float | None) -> str:
    return "" if value is None else repr(value).removesuffix(".0")
