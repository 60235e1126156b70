"""The page of a report: policy, escapes, vendored files."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from handoff.output.report.contents import Chart, Drawing, KeyFigure, Report, Section, TextTable
from handoff.output.report.page import page_script, render_page, vendored_files
from handoff.output.report.specs import chart
from handoff.output.report.study_report import study_report
from handoff.output.report.wording import MAX_NAME, show_name
from tests.unit.output.report.small_study import small_tables, with_cells

NASTY = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&<!--{{7*7}}\x1b[31m\u202e\u2028]]>"


class Elements(HTMLParser):
    """Elements of a page, with their attributes and texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open = ""
        self.feed(page.replace(page_script(), ""))

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        self._open = tag

    def handle_data(self, data):
        self.texts.setdefault(self._open, []).append(data)

    def names(self):
        return [tag for tag, _ in self.found]


def nasty_report() -> Report:
    table = TextTable((NASTY, NASTY), ((NASTY, NASTY),), (NASTY,))
    spec = chart([{"name": NASTY, "value": 1.0}], mark="bar", encoding={"y": {"field": "name", "title": NASTY}})
    section = Section("key", NASTY, NASTY, (Chart(NASTY, NASTY, table, (spec,)),), drawings=(Drawing(NASTY, NASTY, NASTY),))
    return Report(NASTY, NASTY, (NASTY, NASTY), (KeyFigure(NASTY, NASTY, NASTY),), (section,), NASTY, NASTY)


def assert_inert_and_short(text: str) -> None:
    """Check that a page with ``NASTY`` and 10,000 ``x`` in its names has its own script only, no image, and no long name."""
    page = Elements(text)
    assert len([a for tag, a in page.found if tag == "script" and a.get("type") != "application/json"]) == 1
    assert "img" not in page.names()
    assert not any(name.startswith("on") for _, attributes in page.found for name in attributes)
    assert "x" * 1000 not in text


def test_foreign_text_adds_no_element_and_no_attribute():
    figure = Chart("c", "s", TextTable(("a", "b"), (("1", "2"),), ("b",)), (chart([{"name": "n", "value": 1.0}], mark="bar"),))
    section = Section("key", "t", "x", (figure,), drawings=(Drawing("t", "s", "x"),))
    plain = Report("t", "s", ("a", "b"), (KeyFigure("n", "v", "r"),), (section,), "c", "s")
    nasty, harmless = (Elements(render_page(r)) for r in (nasty_report(), plain))
    assert [(tag, sorted(attributes)) for tag, attributes in nasty.found if tag != "td"] == [
        (tag, sorted(attributes)) for tag, attributes in harmless.found if tag != "td"
    ]
    assert "img" in nasty.names(), "the drawing"
    assert NASTY.split("\x1b")[0] in "".join(nasty.texts["p"]), "the text itself is there"
    assert "49" not in "".join(nasty.texts["p"]), "no template in a name is evaluated"


def test_the_policy_allows_the_script_and_the_style_of_the_page_and_nothing_else():
    text = render_page(study_report(small_tables()))
    page = Elements(text)
    (policy,) = (a["content"] for tag, a in page.found if tag == "meta" and a.get("http-equiv") == "Content-Security-Policy")
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    style = text.partition("<style>")[2].partition("</style>")[0]
    assert rules == {
        "default-src": "'none'", "script-src": _digest(page_script()), "style-src": _digest(style),
        "style-src-attr": "'unsafe-inline'", "img-src": "data:", "base-uri": "'none'", "form-action": "'none'",
    }  # fmt: skip
    scripts = [a for tag, a in page.found if tag == "script"]
    assert [a for a in scripts if a.get("type") != "application/json"] == [{}], "one script, without a source"
    assert not any(name.startswith("on") for _, attributes in page.found for name in attributes)


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_no_element_has_an_address_outside_the_page():
    page = Elements(render_page(study_report(small_tables())))
    addresses = [a[name] for _, a in page.found for name in ("src", "href", "action", "data", "poster") if a.get(name)]
    assert addresses
    assert all(address.startswith(("#", "data:image/svg+xml;base64,")) for address in addresses)
    assert {"link", "iframe", "object", "embed", "base", "form"}.isdisjoint(page.names())


def test_hostile_names_of_a_study_are_inert_and_short():
    tables = small_tables()
    name = NASTY + "x" * 10_000
    named = (("runs", "procedure"), ("handoffs", "mobile"), ("nodes", "node"), ("links", "link"), ("handoffs", "old_router"))
    for table, column in named:
        count = tables[table].num_rows
        tables = with_cells(tables, table, **{column: [name] * count})
    for table in ("handoffs", "nodes", "links", "delays", "packets_around"):
        tables = with_cells(tables, table, procedure=[name] * tables[table].num_rows)
    text = render_page(study_report(tables))
    page = Elements(text)
    assert len([a for tag, a in page.found if tag == "script" and a.get("type") != "application/json"]) == 1
    assert [tag for tag, a in page.found if tag == "img"] == []
    assert "x" * 1000 not in text
    assert re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2028]", text.replace(page_script(), "")) is None


def test_names_are_shortened_in_the_middle():
    assert show_name("a" * MAX_NAME) == "a" * MAX_NAME
    assert show_name("b" + "a" * MAX_NAME + "c") == "b" + "a" * 29 + "…" + "a" * 28 + "c"
    assert len(show_name("\u202e" * 10_000)) == MAX_NAME


@pytest.mark.parametrize("entry", vendored_files(), ids=lambda entry: entry["name"])
def test_vendored_files_are_the_published_ones(entry):
    folder = files("handoff.output.report") / "vega"
    assert hashlib.sha256((folder / entry["name"]).read_bytes()).hexdigest() == entry["sha256"]
    licences = (folder / "LICENSES.txt").read_text()
    assert f"{entry['package']} {entry['version']} (BSD-3-Clause)" in licences
    assert "Redistribution and use in source and binary forms" in licences


def test_the_script_names_no_source_map_and_closes_no_element():
    script = page_script()
    assert "sourceMappingURL" not in script
    assert re.search("</script|<!--", script, re.I) is None


def test_a_page_without_charts_has_no_script():
    table = Chart("t", "s.", TextTable(("a",), (("1",),)))
    page = render_page(Report("t", "", ("v",), (), (Section("k", "t", "", (table,)),)))
    assert len(page) < 20_000
    assert "<script" not in page
