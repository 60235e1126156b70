"""Section of lost, duplicate, reordered and late packets, with intervals."""

from __future__ import annotations

from typing import Any

from handoff.output.report.contents import Chart, Section, Spec, TextTable
from handoff.output.report.specs import ACCENT, ROW_HEIGHT, chart, nominal, quantitative, symlog, word
from handoff.output.report.study_data import Row, StudyData, time_ms
from handoff.output.report.verdict import best_run
from handoff.output.report.wording import DASH, plural, show_count, show_ms, show_name, show_share

_ATTACKS = {
    "attack_messages": "Messages", "attack_bytes": "Bytes", "attack_accepted": "Carried out", "attack_refused": "Refused",
    "attack_dropped": "Dropped", "attack_answer_bytes": "Answer bytes", "diverted": "Diverted packets",
    "diverted_bytes": "Diverted bytes", "legitimate_dropped": "Legitimate dropped", "legitimate_refused": "Legitimate refused",
}  # fmt: skip
COUNTS = {
    "lost": ("Lost packets", "no copy of the packet arrived"),
    "duplicate": ("Duplicate copies", "a copy arrived after the first one"),
    "reordered": ("Reordered packets", "the packet arrived after one that was sent later (RFC 4737)"),
    "after_marker": ("Packets behind their marker", "the packet arrived through the old link after the marker"),
}
"""Title and definition of each kind of disturbance, by the column of ``runs``."""
_TICKS = (0, *(10**n for n in range(1, 16)))
"""Numbers on an axis that is logarithmic from ten on: its own ticks lie at the upper end."""


def summary_section(study: StudyData) -> Section:
    """Return the table of all procedures with the figures of the comparison."""
    columns = (
        "Procedure", "Handoffs", "Unfinished", "Sent", "Lost", "Interruption p99", "Seamless", "Duplicate", "Reordered",
        "Delay p50", "Delay p99", "MOS",
    )  # fmt: skip
    groups = study.rows("groups")
    rows = tuple(
        cells
        for row in study.runs
        for cells in (_summary_row(row), *(_group_row(g) for g in groups if g["procedure"] == row["procedure"]))
    )
    best = best_run(study)
    sentence = (
        f"The procedures saw the same packets, movement and random draws. {show_name(best['procedure'])} leads: the order is by "
        "lost packets, then by the 99th percentile of the interruption, then by extra traffic."
        if len(study.runs) > 1
        else "The main figures of the run."
    )
    table = Chart("Procedures", sentence, TextTable(columns, rows), is_open=True)
    return Section("summary", "At a glance", "", (table,))


def _summary_row(row: Row) -> tuple[str, ...]:
    return (
        show_name(row["procedure"]), show_count(row["handoffs"]), show_count(row["unfinished_handoffs"]), show_count(row["sent"]),
        show_count(row["lost"]), show_ms(time_ms(row, "disruption_p99")), show_share(row["seamless_ratio"]),
        show_count(row["duplicate"]), show_count(row["reordered"]), show_ms(time_ms(row, "delay_p50")),
        show_ms(time_ms(row, "delay_p99")), DASH if row["mos"] is None or row["mos"] != row["mos"] else f"{row['mos']:.2f}",
    )  # fmt: skip


def _group_row(row: Row) -> tuple[str, ...]:
    """Return the row of a group of a mixture, named by its procedure and its number of mobile nodes."""
    return (f"› {show_name(row['mobile_procedure'])} ({row['mobile_nodes']:,} MN)", *_summary_row(row)[1:])


def attack_section(study: StudyData) -> Section | None:
    """Return what attacks did and cost (docs/attacks.md); None without attacks."""
    runs = [row for row in study.runs if row["attack_messages"]]
    if not runs:
        return None
    rows = tuple((show_name(row["procedure"]), *(show_count(row[name]) for name in _ATTACKS)) for row in runs)
    most = max(runs, key=lambda row: row["diverted"])
    sentence = (
        f"{plural(most['attack_messages'], 'message')} of attackers under {show_name(most['procedure'])}: agents carried out "
        f"{most['attack_accepted']:,}, refused {most['attack_refused']:,}, and sent {plural(most['diverted'], 'data packet')} "
        "into bindings of attackers."
    )
    text = "What attackers sent, and what it diverted and denied. No attacker caused the legitimate messages."
    table = Chart("Attacks", sentence, TextTable(("Procedure", *_ATTACKS.values()), rows), is_open=True)
    return Section("attacks", "Attacks", text, (table,))


