"""Frame of the pages of ``handoff view``: header, links to the report and to the lists, style, and the policy of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment

from handoff.output.html_page import content_policy, make_environment, read_part
from handoff.output.report.page import image_address, page_style
from handoff.output.report.wording import show_name

_PACKAGE = "handoff.output.view"
Link = tuple[str, str]
"""Name and address of a page; the address is empty where there is none."""


@dataclass(frozen=True)
class ViewPage:
    """Page: HTML and its content security policy."""

    html: str
    policy: str


def list_address(procedure: str, **more: str) -> str:
    """Return the address of the list of handoffs of a procedure; ``more`` has parameters of the list that are not empty."""
    return _address("/handoffs", {"procedure": procedure} | more)


def handoff_address(row: int, **more: str) -> str:
    """Return the address of the page of a handoff, by the number of its row."""
    return _address("/handoff", {"row": str(row)} | more)


def diagram_address(row: int) -> str:
    """Return the address of the interactive ladder of a handoff."""
    return _address("/ladder", {"row": str(row)})


def list_links(procedures: Sequence[str]) -> tuple[Link, ...]:
    """Return links to the lists of handoffs of procedures."""
    return tuple((show_name(name), list_address(name)) for name in procedures)


def render_frame(template: str, procedures: Sequence[str], title: str, subtitle: str, **parts: Any) -> ViewPage:
    """Return a page with the parts that its template names; ``procedures`` are those with a list of handoffs."""
    script, style = read_part(_PACKAGE, "view.js"), page_style() + read_part(_PACKAGE, "view.css")
    policy = content_policy(script, style)
    html = _environment().get_template(template).render(
        title=title, subtitle=subtitle, lists=list_links(procedures), script=script, style=style, policy=policy, **parts
    )  # fmt: skip
    return ViewPage(html, policy)


def _address(path: str, parameters: Mapping[str, str]) -> str:
    return f"{path}?{urlencode({name: value for name, value in parameters.items() if value}, quote_via=quote, safe='')}"


@cache
def _environment() -> Environment:
    environment = make_environment(_PACKAGE)
    environment.filters["image"] = image_address
    return environment
