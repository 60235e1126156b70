"""Sections of links and agents: utilisation, queues, losses, and waits beside M/D/1."""

from __future__ import annotations

from dataclasses import dataclass

from handoff.output.report.contents import Chart, Section, TextTable
from handoff.output.report.cost_section import MAX_ELEMENTS, element_chart
from handoff.output.report.specs import MUTED, chart, line_colours, quantitative, word
from handoff.output.report.study_data import Row, StudyData, time_ms
from handoff.output.report.wording import DASH, plural, show_bytes, show_count, show_ms, show_name, show_number, show_share
from handoff.theory.queueing import md1_wait

_CURVE_POINTS = 40
_MIN_SERVED = 20
"""Messages from which on the mean wait of an agent is shown."""


def link_section(study: StudyData) -> Section | None:
    """Return utilisation and queues of the busiest links and cells; None without links."""
    links = [row for row in study.rows("links") if not row["pooled"] and row["packets"]]
    if not links:
        return None
    values = [(show_name(r["procedure"]), show_name(r["link"]), float(r["utilisation"])) for r in links]
    heat = element_chart("Utilisation", "link", "utilisation", values, len(study.runs), is_share=True)
    dropped = [r for r in links if r["dropped"]]
    by_drops = sorted(links, key=lambda r: (-r["dropped"], -r["peak_packets"], -r["utilisation"]))
    worst_of_link = {r["link"]: r for r in reversed(by_drops)}
    by_drops = [r for r in by_drops if worst_of_link[r["link"]] is r][:MAX_ELEMENTS]
    rows = tuple(
        (
            show_name(r["link"]), show_name(r["procedure"]), show_count(r["packets"]), show_count(r["dropped"]),
            show_share(r["utilisation"]), show_count(r["peak_packets"]), show_bytes(r["peak_bytes"]), show_count(r["detached"]),
        )
        for r in by_drops
    )  # fmt: skip
    total = sum(r["dropped"] for r in dropped)
    sentence = (
        f"{plural(total, 'packet')} found a queue full, on {plural(len({r['link'] for r in dropped}), 'link')}."
        if total
        else f"No packet found a queue full; the longest queue had {plural(max(r['peak_packets'] for r in links), 'packet')}."
    )
    columns = ("Link", "Procedure", "Packets", "Queue full", "Utilisation", "Longest queue", "In bytes", "Mobile node gone")
    queues = Chart("Longest queues", sentence, TextTable(columns, rows, ("Procedure",)))
    text = (
        "Utilisation is the share of the time in which a link or a shared cell transmits. Queues of single mobile nodes are left "
        "out."
    )
    return Section("links", "Links and queues", text, tuple(c for c in (heat, queues) if c is not None))


def agent_section(study: StudyData) -> Section | None:
    """Return load and mean wait of the registration servers beside M/D/1; None if none has served enough messages."""
    agents = [row for row in study.rows("nodes") if row["registered"] >= _MIN_SERVED and row["registration_utilisation"]]
    agents.sort(key=lambda r: -r["registration_utilisation"])
    if not agents:
        return None
    agents = agents[: MAX_ELEMENTS * len(study.runs)]
    shown = [
        {"procedure": show_name(r["procedure"]), "agent": show_name(r["node"]), "load": w.load, "wait": w.wait,
         "ratio": w.wait / w.service}
        for r in agents
        if (w := _waits(r)).wait is not None
    ]  # fmt: skip
    if not shown:
        return None
    top = min(0.98, max(0.02, 1.2 * float(agents[0]["registration_utilisation"])))
    curve = [{"x": x, "y": md1_wait(x, 1.0)} for i in range(_CURVE_POINTS + 1) for x in [top * i / _CURVE_POINTS]]
    x, y = quantitative("load", "utilisation", axis={"format": "%"}), quantitative("ratio", "mean wait / service time")
    legend = {"orient": "bottom", "columns": {"expr": "max(1, floor(width / 170))"}, "title": None, "labelLimit": 150}
    colours = {"color": {**line_colours(list(map(show_name, study.procedures)))["color"], "legend": legend}}
    tooltip = [word("agent", "agent"), word("procedure", "procedure"), quantitative("load", "utilisation", format=".2%"),
               quantitative("wait", "mean wait (ms)", format=".3~g")]  # fmt: skip
    points = {"mark": {"type": "point", "filled": True, "size": 55}, "encoding": {"x": x, "y": y, **colours, "tooltip": tooltip}}
    line = {
        "data": {"values": curve}, "mark": {"type": "line", "color": MUTED, "strokeDash": [5, 3]},
        "encoding": {"x": {"field": "x", "type": "quantitative"}, "y": {"field": "y", "type": "quantitative"}},
    }  # fmt: skip
    spec = chart(shown, layer=[line, points], height=260)
    rows = tuple(_agent_row(r) for r in agents[:MAX_ELEMENTS])
    busiest = agents[0]
    waits = _waits(busiest)
    beside = f" under {show_name(busiest['procedure'])}" if len(study.runs) > 1 else ""
    sentence = (
        f"The busiest agent is {show_name(busiest['node'])}{beside}: {show_share(waits.load)} of the time at work, "
        f"with a mean wait of {show_ms(waits.wait)}, where M/D/1 has {show_ms(waits.theory)}."
    )
    columns = ("Agent", "Procedure", "Messages per s", "Utilisation", "Mean wait", "M/D/1", "Longest wait", "Refused",
        "Most bindings")
    text = (
        "Registration servers take the same time for each message. The dashed line is the mean wait of M/D/1, whose arrivals are "
        "independent of each other. Points above it show arrivals in bursts, such as several messages of one handoff."
    )
    agents_chart = Chart("Waits at agents", sentence, TextTable(columns, rows, ("Procedure",)), (spec,))
    return Section("agents", "Agents", text, (agents_chart,))


@dataclass(frozen=True)
class _Waits:
    """Load of an agent; its service time, its mean wait and that of M/D/1 in milliseconds."""

    load: float
    service: float
    wait: float | None
    theory: float


def _waits(row: Row) -> _Waits:
    load, rate = float(row["registration_utilisation"]), float(row["registrations_per_s"])
    service = load / rate * 1000
    return _Waits(load, service, time_ms(row, "registration_wait_mean"), md1_wait(load, service))


def _agent_row(row: Row) -> tuple[str, ...]:
    waits = _waits(row)
    return (
        show_name(row["node"]), show_name(row["procedure"]), show_number(row["registrations_per_s"]), show_share(waits.load),
        show_ms(waits.wait), show_ms(waits.theory), show_ms(time_ms(row, "registration_wait_max")),
        show_count(row["registration_dropped"]), show_count(row["bindings_peak"]) if row["bindings_peak"] else DASH,
    )  # fmt: skip
