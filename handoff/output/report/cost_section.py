"""Sections of what procedures cost: scenarios of handoffs, extra bytes, and signalling by node and link."""

from __future__ import annotations

from collections.abc import Sequence

from handoff.output.report.contents import Chart, Section, TextTable
from handoff.output.report.specs import ACCENT, ROW_HEIGHT, WARM, chart, heat_map, nominal, quantitative, word
from handoff.output.report.study_data import Row, StudyData, time_ms
from handoff.output.report.wording import plural, show_bytes, show_count, show_ms, show_name, show_number, show_share

MAX_ELEMENTS = 20
"""Nodes or links of a chart: the busiest ones."""
_SCENARIOS = ("I", "II", "III")
_SCENARIO_COLOURS = ["#2e9b6e", WARM, "#d1495b"]


def scenario_section(study: StudyData) -> Section | None:
    """Return the shares of the scenarios I, II and III; None without a procedure that knows them."""
    runs = [row for row in study.runs if any(row[f"scenario_{n}"] for n in (1, 2, 3))]
    if not runs:
        return None
    data, rows = [], []
    for row in runs:
        procedure, counts = show_name(row["procedure"]), [row[f"scenario_{n}"] for n in (1, 2, 3)]
        data += [{"procedure": procedure, "scenario": s, "handoffs": n, "o": i}
                 for i, (s, n) in enumerate(zip(_SCENARIOS, counts, strict=True))]  # fmt: skip
        shares = (show_share(row[f"seamless_{n}_ratio"]) for n in (1, 2, 3))
        rows.append((procedure, *map(show_count, counts), *shares))
    most = max(runs, key=lambda row: row["scenario_1"] / max(row["handoffs"], 1))
    share = show_share(most["scenario_1"] / max(most["handoffs"], 1))
    largest = "has the largest share of handoffs whose marker, or command, comes in time"
    sentence = f"{show_name(most['procedure'])} {largest}: {share}."
    encoding = {
        "x": quantitative("handoffs", "share of handoffs", stack="normalize", axis={"format": "%"}),
        "y": nominal("procedure", None, axis={"labelLimit": 150}),
        "color": nominal("scenario", "scenario", scale={"domain": list(_SCENARIOS), "range": _SCENARIO_COLOURS},
                         legend={"orient": "bottom"}),
        "order": {"field": "o", "type": "quantitative"},
        "tooltip": [word("procedure", "procedure"), word("scenario", "scenario"), quantitative("handoffs", "handoffs")],
    }  # fmt: skip
    spec = chart(data, mark={"type": "bar"}, encoding=encoding, height=ROW_HEIGHT * len(rows))
    columns = ("Procedure", "I", "II", "III", "Seamless in I", "in II", "in III")
    text = (
        "Scenario I: the marker came before the warning that the old link ends. II: it came after the warning, and the old "
        "router forwarded the rest. III: there was no time for it, or the mobile node has one radio. In prepared handovers the "
        "command counts: it was heard (I), sent but not heard (II), or not sent (III)."
    )
    shares_chart = Chart("Shares of the scenarios", sentence, TextTable(columns, tuple(rows)), (spec,))
    return Section("scenarios", "Scenarios", text, (shares_chart,))


def traffic_section(study: StudyData) -> Section | None:
    """Return the extra bytes on the radio and in the fixed network; None if no baseline was run."""
    runs = [row for row in study.runs if row["extra_bytes"] is not None]
    if not runs:
        return None
    data, rows = [], []
    for row in runs:
        procedure = show_name(row["procedure"])
        air, core = row["extra_air_bytes"], row["extra_core_bytes"]
        data += [{"procedure": procedure, "where": w, "bytes": n} for w, n in (("radio", air), ("fixed network", core))]
        rows.append((procedure, *map(show_bytes, (air, core, row["extra_bytes"], row["signalling_bytes"], row["tunnel_bytes"]))))
    least, most = min(runs, key=_extra), max(runs, key=_extra)
    low, high = (f"{show_bytes(row['extra_bytes'])} ({show_name(row['procedure'])})" for row in (least, most))
    sentence = f"From {low} to {high}."
    if len(runs) == 1:
        sentence = f"{show_bytes(least['extra_bytes'])} beyond the traffic of handoffs without any cost."
    encoding = {
        "x": quantitative("bytes", "extra bytes", axis={"format": "~s", "tickCount": 8, "labelOverlap": True}),
        "y": nominal("procedure", None, axis={"labelLimit": 150}),
        "color": nominal("where", None, scale={"domain": ["radio", "fixed network"], "range": [WARM, ACCENT]},
                         legend={"orient": "bottom"}),
        "tooltip": [word("procedure", "procedure"), word("where", "where"), quantitative("bytes", "bytes", format=",")],
    }  # fmt: skip
    spec = chart(data, mark={"type": "bar"}, encoding=encoding, height=ROW_HEIGHT * len(rows))
    columns = ("Procedure", "Radio", "Fixed network", "Together", "Signalling", "Tunnel headers")
    text = (
        "Bytes on all links and cells beyond those of the same packets under handoffs that happen at once and cost nothing. Lost "
        "packets save bytes, so that a procedure may come out below zero."
    )
    return Section("traffic", "Extra traffic", text, (Chart("Extra bytes", sentence, TextTable(columns, tuple(rows)), (spec,)),))


