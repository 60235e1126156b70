"""Report of a comparison of two results: what got worse or better, with intervals, the most important differences first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from handoff.output.report.contents import Chart, KeyFigure, Report, Section, Spec, TextTable, filled
from handoff.output.report.specs import BAD, MUTED, ROW_HEIGHT, WARM, chart, nominal, quantitative, symlog, word
from handoff.output.report.sweep_report import MAX_ROWS
from handoff.output.report.wording import (
    DASH,
    join_words,
    plural,
    show_bytes,
    show_ms,
    show_name,
    show_number,
    show_share,
)

MAX_BARS = 40
"""Differences of the chart: the most important ones."""
MAX_NAMED = 3
"""Values that were 0 in A and are named in a sentence."""
_COLOURS = {"worse": BAD, "better": "#2e9b6e", "changed": WARM, "unclear": MUTED, "no interval": "#6a7fa0", "equal": MUTED}
_WORDS = {"changed": "changed", "unclear": "unclear", "no interval": "without an interval", "equal": "equal"}
_TICKS = (0.1, 1, 10, 100, 1000)
_MS_PER_S = 1000.0


@dataclass(frozen=True)
class DiffLine:
    """Difference of a measure between A and B.

    Attributes
    ----------
    subject, measure, unit : str
        Procedure or point, name of the measure, and its unit in tables (``s`` for a time).
    first, second : float
        Value in A and in B.
    difference : float
        ``second - first``.
    low, high : float or None
        Ends of its interval; None if it is not known.
    verdict : str
        ``worse``, ``better``, ``changed``, ``unclear``, ``no interval`` or ``equal``.
    method : str
        How the interval was computed, and from how many values.
    """

    subject: str
    measure: str
    unit: str
    first: float
    second: float
    difference: float
    low: float | None
    high: float | None
    verdict: str
    method: str = ""

    def share(self, difference: float | None) -> float | None:
        """Return a difference as a share of the value in A; None if that is 0."""
        if difference is None or not self.first or not math.isfinite(difference):
            return None
        return difference / abs(self.first)


@dataclass(frozen=True)
class DiffSide:
    """Side of a comparison: its name, such as that of its folder, and facts such as versions and seed, by name."""

    name: str
    facts: dict[str, str]


def diff_report(
    first: DiffSide, second: DiffSide, lines: Sequence[DiffLine], confidence: float, tolerance: float, notes: Sequence[str] = ()
) -> Report:  # fmt: skip
    """Return the report of a comparison.

    Parameters
    ----------
    first, second : DiffSide
        A and B.
    lines : sequence of DiffLine
        Differences, the most important ones first.
    confidence : float
        Probability that all intervals together contain the true differences.
    tolerance : float
        Share of the value in A that counts as no difference.
    notes : sequence of str
        What could not be compared.

    Raises
    ------
    ValueError
        If there is no difference.
    """
    if not lines:
        raise ValueError("nothing was compared: there is nothing to report")
    counts = _count(lines)
    sections = filled([
        Section("changes", "What changed", _text(confidence, tolerance), (_change_chart(lines), *_zero_charts(lines))),
        Section("measures", "By measure", "", (_measure_table(lines),)),
        _note_section(notes),
        Section("sides", "A and B", "", (_side_table(first, second),)),
    ])  # fmt: skip
    figures = tuple(
        KeyFigure(name.capitalize(), f"{counts[name]:,}", f"of {plural(len(lines), 'comparison')}")
        for name in ("worse", "better", "changed", "unclear", "equal")
    )
    names = f"A: {show_name(first.name)} · B: {show_name(second.name)}"
    return Report("What changed from A to B", names, verdict(lines, confidence), figures, sections)


def verdict(lines: Sequence[DiffLine], confidence: float) -> tuple[str, str]:
    """Return two sentences: what is worse in B; what is better, and how certain that is."""
    counts, total = _count(lines), plural(len(lines), "comparison")
    worse, better = (next((line for line in lines if line.verdict == name), None) for name in ("worse", "better"))
    if worse is not None:
        first = f"B is worse in {counts['worse']:,} of {total}{_most(counts['worse'])}{_describe(worse)}."
    else:
        first = f"Nothing is certain to be worse in B, in {total}."
    rest = [f"{counts[name]:,} {'is' if counts[name] == 1 else 'are'} {text}" for name, text in _WORDS.items() if counts[name]]
    others = f"; {join_words(rest)}" if rest else ""
    good = "Nothing is certain to be better"
    if better is not None:
        good = f"It is better in {counts['better']:,}{_most(counts['better'])}{_describe(better)}"
    return first, f"{good}{others} (confidence of all intervals together: {confidence:.4g})."


def _most(number: int) -> str:
    return ": " if number == 1 else ", most of all in "


def _count(lines: Sequence[DiffLine]) -> dict[str, int]:
    return {name: sum(line.verdict == name for line in lines) for name in _COLOURS}


def _describe(line: DiffLine) -> str:
    change = "" if (share := line.share(line.difference)) is None else f", {share:+.1%}"
    ends = f"{_show(line.first, line.unit)} to {_show(line.second, line.unit)}"
    return f"{show_name(line.measure)} of {show_name(line.subject)} ({ends}{change})"


def _text(confidence: float, tolerance: float) -> str:
    excluded = f"everything up to {100 * tolerance:.3g} % of A" if tolerance else "0"
    text = (
        "Differences B - A with their intervals, certain ones first, then by their size as a share of the value in A. Worse and "
        f"better are differences whose interval excludes {excluded}"
    )
    return f"{text} (and what a histogram does not resolve). All intervals hold together with a probability of {confidence:.4g}."


def _show(value: float | None, unit: str) -> str:
    if value is None or not math.isfinite(value):
        return DASH
    if unit == "s":
        return show_ms(value * _MS_PER_S)
    return {"ratio": show_share, "bytes": show_bytes}.get(unit, show_number)(value)


def _show_difference(value: float | None, unit: str) -> str:
    text = _show(value, unit)
    return text if value is None or value <= 0 or text == DASH else f"+{text}"


def _span(line: DiffLine) -> str:
    if line.low is None or line.high is None:
        return DASH
    return f"{_show_difference(line.low, line.unit)} to {_show_difference(line.high, line.unit)}"


def _change_chart(lines: Sequence[DiffLine]) -> Chart:
    rows = []
    for line in lines[:MAX_ROWS]:
        share = line.share(line.difference)
        rows.append((
            show_name(line.subject), show_name(line.measure), _show(line.first, line.unit), _show(line.second, line.unit),
            _show_difference(line.difference, line.unit), _span(line), DASH if share is None else f"{share:+.1%}", line.verdict,
            line.method or DASH,
        ))  # fmt: skip
    counts = _count(lines)
    sentence = f"{join_words([f'{count:,} {_WORDS.get(name, name)}' for name, count in counts.items() if count])}."
    spec = change_spec(lines)
    left_out = len(lines) - len(_zero_lines(lines)) - (0 if spec is None else len(spec["data"]["values"]))
    if left_out and spec is not None:
        sentence += f" {plural(left_out, 'comparison')} {'is' if left_out == 1 else 'are'} only in the table (equal values, "
        sentence += "and less important ones)."
    if len(lines) > MAX_ROWS:
        sentence += f" The table has the first {MAX_ROWS}; --csv prints all of them."
    columns = ("Subject", "Measure", "A", "B", "B - A", "Interval", "Change", "Verdict", "Interval by")
    table = TextTable(columns, tuple(rows), ("Measure", "Verdict", "Interval by"))
    return Chart("Differences", sentence, table, () if spec is None else (spec,))


def zero_sentence(lines: Sequence[DiffLine]) -> str:
    """Return which values were 0 in A and are not in B, so that the chart lacks them; empty if there are none."""
    zero = _zero_lines(lines)
    if not zero:
        return ""
    texts = [
        f"{show_name(line.measure)} of {show_name(line.subject)} is {_show(line.second, line.unit)} in B ({line.verdict})"
        for line in zero[:MAX_NAMED]
    ]
    if len(zero) > MAX_NAMED:
        texts.append(f"{len(zero) - MAX_NAMED:,} more differ")
    if len(zero) == 1:
        return f"One value was 0 in A, so that its change is no share of it: {texts[0]}."
    return f"{len(zero):,} values were 0 in A, so that their changes are no shares of them: {join_words(texts)}."


def _zero_lines(lines: Sequence[DiffLine]) -> list[DiffLine]:
    """Return the differences from a value of 0 in A."""
    return [line for line in lines if line.first == 0 and line.difference]


def _zero_charts(lines: Sequence[DiffLine]) -> tuple[Chart, ...]:
    """Return a table of the values that were 0 in A; nothing if there are none."""
    zero = _zero_lines(lines)
    if not zero:
        return ()
    rows = tuple(
        (show_name(line.subject), show_name(line.measure), _show(line.second, line.unit), _span(line), line.verdict)
        for line in zero[:MAX_ROWS]
    )
    table = TextTable(("Subject", "Measure", "B", "Interval of B - A", "Verdict"), rows, ("Measure", "Verdict"))
    return (Chart("Values that were 0 in A", zero_sentence(lines), table),)


def change_spec(lines: Sequence[DiffLine]) -> Spec | None:
    """Return the chart of the most important differences; None if none is a share of the value in A."""
    lines = [line for line in lines if line.verdict != "equal" and line.share(line.difference) is not None][:MAX_BARS]
    if not lines:
        return None
    data: list[dict[str, Any]] = [
        {
            "what": f"{i}. {show_name(line.measure)}, {show_name(line.subject)}", "change": line.share(line.difference),
            "low": line.share(line.low), "high": line.share(line.high), "verdict": line.verdict,
        }
        for i, line in enumerate(lines, 1)
    ]  # fmt: skip
    used = [name for name in _COLOURS if any(line.verdict == name for line in lines)]
    y = nominal("what", None, scale={"domain": [row["what"] for row in data]}, axis={"labelLimit": 260, "grid": True})
    numbers = [row[name] for row in data for name in ("change", "low", "high") if row[name] is not None]
    ticks = [sign * tick for tick in _TICKS for sign in (-1, 1) if min(numbers) <= sign * tick <= max(numbers)]
    axis = {"format": "+~%", "values": sorted([0, *ticks]), "labelOverlap": True}
    x = {"type": "quantitative", "title": "change as a share of A", "scale": symlog(0.1), "axis": axis}
    colour = nominal("verdict", None, scale={"domain": used, "range": [_COLOURS[n] for n in used]}, legend={"orient": "bottom"})
    figures = [quantitative(name, text, format="+.2%") for name, text in (("change", "change"), ("low", "from"), ("high", "to"))]
    tooltip = [word("what", "what"), word("verdict", "verdict"), *figures]
    layers = [
        {"data": {"values": [{"zero": 0}]}, "mark": {"type": "rule", "color": MUTED},
         "encoding": {"x": {**x, "field": "zero"}}},
        {"mark": {"type": "rule", "strokeWidth": 3, "opacity": 0.4}, "transform": [{"filter": "isValid(datum.low)"}],
         "encoding": {"x": {**x, "field": "low"}, "x2": {"field": "high"}, "y": y, "color": colour, "tooltip": tooltip}},
        {"mark": {"type": "point", "filled": True, "size": 60, "opacity": 1},
         "encoding": {"x": {**x, "field": "change"}, "y": y, "color": colour, "tooltip": tooltip}},
    ]  # fmt: skip
    return chart(data, layer=layers, height=ROW_HEIGHT * len(data))


def _measure_table(lines: Sequence[DiffLine]) -> Chart:
    rows = []
    for measure in dict.fromkeys(line.measure for line in lines):
        counts = _count([line for line in lines if line.measure == measure])
        rows.append((show_name(measure), *(f"{counts[name]:,}" for name in _COLOURS)))
    table = TextTable(("Measure", *(name.capitalize() for name in _COLOURS)), tuple(rows))
    return Chart("Verdicts", f"The verdicts on {plural(len(rows), 'measure')}.", table, is_open=True)


def _note_section(notes: Sequence[str]) -> Section | None:
    if not notes:
        return None
    table = TextTable(("What", "Why or where"), tuple(_split(note) for note in notes[:MAX_ROWS]), ("Why or where",))
    sentence = f"{plural(len(notes), 'remark')} on what was not compared."
    if len(notes) > MAX_ROWS:
        sentence = f"The first {MAX_ROWS} of {sentence}"
    return Section("notes", "Not compared", "", (Chart("Remarks", sentence, table),))


def _split(note: str) -> tuple[str, str]:
    what, _, why = note.partition(": ")
    return " ".join(map(show_name, what.split(" "))), " ".join(map(show_name, why.split(" ")))


def _side_table(first: DiffSide, second: DiffSide) -> Chart:
    facts = list(dict.fromkeys([*first.facts, *second.facts]))
    cells = [(name, first.facts.get(name, DASH), second.facts.get(name, DASH)) for name in facts]
    rows = tuple((show_name(name), _show_text(a), _show_text(b), "" if a == b else "differs") for name, a, b in cells)
    different = [show_name(name) for name, a, b in cells if a != b]
    sentence = f"A and B differ in {join_words(different)}." if different else "A and B have the same origin."
    if not cells:
        sentence = "Nothing is known of their origin."
    head = (("Results", show_name(first.name), show_name(second.name), ""),)
    return Chart("Origin", sentence, TextTable(("Fact", "A", "B", ""), head + rows, ("A", "B", "")))


def _show_text(text: str) -> str:
    return " ".join(map(show_name, text.split(" ")))


__all__ = ["DiffLine", "DiffSide", "change_spec", "diff_report", "verdict", "zero_sentence"]
