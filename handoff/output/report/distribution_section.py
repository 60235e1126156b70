"""Section of delays and interruptions: the share of packets and handoffs that exceed each time, with a logarithmic tail."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from handoff.output.report.contents import Chart, Section, Spec, TextTable
from handoff.output.report.specs import chart, choice, line_colours, quantitative
from handoff.output.report.study_data import Floats, StudyData, quantiles, time_ms, times_ms
from handoff.output.report.wording import plural, show_ms, show_name, show_share

MAX_POINTS = 100
"""Points of a line, so that the size of a report does not grow with the number of handoffs."""
_SHARES = (0.5, 0.9, 0.99, 0.999)


@dataclass(frozen=True)
class Quantity:
    """Quantity whose distribution over packets, handoffs or flows a chart shows.

    Attributes
    ----------
    title : str
    meaning : str
        Definition as a noun phrase.
    table, column : str
        Its column; without ``_s`` for a time.
    unit : str
        ``ms`` for a time; empty for a number without unit.
    of : str
        What has one value each.
    """

    title: str
    meaning: str
    table: str
    column: str
    unit: str = "ms"
    of: str = "handoffs"

    @property
    def least(self) -> float:
        """Value at which a logarithmic axis shows everything smaller, 0 among it."""
        return 1.0 if self.unit else 1e-6

    @property
    def label(self) -> str:
        """Title of the axis."""
        return f"{self.title.lower()} ({self.unit})" if self.unit else self.title.lower()


QUANTITIES = {
    "delay": Quantity("Delay of packets", "the delay of delivered packets", "delays", "delay_until", of="packets"),
    "interruption": Quantity(
        "Interruption of a flow",
        "the longest interruption of a downstream flow in a handoff, of the handoffs that have one", "handoffs", "disruption",
    ),
    "latency": Quantity(
        "Time without a registered link",
        "the time from the end of the old link until the new one is up and registered", "handoffs", "latency",
    ),
    "lost": Quantity("Lost packets", "the packets that a handoff loses", "handoffs", "lost", "packets"),
    "dropped": Quantity("Dropped copies", "the packet copies that a handoff drops", "handoffs", "dropped", "packets"),
    "duplicate": Quantity("Duplicate copies", "the packets of a handoff that arrive again", "handoffs", "duplicate", "packets"),
    "reordered": Quantity("Reordered packets", "the packets of a handoff out of order", "handoffs", "reordered", "packets"),
    "forwarded": Quantity("Forwarded packets", "the packets that the old router forwards", "handoffs", "forwarded", "packets"),
    "handoff_delay_max": Quantity("Longest delay in a handoff", "the longest delay in a handoff", "handoffs", "delay_max"),
    "flow_delay_mean": Quantity("Mean delay of a flow", "the mean delay of a flow", "flows", "delay_mean", of="flows"),
    "flow_delay_p99": Quantity("Delay of a flow, 99 %", "the 99th percentile of a flow", "flows", "delay_p99", of="flows"),
    "flow_gap_max": Quantity("Longest gap of a flow", "the longest time without a delivery", "flows", "gap_max", of="flows"),
    "flow_jitter_max": Quantity("Jitter of a flow", "the largest jitter (RFC 3550)", "flows", "jitter_max", of="flows"),
    "flow_loss_ratio": Quantity("Loss ratio of a flow", "the share of lost packets", "flows", "loss_ratio", "", "flows"),
    "flow_mos": Quantity("MOS of a flow", "the mean opinion score as a G.711 call", "flows", "mos", "", "flows"),
}  # fmt: skip
"""Quantities by name; the report shows the first three."""
_OF_HANDOFFS = ("interruption", "latency")
_Values = dict[str, tuple[Floats, Floats, int]]


def distribution_section(study: StudyData) -> Section:
    """Return the distributions of delays, of interruptions, and of the time without a registered link."""
    charts = [_delays(study), *(_of_handoffs(study, name) for name in _OF_HANDOFFS)]
    text = (
        "Each line shows the share of packets or handoffs that take longer than a time. The axis of shares is logarithmic: one "
        "line of the grid is a factor of ten. A name in the legend emphasises its line."
    )
    return Section("delays", "Delays and interruptions", text, tuple(c for c in charts if c is not None))


def distribution_spec(study: StudyData, name: str, tail: bool = True) -> Spec | None:
    """Return the chart of a distribution; None without a value.

    Parameters
    ----------
    study : StudyData
        With the table of the quantity.
    name : str
        A name of ``QUANTITIES``.
    tail : bool
        True: the share above each value, on logarithmic axes. False: the share up to each value, on linear axes.
    """
    quantity = QUANTITIES[name]
    return _spec_of(_known_values(study, quantity), quantity, tail)


def _spec_of(known: _Values, quantity: Quantity, tail: bool = True) -> Spec | None:
    data = []
    for procedure, (values, weights, _) in known.items():
        data += _line(show_name(procedure), exceedance(values, weights, tail), quantity, tail)
    if not data:
        return None
    return _tail_spec(data, quantity) if tail else _cumulative_spec(data, quantity)


def _known_values(study: StudyData, quantity: Quantity) -> _Values:
    """Return the known values of a quantity, the weight of each, and the number of all, for each procedure that has one."""
    known = {}
    for procedure in study.procedures:
        values, weights = _all_values(study, quantity, procedure)
        mask = np.isfinite(values)
        if mask.any():
            known[procedure] = values[mask], weights[mask], len(values)
    return known


def _all_values(study: StudyData, quantity: Quantity, procedure: str) -> tuple[Floats, Floats]:
    """Return the values of a quantity under a procedure, NaN where one is not known, and the weight of each."""
    if quantity.table == "handoffs" and quantity.unit == "ms" and study.handoffs is not None:
        values = study.handoffs.times_ms(procedure, quantity.column)
        return values, np.ones(len(values))
    table = study.table_of(quantity.table, procedure)
    if table is None:
        return np.zeros(0), np.zeros(0)
    if quantity.unit == "ms":
        values = times_ms(table, quantity.column)
    else:
        values = table[quantity.column].to_numpy().astype(np.float64)
    return values, table["packets"].to_numpy().astype(np.float64) if quantity.of == "packets" else np.ones(len(values))


def exceedance(values: Floats, weights: Floats, tail: bool = True) -> list[tuple[float, float]]:
    """Return points (value, share of the weight above that value), at most ``MAX_POINTS``, with ``tail`` dense in the tail."""
    order = np.argsort(values)
    x, above = values[order], weights[order].sum() - np.cumsum(weights[order])
    last = np.append(x[1:] != x[:-1], True)
    x, share = x[last], above[last] / weights.sum()
    if len(x) > MAX_POINTS:
        level = -np.log10(np.maximum(share, share[share > 0].min(initial=1.0) / 10)) if tail else 1 - share
        wanted = np.linspace(level[0], level[-1], MAX_POINTS)
        keep = np.unique(np.concatenate([[0], np.clip(np.searchsorted(level, wanted), 0, len(x) - 1)]))
        x, share = x[keep], share[keep]
    return list(zip(x.tolist(), share.tolist(), strict=True))


def _line(procedure: str, points: list[tuple[float, float]], quantity: Quantity, tail: bool) -> list[dict[str, object]]:
    if not tail:
        rows = [(points[0][0], 0.0), *((x, 1 - share) for x, share in points)]  # a step from 0 to the share of the least value
    else:
        least = 0.0 if quantity.table == "delays" else quantity.least
        rows = [(max(x, least), share) for x, share in points if share > 0]
    return [{"procedure": procedure, "t": x, "share": share} for x, share in rows]


def _delays(study: StudyData) -> Chart | None:
    values = _known_values(study, QUANTITIES["delay"])
    spec = _spec_of(values, QUANTITIES["delay"])
    if spec is None:
        return None
    rows = []
    for name, (upper, packets, _) in values.items():
        counts = np.cumsum(packets)
        cells = [show_ms(float(upper[np.searchsorted(counts, q * counts[-1])])) for q in _SHARES]
        rows.append((show_name(name), *cells, show_ms(float(upper[-1]))))
    known = [(t, show_name(r["procedure"])) for r in study.runs if (t := time_ms(r, "delay_p99")) is not None]
    sentence = "The delay of delivered packets, from sender to receiver."
    if known:
        least, most = min(known), max(known)
        sentence = f"99 % of the packets take no longer than {show_ms(least[0])} under {least[1]}"
        sentence += f" and {show_ms(most[0])} under {most[1]}." if len(known) > 1 else "."
    columns = ("Procedure", "50 % below", "90 %", "99 %", "99.9 %", "All below")
    return Chart("Delay of packets", sentence, TextTable(columns, tuple(rows)), (spec,))


def _of_handoffs(study: StudyData, name: str) -> Chart | None:
    quantity = QUANTITIES[name]
    values_of_procedures = _known_values(study, quantity)
    spec = _spec_of(values_of_procedures, quantity)
    if spec is None:
        return None
    rows, known = [], []
    for run, (values, _, handoffs) in values_of_procedures.items():
        procedure, positive = show_name(run), float((values > 0).sum() / handoffs)
        cells = quantiles(values, (*_SHARES, 1.0))
        rows.append((procedure, show_share(positive), *map(show_ms, cells)))
        known.append((cells[2] or 0.0, procedure, len(values)))
    least, most = min(known), max(known)
    sentence = f"99 % of {plural(least[2], 'handoff')} stay below {show_ms(least[0])} under {least[1]}"
    sentence += f" and {show_ms(most[0])} under {most[1]}" if len(known) > 1 else ""
    columns = ("Procedure", "Handoffs above 0", "50 % below", "90 %", "99 %", "99.9 %", "Longest")
    return Chart(quantity.title, f"{sentence}: {quantity.meaning}.", TextTable(columns, tuple(rows)), (spec,))


def _tail_spec(data: list[dict[str, object]], quantity: Quantity) -> Spec:
    x = quantity.label
    if quantity.table != "delays":  # no delay is 0
        least = f"{quantity.least:g}"
        x = f"{quantity.title.lower()} ({quantity.unit and quantity.unit + '; '}below {least} is at {least})"
    encoding = {
        "x": quantitative("t", x, scale={"type": "log", "nice": False}, axis={"tickCount": 6, "format": ",~r"}),
        "y": quantitative("share", f"share of {quantity.of} above", scale={"type": "log"}, axis={"format": "~%", "tickCount": 5}),
    }
    return _spec(data, encoding, quantity, "share above")


def _cumulative_spec(data: list[dict[str, object]], quantity: Quantity) -> Spec:
    y = quantitative("share", f"share of {quantity.of} up to", scale={"domain": [0, 1]}, axis={"format": "~%", "tickCount": 5})
    x = quantitative("t", quantity.label, scale={"zero": False}, axis={"tickCount": 6})
    return _spec(data, {"x": x, "y": y}, quantity, "share up to")


def _spec(data: list[dict[str, object]], axes: Spec, quantity: Quantity, share: str) -> Spec:
    names = list(dict.fromkeys(str(row["procedure"]) for row in data))
    encoding = {
        **axes,
        **line_colours(names),
        "tooltip": [{"field": "procedure", "type": "nominal"}, quantitative("t", quantity.unit or "value", format=".4~g"),
                    quantitative("share", share, format=".3~g")],
    }  # fmt: skip
    mark = {"type": "line", "interpolate": "step-after", "strokeWidth": 1.8, "clip": True}
    return chart(data, params=choice(), mark=mark, encoding=encoding, height=280)
