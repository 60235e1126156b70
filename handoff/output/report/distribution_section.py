"""Section of delays and interruptions: the share of packets and handoffs that exceed each time, with a logarithmic tail."""

from __future__ import annotations

import numpy as np

from handoff.output.report.contents import Chart, Section, Spec, TextTable
from handoff.output.report.specs import chart, choice, line_colours, quantitative
from handoff.output.report.study_data import Floats, StudyData, quantiles, time_ms, times_ms
from handoff.output.report.wording import plural, show_ms, show_name, show_share

MAX_POINTS = 100
"""Points of a line, so that the size of a report does not grow with the number of handoffs."""
_SHARES = (0.5, 0.9, 0.99, 0.999)


def distribution_section(study: StudyData) -> Section:
    """Return the distributions of delays, of interruptions, and of the time without a registered link."""
    charts = [_delays(study), _of_handoffs(
        study, "disruption", "Interruption of a flow",
        "the longest interruption of a downstream flow in a handoff, of the handoffs that have one",
    ), _of_handoffs(
        study, "latency", "Time without a registered link",
        "the time from the end of the old link until the new one is up and registered",
    )]  # fmt: skip
    text = (
        "Each line shows the share of packets or handoffs that take longer than a time. The axis of shares is logarithmic: one "
        "line of the grid is a factor of ten. A name in the legend emphasises its line."
    )
    return Section("delays", "Delays and interruptions", text, tuple(c for c in charts if c is not None))


def exceedance(values: Floats, weights: Floats) -> list[tuple[float, float]]:
    """Return points (time, share of the weight above that time), at most ``MAX_POINTS``, dense in the tail."""
    order = np.argsort(values)
    x, above = values[order], weights[order].sum() - np.cumsum(weights[order])
    last = np.append(x[1:] != x[:-1], True)
    x, share = x[last], above[last] / weights.sum()
    if len(x) > MAX_POINTS:
        level = -np.log10(np.maximum(share, share[share > 0].min(initial=1.0) / 10))
        wanted = np.linspace(level[0], level[-1], MAX_POINTS)
        keep = np.unique(np.concatenate([[0], np.clip(np.searchsorted(level, wanted), 0, len(x) - 1)]))
        x, share = x[keep], share[keep]
    return list(zip(x.tolist(), share.tolist(), strict=True))


def _delays(study: StudyData) -> Chart | None:
    data, rows = [], []
    for row in study.runs:
        procedure, table = show_name(row["procedure"]), study.table_of("delays", row["procedure"])
        if table is None:
            continue
        upper, packets = times_ms(table, "delay_until"), table["packets"].to_numpy().astype(np.float64)
        data += [{"procedure": procedure, "t": t, "share": s} for t, s in exceedance(upper, packets) if s > 0]
        counts = np.cumsum(packets)
        cells = [show_ms(float(upper[np.searchsorted(counts, q * counts[-1])])) for q in _SHARES]
        rows.append((procedure, *cells, show_ms(float(upper[-1]))))
    if not data:
        return None
    known = [(t, show_name(r["procedure"])) for r in study.runs if (t := time_ms(r, "delay_p99")) is not None]
    sentence = "The delay of delivered packets, from sender to receiver."
    if known:
        least, most = min(known), max(known)
        sentence = f"99 % of the packets take no longer than {show_ms(least[0])} under {least[1]}"
        sentence += f" and {show_ms(most[0])} under {most[1]}." if len(known) > 1 else "."
    columns = ("Procedure", "50 % below", "90 %", "99 %", "99.9 %", "All below")
    return Chart("Delay of packets", sentence, TextTable(columns, tuple(rows)), (_spec(data, "delay (ms)", "packets"),))


def _of_handoffs(study: StudyData, column: str, title: str, meaning: str) -> Chart | None:
    data, rows, known = [], [], []
    for name in study.procedures:
        table, procedure = study.table_of("handoffs", name), show_name(name)
        if table is None:
            continue
        values = times_ms(table, column)
        values, handoffs = values[np.isfinite(values)], len(values)
        if not len(values):
            continue
        positive = float((values > 0).sum() / handoffs)
        points = exceedance(values, np.ones(len(values)))
        data += [{"procedure": procedure, "t": max(t, 1.0), "share": s} for t, s in points if s > 0]
        cells = quantiles(values, (*_SHARES, 1.0))
        rows.append((procedure, show_share(positive), *map(show_ms, cells)))
        known.append((cells[2] or 0.0, procedure, len(values)))
    if not data:
        return None
    least, most = min(known), max(known)
    sentence = f"99 % of {plural(least[2], 'handoff')} stay below {show_ms(least[0])} under {least[1]}"
    sentence += f" and {show_ms(most[0])} under {most[1]}" if len(known) > 1 else ""
    columns = ("Procedure", "Handoffs above 0", "50 % below", "90 %", "99 %", "99.9 %", "Longest")
    spec = _spec(data, f"{title.lower()} (ms; what is shorter than 1 ms is at 1)", "handoffs")
    return Chart(title, f"{sentence}: {meaning}.", TextTable(columns, tuple(rows)), (spec,))


def _spec(data: list[dict[str, object]], x: str, of: str) -> Spec:
    names = list(dict.fromkeys(str(row["procedure"]) for row in data))
    encoding = {
        "x": quantitative("t", x, scale={"type": "log", "nice": False}, axis={"tickCount": 6, "format": "~g"}),
        "y": quantitative("share", f"share of {of} above", scale={"type": "log"}, axis={"format": "~%", "tickCount": 5}),
        **line_colours(names),
        "tooltip": [{"field": "procedure", "type": "nominal"}, quantitative("t", "ms", format=".4~g"),
                    quantitative("share", "share above", format=".3~g")],
    }  # fmt: skip
    mark = {"type": "line", "interpolate": "step-after", "strokeWidth": 1.8, "clip": True}
    return chart(data, params=choice(), mark=mark, encoding=encoding, height=280)
