"""Vega-Lite specifications that several sections of a report use. A specification is a plain dict and contains its data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from handoff.output.report.contents import Spec

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
"""Name of the language of the specifications. Nothing reads this address."""
ACCENT, MUTED, BAD, WARM = "#2f7fd6", "#8a97a5", "#d1495b", "#b9770e"
"""Colours with a contrast of at least 3:1 to the light and to the dark background."""
PALETTE = (
    "#2f7fd6", "#d1495b", "#2e9b6e", "#b9770e", "#8e63ce", "#0e97a7", "#c2559d", "#7a8b23", "#6a7fa0", "#c4622d",
)  # fmt: skip
"""Colours of lines, with dashes from the eleventh on."""
_DASHES = ([1, 0], [5, 3], [2, 2])
ROW_HEIGHT = 18
_LETTER_WIDTH = 6.5
"""Mean width of a letter in a legend, in pixels."""
FIT_WIDTH = {"type": "fit-x", "contains": "padding"}


def chart(data: Sequence[Mapping[str, Any]], **parts: Any) -> Spec:
    """Return a specification with its data. Values that are not finite become null."""
    values = [{name: _finite(value) for name, value in row.items()} for row in data]
    return {"$schema": SCHEMA, "data": {"values": values}, "width": "container", "autosize": FIT_WIDTH, **parts}


def quantitative(field: str, title: str | None, **more: Any) -> Spec:
    """Return the encoding of a number."""
    return {"field": field, "type": "quantitative", "title": title, **more}


def nominal(field: str, title: str | None, **more: Any) -> Spec:
    """Return the encoding of a name, in the order of the data."""
    return {"field": field, "type": "nominal", "title": title, "sort": None, **more}


def word(field: str, title: str) -> Spec:
    """Return the encoding of a name in a tooltip, which has no order."""
    return {"field": field, "type": "nominal", "title": title}


def symlog(constant: float = 1) -> Spec:
    """Return a scale that is linear near zero and logarithmic beyond a constant."""
    return {"type": "symlog", "constant": constant}


def line_colours(names: Sequence[str], field: str = "procedure") -> Spec:
    """Return the encodings of lines that differ by colour, and by dashes if there are more lines than colours."""
    colours = [PALETTE[i % len(PALETTE)] for i in range(len(names))]
    dashes = [_DASHES[i // len(PALETTE) % len(_DASHES)] for i in range(len(names))]
    names = list(names)
    column = 50 + _LETTER_WIDTH * max(map(len, names), default=0)
    legend = {"orient": "bottom", "columns": {"expr": f"max(1, floor(width / {column:.0f}))"}, "symbolType": "stroke",
              "title": None, "labelLimit": {"expr": "max(150, width - 30)"}}  # fmt: skip
    return {
        "color": nominal(field, None, scale={"domain": names, "range": colours}, legend=legend),
        "strokeDash": nominal(field, None, scale={"domain": names, "range": dashes}, legend=legend),
        "opacity": {"condition": {"param": "chosen", "value": 1, "empty": True}, "value": 0.15},
    }


def choice(field: str = "procedure", view: str | None = None) -> list[Spec]:
    """Return the parameter that emphasises a line by a click on its name in the legend; ``view`` names the layer of the lines."""
    views = {} if view is None else {"views": [view]}
    return [{"name": "chosen", "select": {"type": "point", "fields": [field]}, "bind": "legend", **views}]


def heat_map(data: Sequence[Mapping[str, Any]], x: Spec, y: Spec, value: Spec) -> Spec:
    """Return a map of rectangles whose opacity shows a value; empty rectangles have no value. Both axes have a domain."""
    rows = len(y["scale"]["domain"])
    opacity = {name: part for name, part in value.items() if name != "format"}
    legend = {"orient": "bottom", "tickCount": 4, "symbolFillColor": ACCENT}
    if "format" in value:
        legend["format"] = value["format"]
    encoding = {
        "x": {**x, "axis": {"labelAngle": -90, "labelLimit": 110, "orient": "bottom"}},
        "y": {**y, "axis": {"labelLimit": 150}},
        "opacity": {**opacity, "scale": {"range": [0.04, 1], "zero": True}, "legend": legend},
        "tooltip": [{k: e[k] for k in ("field", "type", "title", "format") if k in e} for e in (x, y, value)],
    }  # fmt: skip
    mark = {"type": "rect", "color": ACCENT, "stroke": "#7f8c9933", "strokeWidth": 1}
    return chart(data, mark=mark, encoding=encoding, height=rows * ROW_HEIGHT)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return value
