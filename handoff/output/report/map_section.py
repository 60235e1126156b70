"""Section of the map: routers, cells, tracks, handoffs and lost packets, in metres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc

from handoff.output.report.contents import Chart, Section, Spec, TextTable
from handoff.output.report.specs import ACCENT, BAD, MUTED, WARM, chart, quantitative
from handoff.output.report.study_data import Floats, Row, StudyData
from handoff.output.report.wording import plural, show_count, show_name

_CELLS = 48
"""Squares along the longer side of the map, in which handoffs are counted."""
_CIRCLE = 40
MAX_ROUTERS = 200
"""Routers of the map; of more, those with the most handoffs."""

_Counts = dict[str, tuple[int, float]]


@dataclass(frozen=True)
class MapData:
    """Positions in metres.

    Attributes
    ----------
    routers : sequence of (str, float, float)
        Name, x and y.
    reach_m : float
        Radius of a cell without shadowing.
    tracks : sequence of (ndarray, ndarray)
        x and y of some mobile nodes.
    handoff_x, handoff_y : ndarray of float
        Position of the mobile node at each row of the table of handoffs.
    """

    routers: Sequence[tuple[str, float, float]]
    reach_m: float
    tracks: Sequence[tuple[Floats, Floats]]
    handoff_x: Floats
    handoff_y: Floats


def map_section(study: StudyData, places: MapData | None) -> Section | None:
    """Return the map, with the losses of the procedure that loses the most; None without positions or handoffs."""
    if places is None or "handoffs" not in study.tables or not study.tables["handoffs"].num_rows:
        return None
    worst = max(study.runs, key=lambda row: row["lost"])
    spec, routers, counts = _draw(study, places, worst["procedure"])
    handoffs = int(pc.equal(study.tables["handoffs"]["procedure"], worst["procedure"]).to_numpy().sum())
    rows = tuple(
        (show_name(name), f"{px:,.0f}", f"{py:,.0f}", show_count(counts[name][0]), show_count(counts[name][1]))
        for name, px, py in routers[:40]
    )
    busiest = routers[0][0]
    sentence = f"Most handoffs leave {show_name(busiest)}: {plural(counts[busiest][0], 'handoff')} of {handoffs:,}. "
    sentence += _loss_sentence(worst, counts, study)
    columns = ("Router", "x (m)", "y (m)", "Handoffs from it", f"Lost under {show_name(worst['procedure'])}")
    text = (
        f"Squares: handoffs, dark where there are many. Circles: lost packets in handoffs under {show_name(worst['procedure'])}. "
        "Triangles: routers, with the reach of their cells without shadowing. Lines: tracks of some mobile nodes."
    )
    return Section("map", "Map", text, (Chart("Where handoffs happen", sentence, TextTable(columns, rows), (spec,)),))


def map_spec(study: StudyData, places: MapData, procedure: str) -> Spec:
    """Return the map with the handoffs and losses of a procedure."""
    return _draw(study, places, procedure)[0]


def _draw(study: StudyData, places: MapData, procedure: str) -> tuple[Spec, list[tuple[str, float, float]], _Counts]:
    """Return the map, its routers, those with the most handoffs first, and the handoffs and losses from each router."""
    table = study.tables["handoffs"]
    mask = pc.equal(table["procedure"], procedure).to_numpy()
    old = np.array(table["old_router"].to_pylist(), object)[mask]
    lost = pc.coalesce(table["lost"], table["dropped"]).to_numpy().astype(np.float64)[mask]
    x, y = places.handoff_x[mask], places.handoff_y[mask]
    names, router = np.unique(old, return_inverse=True)
    of_router = dict(zip(names.tolist(), zip(np.bincount(router), np.bincount(router, weights=lost), strict=True), strict=True))
    counts = {name: (int(n), float(k)) for name, _, _ in places.routers for n, k in [of_router.get(name, (0, 0.0))]}
    routers = sorted(places.routers, key=lambda router: -counts[router[0]][0])[:MAX_ROUTERS]
    squares, size = _squares(x, y, lost, places)
    return _spec(routers, counts, squares, size, places), routers, counts


def _loss_sentence(worst: Row, counts: _Counts, study: StudyData) -> str:
    name, (_, lost) = max(counts.items(), key=lambda item: item[1][1])
    if not lost:
        return f"No handoff lost a packet, even under {show_name(worst['procedure'])}."
    return f"Under {show_name(worst['procedure'])}, those from {show_name(name)} lose the most packets: {show_count(lost)}."


def _squares(x: Floats, y: Floats, lost: Floats, places: MapData) -> tuple[list[dict[str, Any]], float]:
    """Return the squares in which handoffs happen, and their side in metres."""
    xs, ys = ([*values, *(router[i] for router in places.routers)] for values, i in ((x, 1), (y, 2)))
    size = max(max(xs) - min(xs), max(ys) - min(ys), 1.0) / _CELLS
    keys, inverse = np.unique(np.floor(np.stack([x, y]) / size).astype(np.int64), axis=1, return_inverse=True)
    inverse = inverse.reshape(-1)
    handoffs, losses = np.bincount(inverse), np.bincount(inverse, weights=lost)
    return [
        {"x": float(i * size), "y": float(j * size), "u": float((i + 1) * size), "v": float((j + 1) * size),
         "cx": float((i + 0.5) * size), "cy": float((j + 0.5) * size), "handoffs": int(n), "lost": float(k)}
        for (i, j), n, k in zip(keys.T.tolist(), handoffs, losses, strict=True)
    ], size  # fmt: skip


def _spec(
    routers: Sequence[tuple[str, float, float]], counts: _Counts, squares: list[dict[str, Any]], size: float,
    places: MapData,
) -> dict[str, Any]:  # fmt: skip
    xs = [r[1] for r in routers] + [s["x"] for s in squares] + [s["u"] for s in squares]
    ys = [r[2] for r in routers] + [s["y"] for s in squares] + [s["v"] for s in squares]
    x_domain, y_domain = ([min(v) - 2 * size, max(v) + 2 * size] for v in (xs, ys))
    x = {"type": "quantitative", "title": "x (m)", "scale": {"domain": x_domain, "nice": False}}
    y = {"type": "quantitative", "title": "y (m)", "scale": {"domain": y_domain, "nice": False}}
    tracks = [
        {"track": i, "k": k, "x": round(float(a), 1), "y": round(float(b), 1)}
        for i, (tx, ty) in enumerate(places.tracks)
        for k, (a, b) in enumerate(zip(tx, ty, strict=True))
    ]
    angles = np.linspace(0, 2 * np.pi, _CIRCLE)
    circles = [
        {"router": i, "k": k, "x": px + places.reach_m * float(np.cos(a)), "y": py + places.reach_m * float(np.sin(a))}
        for i, (_, px, py) in enumerate(routers[:60])
        for k, a in enumerate(angles)
    ]
    points = [
        {"name": show_name(name), "x": px, "y": py, "handoffs": counts[name][0], "lost": counts[name][1]}
        for name, px, py in routers
    ]
    legend = {"orient": "bottom", "tickCount": 3}
    tooltip = [quantitative("handoffs", "handoffs"), quantitative("lost", "lost packets")]

    def layer(data: Sequence[dict[str, Any]], mark: dict[str, Any], **encoding: Any) -> dict[str, Any]:
        return {"data": {"values": list(data)}, "mark": {"clip": True, **mark}, "encoding": {
            "x": {**x, "field": "x"}, "y": {**y, "field": "y"}, **encoding}}  # fmt: skip

    order = {"field": "k", "type": "quantitative"}
    losses = [{**s, "x": s["cx"], "y": s["cy"]} for s in squares if s["lost"]]
    layers = [
        layer(tracks, {"type": "line", "color": MUTED, "strokeWidth": 0.8, "opacity": 0.35},
              detail={"field": "track", "type": "nominal"}, order=order),
        layer(circles, {"type": "line", "color": ACCENT, "strokeWidth": 1, "strokeDash": [3, 3], "opacity": 0.5},
              detail={"field": "router", "type": "nominal"}, order=order),
        layer(squares, {"type": "rect", "color": ACCENT}, x2={"field": "u"}, y2={"field": "v"}, tooltip=tooltip,
              opacity=quantitative("handoffs", "handoffs", scale={"range": [0.2, 1]}, legend=legend)),
        layer(losses, {"type": "point", "color": BAD, "strokeWidth": 2}, tooltip=tooltip,
              size=quantitative("lost", "lost packets", scale={"range": [30, 500]}, legend=legend)),
        layer(points, {"type": "point", "shape": "triangle-up", "filled": True, "size": 110, "color": WARM, "opacity": 1},
              tooltip=[{"field": "name", "type": "nominal", "title": "router"}, *tooltip]),
        layer(points, {"type": "text", "dy": -12, "fontSize": 11}, text={"field": "name", "type": "nominal"}),
    ]  # fmt: skip
    aspect = (y_domain[1] - y_domain[0]) / (x_domain[1] - x_domain[0])
    return chart([], layer=layers, height=420, usermeta={"aspect": round(aspect, 4)})
