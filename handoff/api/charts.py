"""Charts of the Python interface: the specifications of the reports as altair charts."""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from handoff.output.printable import printable
from handoff.output.report.contents import Spec
from handoff.scenario.errors import HandoffError

if TYPE_CHECKING:
    import altair

WIDTH = 600
"""Width of a chart without axes, in pixels."""
_HEIGHTS = (160.0, 900.0)
_CONFIG = {"view": {"stroke": None}, "axis": {"titleFontWeight": 500}, "legend": {"symbolSize": 80, "symbolOpacity": 1}}
_OPENING = re.compile(r"<(?=[!/?]|script)", re.IGNORECASE)


def make_chart(spec: Spec, title: str, sentence: str = "") -> altair.Chart:
    """Return a specification of a report as an altair chart.

    Names are inert: they occur only as data and as titles, which Vega does not evaluate. Where one looks like markup, ``‹`` takes
    the place of ``<``, since altair writes a chart into a script element of a notebook.

    Parameters
    ----------
    spec : dict
        Vega-Lite specification.
    title : str
        Title of the chart.
    sentence : str
        What the chart shows, for readers of the SVG who do not see it.

    Raises
    ------
    HandoffError
        If altair or vl-convert is not installed.
    """
    _require_packages()
    import altair

    parts = {name: part for name, part in spec.items() if name not in ("autosize", "usermeta")}
    if "usermeta" in spec:  # a map: as many metres a pixel in both directions
        least, most = _HEIGHTS
        parts["height"] = min(most, max(least, WIDTH * spec["usermeta"]["aspect"]))
    parts |= {"width": WIDTH, "title": {"text": title, "anchor": "start"}, "config": _CONFIG}
    if sentence:
        parts["description"] = sentence
    return altair.Chart.from_dict(_inert(parts))


def _require_packages() -> None:
    missing = [package for package, module in (("altair", "altair"), ("vl-convert-python", "vl_convert")) if not _exists(module)]
    if missing:
        raise HandoffError(f"plots need {' and '.join(missing)}: pip install 'handoff-sim[plots]'")


def _exists(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _inert(value: Any) -> Any:
    """Return a copy in which every text is printable and contains nothing that ends or begins a script element."""
    if isinstance(value, str):
        return _OPENING.sub("‹", printable(value))
    if isinstance(value, dict):
        return {name: _inert(item) for name, item in value.items()}
    return [_inert(item) for item in value] if isinstance(value, list | tuple) else value


__all__ = ["make_chart"]