def _extra(row: Row) -> int:
    value: int = row["extra_bytes"]
    return value


def signalling_section(study: StudyData) -> Section:
    """Return the totals of signalling, and its rate at each node and on each link."""
    rows = tuple(_signalling_row(study, row) for row in study.runs)
    runs = [row for row in study.runs if row["handoffs"]]
    least = min(study.runs, key=lambda row: row["signalling_messages"])
    sentence = f"{show_name(least['procedure'])} sends the fewest messages, {plural(least['signalling_messages'], 'hop')} in all."
    if len(runs) < 2:
        sentence = f"{plural(least['signalling_messages'], 'message hop')} in all."
    columns = ("Procedure", "Messages, once a hop", "a handoff", "per second", "Bytes", "Repeated", "Registration p99")
    charts = [Chart("Messages", sentence, TextTable(columns, rows), is_open=True)]
    for name, key, column, title in (
        ("nodes", "node", "messages", "Messages that nodes receive"), ("links", "link", "control_packets", "Messages on links"),
    ):  # fmt: skip
        seconds = {row["procedure"]: study.seconds(row) for row in study.runs}
        per_second = [
            (show_name(part["procedure"]), show_name(part[key]), part[column] / seconds[part["procedure"]])
            for part in study.rows(name)
        ]
        if (heat := element_chart(title, key, "messages per second", per_second, len(study.runs))) is not None:
            charts.append(heat)
    text = (
        "A message counts once for each link or cell that it takes. A cell has a row for its downlinks (>*) and one for its "
        "uplinks (<*)."
    )
    return Section("signalling", "Signalling", text, tuple(charts))


def _signalling_row(study: StudyData, row: Row) -> tuple[str, ...]:
    messages = row["signalling_messages"]
    return (
        show_name(row["procedure"]), show_count(messages), show_number(messages / row["handoffs"] if row["handoffs"] else None),
        show_number(messages / study.seconds(row)), show_bytes(row["signalling_bytes"]), show_count(row["retransmissions"]),
        show_ms(time_ms(row, "registration_delay_p99")),
    )  # fmt: skip


def element_chart(
    title: str, kind: str, unit: str, values: Sequence[tuple[str, str, float]], procedures: int, is_share: bool = False
) -> Chart | None:  # fmt: skip
    """Return a heat map of a figure of the busiest elements under each procedure; None if all are 0.

    Parameters
    ----------
    title, kind, unit : str
        Title of the chart, kind of the elements, and unit of the figure.
    values : sequence of (str, str, float)
        Procedure, element and figure.
    procedures : int
        Number of procedures.
    is_share : bool
        True if the figure is a share.
    """
    show = show_share if is_share else show_number
    peaks: dict[str, float] = {}
    for _, element, value in values:
        peaks[element] = max(peaks.get(element, 0.0), value)
    busiest = sorted((e for e, peak in peaks.items() if peak > 0), key=lambda e: -peaks[e])[:MAX_ELEMENTS]
    if not busiest:
        return None
    chosen = {(p, e): v for p, e, v in values if e in set(busiest)}
    names = list(dict.fromkeys(p for p, _, _ in values))
    data = [{"p": p, "e": e, "v": chosen[p, e]} for e in busiest for p in names if chosen.get((p, e))]
    rows = tuple((e, *(show(chosen.get((p, e))) for p in names)) for e in busiest)
    (who, _), peak = max(chosen.items(), key=lambda item: item[1])[0], max(chosen.values())
    beside = f" under {who}" if procedures > 1 else ""
    sentence = f"The busiest {kind} is {busiest[0]}{beside}: {show(peak)}{'' if is_share else ' ' + unit}."
    omitted = sum(peak > 0 for peak in peaks.values()) - len(busiest)
    if omitted:
        sentence += f" {plural(omitted, f'less busy {kind}')} {'is' if omitted == 1 else 'are'} left out."
    opacity = quantitative("v", unit, **({"format": ".1%"} if is_share else {}))
    x, y = nominal("p", None, scale={"domain": names}), nominal("e", None, scale={"domain": busiest})
    spec = heat_map(data, x, y, opacity)
    return Chart(title, sentence, TextTable((kind.capitalize(), *names), rows), (spec,))


__all__ = ["element_chart", "scenario_section", "signalling_section", "traffic_section"]