def loss_section(study: StudyData) -> Section:
    """Return a chart for each kind of disturbance that occurs under any procedure."""
    charts = tuple(_count_chart(study, name) for name in COUNTS if name == "lost" or any(row[name] for row in study.runs))
    text = (
        "Numbers of packets in the whole run, with 95 % intervals of the expected number. The intervals allow for bursts: a "
        "handoff may disturb many packets or none. A large number of bursts has no interval from a single run."
    )
    return Section("loss", "Lost, duplicate and reordered packets", text, charts, beside=True)


def _count_chart(study: StudyData, name: str) -> Chart:
    title, meaning = COUNTS[name]
    data, rows = _count_rows(study, name), []
    for row, shown in zip(study.runs, data, strict=True):
        span = DASH if shown["low"] is None else f"{show_count(shown['low'])} to {show_count(shown['high'])}"
        share = row[name] / row["sent"] if row["sent"] else None
        rows.append((shown["procedure"], show_count(row[name]), span, show_share(share)))
    counts = [row[name] for row in study.runs]
    least, most = min(counts), max(counts)
    if len(counts) == 1:
        sentence = f"{counts[0]:,}: {meaning}."
    elif least == most:
        sentence = f"{least:,} under every procedure: {meaning}."
    else:
        sentence = f"From {least:,} ({_who(study, name, least)}) to {most:,} ({_who(study, name, most)}): {meaning}."
    return Chart(title, sentence, TextTable(("Procedure", title, "95 % interval", "Share of sent"), tuple(rows)), (_spec(data),))


def count_spec(study: StudyData, name: str) -> Spec:
    """Return the chart of a kind of ``COUNTS``: a row for each procedure, with the 95 % interval of the expected number."""
    return _spec(_count_rows(study, name))


def _count_rows(study: StudyData, name: str) -> list[dict[str, Any]]:
    rows = []
    for row in study.runs:
        interval = study.interval(row, name)
        low, high = (None, None) if interval is None else (interval.low, interval.high)
        rows.append({"procedure": show_name(row["procedure"]), "count": row[name], "low": low, "high": high})
    return rows


def _who(study: StudyData, name: str, value: int) -> str:
    names = [show_name(row["procedure"]) for row in study.runs if row[name] == value]
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _spec(data: list[dict[str, Any]]) -> Spec:
    domain = {"domain": [row["procedure"] for row in data]}
    y = nominal("procedure", None, axis={"labelLimit": 150}, scale=domain)
    most = max(max(row["count"], row["high"] or 0) for row in data)
    scale, axis = symlog(10), {"values": [n for n in _TICKS if n <= most], "format": ",d", "labelOverlap": True}
    tooltip = [word("procedure", "procedure"), quantitative("count", "packets"), quantitative("low", "from"),
               quantitative("high", "to")]  # fmt: skip
    rule = {
        "mark": {"type": "rule", "color": ACCENT, "strokeWidth": 3, "opacity": 0.4},
        "transform": [{"filter": "isValid(datum.low)"}],
        "encoding": {"x": quantitative("low", "packets", scale=scale), "x2": {"field": "high"}, "y": y, "tooltip": tooltip},
    }
    point = {
        "mark": {"type": "point", "filled": True, "size": 60, "color": ACCENT, "opacity": 1},
        "encoding": {"x": quantitative("count", "packets", scale=scale, axis=axis), "y": y, "tooltip": tooltip},
    }  # fmt: skip
    return chart(data, layer=[rule, point], height=ROW_HEIGHT * len(data))
