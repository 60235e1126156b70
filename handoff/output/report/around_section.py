"""Section of the packets around a handoff: path, loss and delay of all handoffs of a procedure on one axis of time."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from handoff.output.report.contents import Chart, Section, Spec, TextTable
from handoff.output.report.specs import ACCENT, BAD, MUTED, WARM, chart, nominal, quantitative, word
from handoff.output.report.study_data import Floats, StudyData, times_ms
from handoff.output.report.verdict import rank
from handoff.output.report.wording import DASH, plural, show_count, show_ms, show_name, show_share

PATH_COLOURS = {
    "old link": MUTED, "forwarded": WARM, "new link": "#2e9b6e", "other link": "#8e63ce", "lost": BAD,
}  # fmt: skip
MAX_CHARTS = 20
"""Procedures with a chart. Of more procedures the best and the worst ones have one, half of the number each."""
_SPANS_MS = ((-1000, -200), (-200, 0), (0, 200), (200, 1000))
_BIN_MS = 40
_AXIS = {"values": [-1000, -500, 0, 500, 1000], "grid": True}


def around_section(study: StudyData) -> Section | None:
    """Return a chart for each procedure whose packets were recorded; None without any."""
    if "packets_around" not in study.tables or not study.tables["packets_around"].num_rows:
        return None
    domain = _delay_domain(study.tables["packets_around"])
    shown = _procedures_with_charts(study)
    charts = tuple(c for name in shown if (c := _procedure_chart(study, name, domain)) is not None)
    if not charts:
        return None
    text = (
        "All handoffs of a procedure lie on top of each other. The time is that of sending a packet, from the end of the old "
        "link on. Above: the delay of downstream packets, dark where there are many. Below: their path, and the share that was "
        "lost. A packet is forwarded if the old router passed it on."
    )
    if len(shown) < len(study.procedures):
        half, count = MAX_CHARTS // 2, len(study.procedures)
        text += (
            f" The charts are of the {half} best and the {half} worst of {count} procedures: the best ones lose the fewest "
            "packets, and then interrupt for the shortest time."
        )
    return Section("around", "Around the handoff", text, charts, beside=True)


def _procedures_with_charts(study: StudyData) -> list[str]:
    """Return the best and the worst procedures in the order of the study; all of them if they are few."""
    ranked = [row["procedure"] for row in sorted(study.runs, key=rank)]
    left_out = set(ranked[MAX_CHARTS // 2 : -MAX_CHARTS // 2]) if len(ranked) > MAX_CHARTS else set()
    return [name for name in study.procedures if name not in left_out]


def _delay_domain(table: pa.Table) -> list[float]:
    """Return the common axis of delays, on which procedures can be compared."""
    low, high = times_ms(table, "delay_from"), times_ms(table, "delay_until")
    is_delivered = high > 0
    return [float(low[is_delivered].min()), float(high[is_delivered].max())] if is_delivered.any() else [1.0, 2.0]


def _procedure_chart(study: StudyData, procedure: str, domain: list[float]) -> Chart | None:
    table = study.table_of("packets_around", procedure)
    if table is None:
        return None
    since, packets = times_ms(table, "since"), table["packets"].to_numpy().astype(np.float64)
    delay_from, delay_until = times_ms(table, "delay_from"), times_ms(table, "delay_until")
    path = np.array(table["path"].to_pylist())
    upstream = np.char.endswith(path, "upstream")
    lost_up, all_up = packets[path == "lost upstream"].sum(), packets[upstream].sum()
    path, since, packets = path[~upstream], since[~upstream], packets[~upstream]
    delay_from, delay_until = delay_from[~upstream], delay_until[~upstream]
    if not len(path):
        return None
    is_lost = path == "lost"
    before, after = is_lost & (since < 0), is_lost & (since >= 0)
    lost, total = packets[is_lost].sum(), packets.sum()
    rows = tuple(_span_row(since, packets, path, delay_from, delay_until, span) for span in _SPANS_MS)
    slowest = delay_until[~is_lost].max(initial=0.0)
    when = f" ({show_count(packets[before].sum())} sent before the old link ended, {show_count(packets[after].sum())} after)"
    sentence = (
        f"Within a second of a handoff, {show_count(lost)} of {plural(round(total), 'downstream packet')} were lost"
        f"{when if lost else ''}, and the longest delay was below {show_ms(float(slowest))}."
    )
    if all_up:
        sentence += f" Upstream, {show_count(lost_up)} of {show_count(all_up)} were lost."
    columns = ("Sent", "Packets", "Lost", "Old link", "Forwarded", "New link", "Median delay", "Longest delay")
    specs = (_density(since, delay_from, delay_until, packets, is_lost, domain), _paths(since, path, packets))
    return Chart(show_name(procedure), sentence, TextTable(columns, rows), specs)


def _span_row(
    since: Floats, packets: Floats, path: np.ndarray, low: Floats, high: Floats, span: tuple[int, int]
) -> tuple[str, ...]:  # fmt: skip
    chosen = (since >= span[0]) & (since < span[1])
    total = packets[chosen].sum()

    def share(name: str) -> str:
        return show_share(float(packets[chosen & (path == name)].sum() / total) if total else None)

    arrived = chosen & (path != "lost")
    order = np.argsort(low[arrived])
    counts = packets[arrived][order].cumsum()
    median = None
    if len(counts):
        middle = order[int(np.searchsorted(counts, counts[-1] / 2))]
        median = float((low[arrived][middle] + high[arrived][middle]) / 2)
    longest = float(high[arrived].max()) if arrived.any() else None
    shares = (share(name) for name in ("lost", "old link", "forwarded", "new link"))
    bound = DASH if longest is None else f"< {show_ms(longest)}"
    return f"{span[0]:+} to {span[1]:+} ms", show_count(total), *shares, show_ms(median), bound


def _density(since: Floats, low: Floats, high: Floats, packets: Floats, is_lost: np.ndarray, domain: list[float]) -> Spec:
    cells: dict[tuple[float, float, float], float] = {}
    for t, a, b, n in zip(since[~is_lost], low[~is_lost], high[~is_lost], packets[~is_lost], strict=True):
        cells[t, a, b] = cells.get((t, a, b), 0.0) + n
    data = [{"t": t, "d": a, "e": b, "n": n} for (t, a, b), n in cells.items()]
    x_scale = {"domain": [-1000, 1000], "nice": False}
    encoding = {
        "x": quantitative("t", None, scale=x_scale, axis={**_AXIS, "labels": False}),
        "x2": {"field": "u"},
        "y": quantitative("d", "delay (ms)", scale={"type": "log", "nice": False, "domain": domain},
                          axis={"tickCount": 4, "format": ",~r", "minExtent": 42}),
        "y2": {"field": "e"},
        "opacity": quantitative("n", "packets", scale={"type": "log", "range": [0.12, 1]}, legend=None),
        "tooltip": [quantitative("t", "sent at (ms)"), quantitative("d", "delay from (ms)", format=".3~g"),
                    quantitative("e", "to", format=".3~g"), quantitative("n", "packets")],
    }  # fmt: skip
    transform = [{"calculate": f"datum.t + {_BIN_MS}", "as": "u"}]
    return chart(data, transform=transform, mark={"type": "rect", "color": ACCENT}, encoding=encoding, height=130)


def _paths(since: Floats, path: np.ndarray, packets: Floats) -> Spec:
    cells: dict[tuple[float, str], float] = {}
    for t, name, n in zip(since, path, packets, strict=True):
        cells[t, name] = cells.get((t, name), 0.0) + n
    names = [name for name in PATH_COLOURS if any(key[1] == name for key in cells)]
    data = []
    for t in sorted({key[0] for key in cells}):
        total, below = sum(cells.get((t, name), 0.0) for name in names), 0.0
        for name in names:
            if (n := cells.get((t, name), 0.0)) > 0:
                data.append({"t": t, "path": name, "n": n, "low": below / total, "high": (below + n) / total})
                below += n
    encoding = {
        "x": quantitative("t", "sent, from the end of the old link (ms)", scale={"domain": [-1000, 1000]}, axis=_AXIS),
        "x2": {"field": "u"},
        "y": quantitative("low", "packets", scale={"domain": [0, 1]}, axis={"format": "%", "tickCount": 2, "minExtent": 42}),
        "y2": {"field": "high"},
        "color": nominal("path", None, scale={"domain": names, "range": [PATH_COLOURS[n] for n in names]},
                         legend={"orient": "bottom", "columns": {"expr": "max(1, floor(width / 75))"}, "title": None}),
        "tooltip": [quantitative("t", "sent at (ms)"), word("path", "path"), quantitative("n", "packets")],
    }  # fmt: skip
    transform = [{"calculate": f"datum.t + {_BIN_MS}", "as": "u"}]
    return chart(data, transform=transform, mark="rect", encoding=encoding, height=70)
