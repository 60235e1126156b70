"""Report of a sweep: response curves of measures with bands of their intervals and target lines."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from handoff.output.report.contents import Chart, KeyFigure, Report, Section, TextTable, filled
from handoff.output.report.specs import BAD, chart, choice, line_colours, nominal, quantitative, word
from handoff.output.report.study_report import origin_section
from handoff.output.report.wording import (
    DASH,
    join_words,
    plural,
    show_bytes,
    show_count,
    show_ms,
    show_name,
    show_number,
    show_share,
)

MAX_LINES = 20
"""Lines of a chart; further combinations of values are only in the table."""
MAX_ROWS = 200
"""Rows of a table of points."""
_PS_PER_MS = 1e9


@dataclass(frozen=True)
class PointValue:
    """Measure at a point of a sweep.

    Attributes
    ----------
    mean : float or None
        Mean of the replications in the unit of the measure; None without a value.
    low, high : float or None
        95 % interval; None if it is not known.
    note : str
        Reason for a missing value or interval.
    """

    mean: float | None
    low: float | None = None
    high: float | None = None
    note: str = ""


@dataclass(frozen=True)
class SweepPoint:
    """Point of a sweep.

    Attributes
    ----------
    procedure : str
    values : mapping of str to str
        Text of each varied value by the name of its field.
    numbers : mapping of str to float
        The values that are numbers; durations in milliseconds, rates in bit/s, sizes in bytes.
    runs : int
        Number of replications.
    measures : mapping of str to PointValue
    units : mapping of str to str
        Units of ``numbers``, where they have one.
    """

    procedure: str
    values: Mapping[str, str]
    numbers: Mapping[str, float]
    runs: int
    measures: Mapping[str, PointValue]
    units: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SweepTarget:
    """Target for a measure: its text, its limit in the unit of the measure, and whether a value meets it."""

    text: str
    limit: float
    holds: Callable[[float], bool]

    @property
    def title(self) -> str:
        """The text as a report shows it: it may have the name of a node."""
        return show_name(self.text)


@dataclass(frozen=True)
class SweepMeasure:
    """Measure of a sweep: name, unit as in the catalogue, definition, and targets."""

    name: str
    unit: str
    about: str
    targets: tuple[SweepTarget, ...] = ()

    @property
    def title(self) -> str:
        """The name as a report shows it: it may have the name of a node."""
        return show_name(self.name)


@dataclass(frozen=True)
class _Axes:
    """Field on the horizontal axis, and the fields that tell lines apart."""

    x: str
    is_number: bool
    others: tuple[str, ...]


def sweep_report(
    title: str, points: Sequence[SweepPoint], measures: Sequence[SweepMeasure], facts: Mapping[str, Any] | None = None
) -> Report:  # fmt: skip
    """Return the report of a sweep.

    Parameters
    ----------
    title : str
        Name of the scenario.
    points : sequence of SweepPoint
        Points that have a complete run.
    measures : sequence of SweepMeasure
        The first one decides the verdict.
    facts : mapping of str to value or None
        Origin of the runs.

    Raises
    ------
    ValueError
        If no point has a run.
    """
    if not points:
        raise ValueError("the sweep has no complete run: there is nothing to report")
    curves = tuple(c for measure in measures if (c := response_chart(points, measure)) is not None)
    text = (
        "Each line is the mean of the replications of a procedure; its band is the 95 % interval. A dashed line is the limit of "
        "a target. A name in the legend emphasises its line."
    )
    runs = sum(point.runs for point in points)
    procedures = list(dict.fromkeys(point.procedure for point in points))
    sections = [
        Section("curves", "Response curves", text, curves),
        Section("points", "Points", "", (_point_table(points, measures),)),
        origin_section(facts or {}),
    ]
    subtitle = f"{plural(len(points), 'point')}, {plural(len(procedures), 'procedure')}, {plural(runs, 'run')}"
    figures = (
        KeyFigure("Points", show_count(len(points)), join_words([show_name(name) for name in _fields(points)])),
        KeyFigure("Runs", show_count(runs), f"{_span([p.runs for p in points])} a point"),
    )
    return Report(show_name(title), subtitle, _verdict(points, measures), figures, filled(sections))


def _span(numbers: Sequence[int]) -> str:
    least, most = min(numbers), max(numbers)
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


def _fields(points: Sequence[SweepPoint]) -> list[str]:
    return list(dict.fromkeys(name for point in points for name in point.values))


def _choose_axes(points: Sequence[SweepPoint]) -> _Axes:
    counts = {name: len({p.values.get(name) for p in points}) for name in _fields(points)}
    varied = [name for name, count in counts.items() if count > 1]
    is_number = {name: all(name in p.numbers for p in points) for name in varied}
    ranked = sorted(varied, key=lambda name: (not is_number[name], -counts[name]))
    x = ranked[0] if ranked else next(iter(counts), "")
    return _Axes(x, is_number.get(x, False), tuple(name for name in varied if name != x))


def _line_name(point: SweepPoint, axes: _Axes) -> str:
    last = [f.rpartition(".")[2] for f in axes.others]
    names = last if len(set(last)) == len(last) else axes.others  # a path is long
    values = [f"{show_name(name)} {show_name(point.values.get(f, DASH))}" for name, f in zip(names, axes.others, strict=True)]
    return ", ".join([show_name(point.procedure), *values])


def response_chart(points: Sequence[SweepPoint], measure: SweepMeasure) -> Chart | None:
    """Return the response curves of a measure with bands and the limits of its targets; None if no point has a value."""
    axes = _choose_axes(points)
    known = [(p, v) for p in points if (v := p.measures.get(measure.name)) is not None and v.mean is not None]
    if not known:
        return None
    names = list(dict.fromkeys(_line_name(p, axes) for p, _ in known))
    shown = set(names[:MAX_LINES])
    scale = _PS_PER_MS if measure.unit == "ps" else 1.0
    unit = {"ps": "ms", "ratio": "share", "": measure.title}.get(measure.unit, measure.unit)
    data = []
    for p, v in known:
        if (line := _line_name(p, axes)) in shown:
            x = p.numbers[axes.x] if axes.is_number else show_name(p.values.get(axes.x, DASH))
            low, high = (None if end is None or not math.isfinite(end) else end / scale for end in (v.low, v.high))
            data.append({"procedure": line, "x": x, "mean": (v.mean or 0.0) / scale, "low": low, "high": high})
    colours = line_colours([name for name in names if name in shown])
    x_unit = points[0].units.get(axes.x, "") if axes.is_number else ""
    x_title = f"{show_name(axes.x)} ({x_unit})" if x_unit else show_name(axes.x)
    x_encoding = quantitative("x", x_title, scale={"zero": False}) if axes.is_number else nominal("x", x_title)
    y_axis = {"format": "~%"} if measure.unit == "ratio" else {"format": "~s"}
    y = {"type": "quantitative", "title": f"{measure.title} ({unit})" if measure.unit else measure.title, "axis": y_axis}
    place = quantitative("x", x_title) if axes.is_number else word("x", x_title)
    numbers = [quantitative(name, text, format=".4~g") for name, text in (("mean", "mean"), ("low", "from"), ("high", "to"))]
    tooltip = [word("procedure", "line"), place, *numbers]
    band = {
        "mark": {"type": "area", "opacity": 0.18}, "transform": [{"filter": "isValid(datum.low)"}],
        "encoding": {"x": x_encoding, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "color": colours["color"]},
    }  # fmt: skip
    line_mark = {
        "name": "lines", "mark": {"type": "line", "point": True, "strokeWidth": 2},
        "encoding": {"x": x_encoding, "y": {**y, "field": "mean"}, **colours, "tooltip": tooltip},
    }  # fmt: skip
    layers: list[dict[str, Any]] = [band, line_mark]
    for target in measure.targets:
        layers.append({
            "data": {"values": [{"limit": target.limit / scale, "text": target.title}]},
            "mark": {"type": "rule", "color": BAD, "strokeDash": [6, 4]},
            "encoding": {"y": {"field": "limit", "type": "quantitative"}, "tooltip": [word("text", "target")]},
        })  # fmt: skip
    return Chart(measure.title, _curve_sentence(known, measure, axes, len(names)), _curve_table(known, measure, axes),
                 (chart(data, params=choice(view="lines"), layer=layers, height=260),))  # fmt: skip


def _show(value: float | None, unit: str) -> str:
    if value is None or not math.isfinite(value):
        return DASH
    if unit == "ps":
        return show_ms(value / _PS_PER_MS)
    return {"ratio": show_share, "bytes": show_bytes}.get(unit, show_number)(value)


def _curve_sentence(
    known: Sequence[tuple[SweepPoint, PointValue]], measure: SweepMeasure, axes: _Axes, lines: int
) -> str:  # fmt: skip
    least, most = (pick(known, key=lambda pair: pair[1].mean or 0.0) for pick in (min, max))
    ends = [f"{_show(v.mean, measure.unit)} ({_place(p)})" for p, v in (least, most)]
    text = f"From {ends[0]} to {ends[1]}: {measure.about}."
    for target in measure.targets:
        good = sum(target.holds(v.mean or 0.0) for _, v in known)
        text += f" {good} of {plural(len(known), 'point')} meet {target.title}."
    return text + (f" {lines - MAX_LINES} more lines are only in the table." if lines > MAX_LINES else "")


def _place(point: SweepPoint) -> str:
    return ", ".join([show_name(point.procedure), *(f"{show_name(f)} {show_name(v)}" for f, v in point.values.items())])


def _curve_table(known: Sequence[tuple[SweepPoint, PointValue]], measure: SweepMeasure, axes: _Axes) -> TextTable:
    fields = [axes.x, *axes.others] if axes.x else []
    rows = []
    for p, v in known[:MAX_ROWS]:
        span = DASH if v.low is None else f"{_show(v.low, measure.unit)} to {_show(v.high, measure.unit)}"
        values = [show_name(p.values.get(f, DASH)) for f in fields]
        rows.append((show_name(p.procedure), *values, show_count(p.runs), _show(v.mean, measure.unit), span))
    return TextTable(("Procedure", *map(show_name, fields), "Runs", measure.title, "95 % interval"), tuple(rows))


def _point_table(points: Sequence[SweepPoint], measures: Sequence[SweepMeasure]) -> Chart:
    fields = _fields(points)
    rows = []
    for p in points[:MAX_ROWS]:
        values = [show_name(p.values.get(f, DASH)) for f in fields]
        means = [_show(v.mean, m.unit) if (v := p.measures.get(m.name)) is not None else DASH for m in measures]
        rows.append((show_name(p.procedure), *values, show_count(p.runs), *means))
    sentence = f"The means of {plural(len(points), 'point')}."
    if len(points) > MAX_ROWS:
        sentence = f"The means of the first {MAX_ROWS} of {plural(len(points), 'point')}; 'handoff query' reads all of them."
    columns = ("Procedure", *map(show_name, fields), "Runs", *(m.title for m in measures))
    return Chart("All points", sentence, TextTable(columns, tuple(rows)), is_open=len(points) <= 40)


def _verdict(points: Sequence[SweepPoint], measures: Sequence[SweepMeasure]) -> tuple[str, ...]:
    main = next((m for m in measures if any(_mean(p, m) is not None for p in points)), None)
    if main is None:
        return ("No measure of the sweep has a value.",)
    means = [(mean, p) for p in points if (mean := _mean(p, main)) is not None]
    low, high = min(mean for mean, _ in means), max(mean for mean, _ in means)
    lowest, highest = ([p for mean, p in means if mean == end] for end in (low, high))
    best = lowest[0]
    if low == high:
        first = f"Of {plural(len(points), 'point')}, the mean {main.title} is {_show(low, main.unit)} for {_places(lowest)}."
    else:
        first = (
            f"Of {plural(len(points), 'point')}, the mean {main.title} is smallest, {_show(low, main.unit)}, for "
            f"{_places(lowest)}, and largest, {_show(high, main.unit)}, for {_places(highest)}."
        )
    targets = [(m, target) for m in measures for target in m.targets]
    if not targets:
        others = [m for m in measures if m is not main and _mean(best, m) is not None]
        cost = [f"{m.title} {_show(_mean(best, m), m.unit)}" for m in others]
        return (first, f"At its best point: {join_words(cost)}.") if cost else (first,)
    good = [p for p in points if all((mean := _mean(p, m)) is not None and target.holds(mean) for m, target in targets)]
    names = join_words([target.title for _, target in targets])
    unknown = [m.title for m, _ in targets if all(_mean(p, m) is None for p in points)]
    if unknown:
        return first, f"No point has a value of {join_words(unknown)}, so that none meets {names}."
    if not good:
        return first, f"No point meets {names} in the mean."
    if len(good) == len(points):
        return first, f"{'The point meets' if len(points) == 1 else f'All {len(points)} points meet'} {names} in the mean."
    return first, f"{len(good)} of {plural(len(points), 'point')} meet {names} in the mean, the first of them {_place(good[0])}."


def _places(points: Sequence[SweepPoint]) -> str:
    """Return the first of points with equal values, and how many others there are."""
    others = f" and {plural(len(points) - 1, 'other point')}" if len(points) > 1 else ""
    return f"{_place(points[0])}{others}"


def _mean(point: SweepPoint, measure: SweepMeasure) -> float | None:
    value = point.measures.get(measure.name)
    return None if value is None else value.mean
