"""Section of the worst handoffs: the ten with the most lost packets or the longest interruption, each with its steps in time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from handoff.output.report.contents import Chart, Drawing, Section, Spec, TextTable
from handoff.output.report.specs import MUTED, PALETTE, chart, nominal, quantitative, word
from handoff.output.report.study_data import Row, StudyData, time_ms
from handoff.output.report.wording import DASH, plural, show_count, show_ms, show_name

WORST = 10
"""Number of handoffs that are shown."""
AXIS_TITLE = "from the end of the old link (ms)"
STEPS = {
    "predict": "move known", "going_down": "old link going down", "down": "old link down", "up": "new link up",
    "request": "request", "reply": "reply", "marker": "marker", "rescue": "update to old router",
    "acknowledged": "acknowledged", "bound": "all bound",
}  # fmt: skip
_SHAPES = [
    "circle", "square", "diamond", "triangle-up", "cross", "triangle-down", "triangle-right", "triangle-left", "square", "circle",
]  # fmt: skip


def worst_handoffs(study: StudyData) -> list[Row]:
    """Return those of the worst handoffs (:meth:`HandoffSource.worst`) that lost a packet or interrupted a flow."""
    rows = study.handoffs.worst(WORST) if study.handoffs is not None else []
    return [row for row in rows if lost_packets(row) or time_ms(row, "disruption")]


def worst_section(
    study: StudyData, drawings: Sequence[Drawing] = (), address: Callable[[Row], str] | None = None
) -> Section | None:  # fmt: skip
    """Return the worst handoffs with the times of their steps; None if no handoff lost or delayed anything.

    ``address`` returns the address of the page of a handoff, if there is one.
    """
    worst = worst_handoffs(study)
    if not worst:
        return None
    data: list[dict[str, Any]] = []
    rows = []
    for number, row in enumerate(worst, 1):
        origin, label = origin_ms(row), f"{number}. {show_name(row['mobile'])}, {show_name(row['procedure'])}"
        data += step_rows(row, label)
        rows.append((
            f"{number}. {show_name(row['mobile'])}", show_name(row["procedure"]), show_count(row["index"]), show_routers(row),
            f"{origin / 1000:.3f} s", show_count(lost_packets(row)), show_ms(time_ms(row, "disruption")),
            show_ms(time_ms(row, "latency")), show_scenario(row),
        ))  # fmt: skip
    first = worst[0]
    sentence = (
        f"The worst handoff is number {first['index']} of {show_name(first['mobile'])} under {show_name(first['procedure'])}, "
        f"{show_routers(first)}: {plural(lost_packets(first), 'lost packet')}, and an interruption of "
        f"{show_ms(time_ms(first, 'disruption'))}."
    )
    columns = (
        "Handoff", "Procedure", "Number", "Routers", "Old link ends", "Lost", "Interruption", "Unregistered", "Scenario",
    )  # fmt: skip
    links = tuple(map(address, worst)) if address is not None else ()
    table = TextTable(columns, tuple(rows), ("Procedure", "Routers", "Scenario"), links)
    steps = Chart("Steps of the worst handoffs", sentence, table, (steps_spec(data),), is_open=address is not None)
    text = (
        "The order is by lost packets, then by the longest interruption. All messages of a handoff: handoff ladder SCENARIO "
        "--procedure NAME --mn NODE --handoff NUMBER."
    )
    return Section("worst", "Worst handoffs", text, (steps,), drawings=tuple(drawings))


def step_rows(row: Row, label: str) -> list[dict[str, Any]]:
    """Return the steps of a handoff under a label, in milliseconds from the end of its old link on."""
    origin = origin_ms(row)
    return [
        {"handoff": label, "step": text, "t": t - origin} for name, text in STEPS.items() if (t := time_ms(row, name)) is not None
    ]


def steps_spec(data: Sequence[dict[str, Any]], below: Sequence[Spec] = ()) -> Spec:
    """Return the chart of steps (:func:`step_rows`): a row for each label, on top of the layers ``below``."""
    used = {row["step"] for row in data}
    names = [name for name in STEPS.values() if name in used]
    styles = dict(zip(STEPS.values(), zip(PALETTE, _SHAPES, strict=True), strict=True))
    colours, shapes = ([styles[name][part] for name in names] for part in (0, 1))
    y = nominal("handoff", None, axis={"labelLimit": 190, "grid": True})
    x = quantitative("t", AXIS_TITLE, scale={"type": "symlog", "constant": 50}, axis={"tickCount": 7, "labelOverlap": True})
    legend = {"orient": "bottom", "columns": {"expr": "max(1, floor(width / 150))"}, "title": None}
    encoding = {
        "x": x, "y": y,
        "color": nominal("step", None, scale={"domain": names, "range": colours}, legend=legend),
        "shape": nominal("step", None, scale={"domain": names, "range": shapes}, legend=legend),
        "tooltip": [word("handoff", "handoff"), word("step", "step"), quantitative("t", "ms", format="+,.3f")],
    }  # fmt: skip
    rule = {
        "mark": {"type": "rule", "color": MUTED, "strokeWidth": 1},
        "encoding": {"x": {**x, "aggregate": "min"}, "x2": {"field": "t", "aggregate": "max"}, "y": y},
    }
    points = {"mark": {"type": "point", "filled": True, "size": 70, "opacity": 1}, "encoding": encoding}
    labels = {row["handoff"] for row in data}
    return chart(data, layer=[*below, rule, points], height=24 * len(labels))


def lost_packets(row: Row) -> int:
    """Return the lost packets of a handoff; the dropped copies without a record of every packet."""
    value: int = row["dropped"] if row["lost"] is None else row["lost"]
    return value


def show_routers(row: Row) -> str:
    """Return the old and the new router of a handoff."""
    return f"{show_name(row['old_router'])} → {show_name(row['new_router'])}"


def show_scenario(row: Row) -> str:
    """Return the scenario of a handoff as in the seed document."""
    return {1: "I", 2: "II", 3: "III"}.get(row["scenario"], DASH)


def origin_ms(row: Row) -> float:
    """Return the end of the old link of a handoff in milliseconds; without one, the start of the new link or of the handoff."""
    for name in ("down", "up", "open"):
        if (t := time_ms(row, name)) is not None:
            return t
    return 0.0
