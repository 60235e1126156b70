"""The page of a report: one HTML file with its charts, style and script, which may request nothing."""

from __future__ import annotations

import base64
import json
import string
import tomllib
from functools import cache
from typing import Any

from jinja2 import Environment

from handoff.output.html_page import COMPACT, content_policy, make_environment, read_part
from handoff.output.printable import printable
from handoff.output.report.contents import Report, Spec

_PACKAGE = "handoff.output.report"
_LINES = "\n\t"
DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase + "-_"
"""Digits of the base 64 in packed columns, as in ``page.js``."""
MAX_TEXT = 100_000
"""Characters of a scenario that a page shows."""


def render_page(report: Report) -> str:
    """Return a report as HTML. Its policy allows only its own script and style (``handoff.output.html_page``)."""
    script, style = page_script(), page_style()
    has_charts = any(chart.specs for section in report.sections for chart in section.charts)
    return _environment().get_template("page.html.j2").render(
        report=report, script=script if has_charts else "", style=style, policy=page_policy(),
        scenario=printable(report.scenario[:MAX_TEXT], _LINES), command=printable(report.command),
    )  # fmt: skip


def page_style() -> str:
    """Return the style of the page."""
    return _read("page.css")


def page_policy() -> str:
    """Return the content security policy of the page."""
    return content_policy(page_script(), page_style())


def pack_spec(spec: Spec) -> Spec:
    """Return a specification with shorter data, which ``page.js`` unpacks: columns instead of rows, repeated values once."""
    packed = dict(spec)
    if "values" in packed.get("data", ()):
        rows = packed["data"]["values"]
        names = list(dict.fromkeys(name for row in rows for name in row))
        packed["data"] = {"names": names, "columns": [_pack_column([row.get(name) for row in rows]) for name in names]}
    if "layer" in packed:
        packed["layer"] = list(map(pack_spec, packed["layer"]))
    return packed


def _pack_column(column: list[Any]) -> list[Any] | dict[str, Any]:
    """Return a column, or its distinct values and the index of each element among them, whichever is shorter as JSON.

    An index has one digit to the base 64, or two if there are more than 64 values.
    """
    column = [_shorten(value) for value in column]
    distinct = {repr(value): value for value in column}
    if len(distinct) > len(DIGITS) ** 2:
        return column
    code = {text: _write_index(place, len(distinct) > len(DIGITS)) for place, text in enumerate(distinct)}
    packed = {"values": list(distinct.values()), "index": "".join(code[repr(value)] for value in column)}
    sizes = [len(json.dumps(found, separators=COMPACT)) for found in (packed, column)]
    return packed if sizes[0] < sizes[1] else column


def _write_index(place: int, has_two_digits: bool) -> str:
    high, low = divmod(place, len(DIGITS))
    return DIGITS[high] + DIGITS[low] if has_two_digits else DIGITS[low]


def _shorten(value: Any) -> Any:
    """Return a whole number as an integer, and another one with seven significant digits, more than a chart can show."""
    if not isinstance(value, float):
        return value
    return int(value) if value.is_integer() else float(f"{value:.7g}")


@cache
def page_script() -> str:
    """Return the script of the page: the vendored bundle, and what draws the charts with it."""
    interpreter = _without_source_map(_read("vega/vega-interpreter.js"))
    # The published module imports from vega-util, which the bundle of vega contains.
    interpreter = _replace_once(interpreter, "} from 'vega-util';", "} = vega;").replace("import {", "const {", 1)
    interpreter = _replace_once(interpreter, "export { expression as expressionInterpreter };", "return expression;")
    bundle = "\n".join(_without_source_map(_read(f"vega/{name}")) for name in ("vega.min.js", "vega-lite.min.js"))
    return f"{bundle}\nconst expressionInterpreter = (() => {{\n{interpreter}\n}})();\n{_read('page.js')}"


def image_address(svg: str) -> str:
    """Return the address of an SVG document as an image inside the page."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


def vendored_files() -> list[dict[str, str]]:
    """Return the vendored files with package, version and checksum (``vega/packages.toml``)."""
    entries: list[dict[str, str]] = tomllib.loads(_read("vega/packages.toml"))["file"]
    return entries


def _read(name: str) -> str:
    return read_part(_PACKAGE, name)


@cache
def _environment() -> Environment:
    environment = make_environment(_PACKAGE)
    environment.filters["pack"] = pack_spec
    environment.filters["image"] = image_address
    return environment


def _without_source_map(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.startswith("//# sourceMappingURL="))


def _replace_once(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1, f"the vendored file is not the expected one: {old!r}"
    return text.replace(old, new)


