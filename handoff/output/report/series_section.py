"""Section of time series: losses, queues, registrations and bindings over time, and a heat map of links (docs/series.md)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from handoff.output.report.contents import Chart, Section, Spec, TextTable
from handoff.output.report.cost_section import MAX_ELEMENTS
from handoff.output.report.specs import ACCENT, ROW_HEIGHT, chart, choice, line_colours, nominal, quantitative, word
from handoff.output.report.study_data import Floats, StudyData
from handoff.output.report.wording import plural, show_bytes, show_count, show_name, show_share

MAX_BINS = 60
"""Bins of the axis of time, so that the size of a report does not grow with the number of intervals."""


@dataclass(frozen=True)
class Course:
    """Figure over time.

    Attributes
    ----------
    title, unit : str
    kinds : tuple of str
        Kinds of the elements that have it.
    is_state : bool
        True: the value at the end of an interval; a bin shows the largest. False: a count; a bin shows the sum.
    is_largest : bool
        True: the largest value of all elements. False: their sum.
    show : callable
        Text of a value.
    """

    title: str
    unit: str
    kinds: tuple[str, ...]
    is_state: bool
    is_largest: bool = False
    show: Callable[[float | None], str] = show_count


COURSES = {
    "lost": Course("Lost packets", "packets", ("run",), False),
    "queue_packets": Course("Longest queue", "packets", ("link", "node"), True, True),
    "registrations": Course("Messages at registration servers", "messages", ("node",), False),
    "bindings": Course("Bindings", "bindings", ("node",), True),
    "visitors": Course("Visitor entries and hold buffers", "entries", ("node",), True),
    "held_bytes": Course("Bytes in hold buffers", "bytes", ("node",), True, show=show_bytes),
}
"""Figures by their column in the table ``series``."""


@dataclass(frozen=True)
class Bins:
    """Intervals of the time series, and bins of equally many of them.

    Attributes
    ----------
    step_s : float
        Length of an interval.
    end_s : float
        End of the run.
    intervals, each : int
        Number of intervals, and of those in a bin.
    """

    step_s: float
    end_s: float
    intervals: int
    each: int

    @property
    def count(self) -> int:
        """Number of bins."""
        return -(-self.intervals // self.each)

    @property
    def edges(self) -> Floats:
        """Times between bins, with both ends."""
        edges: Floats = np.minimum(np.arange(self.count + 1) * (self.each * self.step_s), self.end_s)
        return edges

    def combine(self, values: Floats, largest: bool) -> Floats:
        """Return the largest value, or the sum, of the intervals of each bin."""
        filled = np.zeros(self.count * self.each)
        filled[: len(values)] = values
        parts = filled.reshape(self.count, self.each)
        combined: Floats = parts.max(axis=1) if largest else parts.sum(axis=1)
        return combined

    def span(self, interval: int) -> str:
        """Return an interval as text."""
        return f"{interval * self.step_s:.6g} to {min((interval + 1) * self.step_s, self.end_s):.6g} s"


def series_section(study: StudyData) -> Section | None:
    """Return the figures over time; None if the study has no time series."""
    table = study.tables.get("series")
    if table is None or not table.num_rows:
        return None
    bins = make_bins(study, table)
    courses: dict[str, dict[str, Floats]] = {name: {} for name in COURSES}
    busiest, pooled = [], _pooled_links(study)
    for procedure in study.procedures:
        part = _rows_of(study, procedure)
        for name, course in courses.items():
            course[procedure] = _course(part, bins, name)
        busiest.append(_utilisations(part, bins, procedure, pooled))
    charts = [_course_chart(study, course, bins, name) for name, course in courses.items()]
    charts.insert(2, _heat_chart(_choose_busiest(busiest)))
    length = f"{bins.each * bins.step_s:.6g} s"
    text = (
        f"The time series has {plural(bins.intervals, 'interval')} of {bins.step_s:.6g} s; a point stands for {length}. A count "
        "is the sum over that time, and a state the largest at the end of an interval within it. A name in the legend emphasises "
        "its line."
    )
    return Section("series", "Over time", text, tuple(c for c in charts if c is not None))


def make_bins(study: StudyData, table: pa.Table) -> Bins:
    """Return the intervals of a time series and their bins."""
    step = float(pc.max(pc.subtract(table["end_s"], table["begin_s"])).as_py())
    end = max(float(pc.max(table["end_s"]).as_py()), *(_end_s(row) for row in study.runs))
    last = round(float(pc.max(table["begin_s"]).as_py()) / step)
    intervals = max(math.ceil(end / step - 1e-6), last + 1)  # the last one may be very short
    return Bins(step, end, intervals, -(-intervals // MAX_BINS))


def _end_s(row: dict[str, Any]) -> float:
    return float(row["until_s"] if row["interrupted_s"] is None else row["interrupted_s"])


def course_spec(study: StudyData, name: str) -> Spec | None:
    """Return a figure of ``COURSES`` over time, with a line for each procedure; None if it is 0 throughout."""
    table = study.tables["series"]
    bins = make_bins(study, table)
    courses = {procedure: _course(_rows_of(study, procedure), bins, name) for procedure in study.procedures}
    return _course_spec(courses, bins, name) if any(values.any() for values in courses.values()) else None


def heat_spec(study: StudyData, procedure: str | None = None) -> Spec | None:
    """Return the heat map of links of a procedure (None: the one with the busiest link); None if no link transmits."""
    bins = make_bins(study, study.tables["series"])
    names, pooled = study.procedures if procedure is None else [procedure], _pooled_links(study)
    found = _choose_busiest([_utilisations(_rows_of(study, name), bins, name, pooled) for name in names])
    return None if found is None else _heat_spec(found)


def _rows_of(study: StudyData, procedure: str) -> pa.Table:
    """Return the rows of a procedure, which are few beside those of the table: filter it once for each procedure."""
    rows = study.table_of("series", procedure)
    return study.tables["series"].slice(0, 0) if rows is None else rows


def _rows_with(rows: pa.Table, kinds: Sequence[str], name: str) -> pa.Table:
    """Return the rows of elements of some kinds that have a value in a column."""
    return rows.filter(pc.and_(pc.is_in(rows["kind"], pa.array(kinds)), pc.is_valid(rows[name])))


def _intervals(rows: pa.Table, bins: Bins) -> npt.NDArray[np.int64]:
    intervals: npt.NDArray[np.int64] = np.rint(rows["begin_s"].to_numpy() / bins.step_s).astype(np.int64)
    return intervals


def _course(rows: pa.Table, bins: Bins, name: str) -> Floats:
    """Return a figure in each interval, from the rows of a procedure."""
    course = COURSES[name]
    rows = _rows_with(rows, course.kinds, name)
    interval, values = _intervals(rows, bins), rows[name].to_numpy().astype(np.float64)
    total = np.zeros(bins.intervals)
    (np.maximum if course.is_largest else np.add).at(total, interval, values)
    return total


def _course_chart(study: StudyData, courses: dict[str, Floats], bins: Bins, name: str) -> Chart | None:
    course = COURSES[name]
    if not any(values.any() for values in courses.values()):
        return None
    rows = []
    for procedure, values in courses.items():
        peak = int(values.argmax())
        when = bins.span(peak) if values.any() else "–"
        rest = () if course.is_state else (course.show(float(values.sum())),)
        rows.append((show_name(procedure), course.show(float(values[peak])), when, *rest))
    most = max(courses, key=lambda procedure: courses[procedure].max())
    peak = int(courses[most].argmax())
    beside = f" under {show_name(most)}" if len(courses) > 1 else ""
    unit = "" if course.show is show_bytes else f" {course.unit}"
    at = "at the end of" if course.is_state else "in"
    sentence = f"The most{beside} is {course.show(float(courses[most][peak]))}{unit} {at} the interval from {bins.span(peak)}"
    if course.is_largest:
        sentence += f", at {_element_at(_rows_of(study, most), bins, name, peak)}"
    columns = ("Procedure", "Most in an interval", "From", *(() if course.is_state else ("In all",)))
    return Chart(course.title, f"{sentence}.", TextTable(columns, tuple(rows), ("From",)), (_course_spec(courses, bins, name),))


def _element_at(rows: pa.Table, bins: Bins, name: str, interval: int) -> str:
    """Return the element with the largest value in an interval, from the rows of a procedure."""
    rows = _rows_with(rows, COURSES[name].kinds, name)
    rows = rows.filter(pa.array(_intervals(rows, bins) == interval))
    return show_name(rows["element"][int(np.argmax(rows[name].to_numpy()))].as_py())


def _course_spec(courses: dict[str, Floats], bins: Bins, name: str) -> Spec:
    course, edges = COURSES[name], bins.edges
    data = [
        {"procedure": show_name(procedure), "t": float(begin), "u": float(end), "value": float(value)}
        for procedure, values in courses.items()
        for combined in [bins.combine(values, course.is_state)]
        for begin, end, value in zip(edges, [*edges[1:], edges[-1]], [*combined, combined[-1]], strict=True)
    ]  # fmt: skip
    names = list(dict.fromkeys(str(row["procedure"]) for row in data))
    encoding = {
        "x": quantitative("t", "time (s)", scale={"domain": [0, bins.end_s], "nice": False}),
        "y": quantitative("value", course.unit, axis={"tickCount": 4, "format": "~s"}),
        **line_colours(names),
        "tooltip": [word("procedure", "procedure"), quantitative("t", "from (s)"), quantitative("u", "to (s)"),
                    quantitative("value", course.unit, format=",")],
    }  # fmt: skip
    mark = {"type": "line", "interpolate": "step-after", "strokeWidth": 1.6}
    return chart(data, params=choice(), mark=mark, encoding=encoding, height=150)


@dataclass(frozen=True)
class _Busiest:
    """Utilisation of links under a procedure: in each interval (``exact``) and in each bin (``mean``), the busiest link first."""

    procedure: str
    links: list[str]
    exact: npt.NDArray[np.float64]
    mean: npt.NDArray[np.float64]
    bins: Bins


def _choose_busiest(found: Sequence[_Busiest | None]) -> _Busiest | None:
    """Return the links of the procedure with the busiest link."""
    known = [busiest for busiest in found if busiest is not None]
    return max(known, key=lambda busiest: float(busiest.exact.max())) if known else None


def _pooled_links(study: StudyData) -> set[str]:
    return {row["link"] for row in study.rows("links") if row["pooled"]}


def _utilisations(rows: pa.Table, bins: Bins, procedure: str, pooled: set[str]) -> _Busiest | None:
    rows = _rows_with(rows, ("link",), "utilisation")
    if pooled:  # sums over the queues of mobile nodes, which may be above 1
        rows = rows.filter(pc.invert(pc.is_in(rows["element"], pa.array(sorted(pooled), pa.string()))))
    if not rows.num_rows:
        return None
    encoded = rows["element"].combine_chunks().dictionary_encode()
    names, index = encoded.dictionary.to_pylist(), encoded.indices.to_numpy()
    interval, values = _intervals(rows, bins), rows["utilisation"].to_numpy()
    exact = np.zeros((len(names), bins.intervals))
    exact[index, interval] = values
    length = rows["end_s"].to_numpy() - rows["begin_s"].to_numpy()
    busy = np.zeros((len(names), bins.count))
    np.add.at(busy, (index, interval // bins.each), values * length)
    order = np.argsort(-exact.max(axis=1), kind="stable")
    return _Busiest(procedure, [names[i] for i in order], exact[order], busy[order] / np.diff(bins.edges), bins)


def _heat_chart(found: _Busiest | None) -> Chart | None:
    if found is None:
        return None
    bins = found.bins
    shown = min(len(found.links), MAX_ELEMENTS)
    peaks = found.exact[:shown].argmax(axis=1).tolist()
    rows = tuple(
        (show_name(name), show_share(float(exact[at])), bins.span(at), show_share(float(mean.max())))
        for name, exact, mean, at in zip(found.links[:shown], found.exact, found.mean, peaks, strict=False)
    )
    peak = f"{show_share(float(found.exact.max()))} of the interval from {bins.span(peaks[0])}"
    sentence = f"The busiest link under {show_name(found.procedure)} is {show_name(found.links[0])}: {peak}."
    if len(found.links) > shown:
        sentence += f" {plural(len(found.links) - shown, 'less busy link')} are left out."
    columns = ("Link", "Most in an interval", "From", "Most in a cell of the map")
    return Chart("Utilisation of links", sentence, TextTable(columns, rows, ("From",)), (_heat_spec(found),))


def _heat_spec(found: _Busiest) -> Spec:
    links = [show_name(name) for name in found.links[:MAX_ELEMENTS]]
    edges = found.bins.edges
    data = [
        {"link": link, "t": float(edges[i]), "u": float(edges[i + 1]), "v": float(value)}
        for link, mean in zip(links, found.mean, strict=False)
        for i, value in enumerate(mean)
        if value
    ]
    domain = list(dict.fromkeys(links))
    encoding = {
        "x": quantitative("t", "time (s)", scale={"domain": [0, found.bins.end_s], "nice": False}), "x2": {"field": "u"},
        "y": nominal("link", None, scale={"domain": domain}, axis={"labelLimit": 150}),
        "opacity": quantitative("v", "utilisation", scale={"range": [0.04, 1], "zero": True},
                                legend={"orient": "bottom", "tickCount": 4, "symbolFillColor": ACCENT, "format": "%"}),
        "tooltip": [word("link", "link"), quantitative("t", "from (s)"), quantitative("u", "to (s)"),
                    quantitative("v", "utilisation", format=".1%")],
    }  # fmt: skip
    return chart(data, mark={"type": "rect", "color": ACCENT}, encoding=encoding, height=ROW_HEIGHT * len(domain))


__all__ = ["COURSES", "Bins", "course_spec", "heat_spec", "make_bins", "series_section"]
