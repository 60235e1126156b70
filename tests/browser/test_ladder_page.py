"""The interactive ladder in a browser without network: zoom, details, packets, nodes, neighbouring handoffs."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner

from handoff.cli.main import main
from tests.cli.test_hostile_names import NASTY, write_walk

pytestmark = pytest.mark.long  # a browser

ROOT = Path(__file__).parents[2]
LADDER = ["--procedure", "sync-mipv6-ro", "--set", "duration=100s", "--mn", "7", "--handoff", "2"]


@pytest.fixture(scope="module")
def ladder(tmp_path_factory):
    path = tmp_path_factory.mktemp("ladder") / "one.html"
    done = CliRunner().invoke(main, ["ladder", str(ROOT / "examples" / "commute.toml"), *LADDER, "-o", str(path)])
    assert done.exit_code == 0, done.output
    return path


@pytest.fixture
def page(browser, ladder):
    with browser.open(ladder) as watched:
        yield watched.page
        assert watched.errors == []
        assert watched.requests == [ladder.as_uri()]


def count(page, selector):
    return len(page.query_selector_all(selector))


def test_hover_and_focus_show_the_fields_of_a_message(page):
    messages = page.query_selector_all(".message")
    messages[0].focus()
    shown = page.inner_text("#details")
    assert "BU1" in shown
    for name in ("from", "to", "sent", "arrival", "size", "identification", "phase"):
        assert name in shown
    messages[2].query_selector(".hit").hover(force=True)
    assert page.inner_text("#details") != shown


def test_previous_and_next_handoff(page):
    assert "handoff 2 of mn7" in page.inner_text("#title")
    page.click("#next")
    assert "handoff 3 of mn7" in page.inner_text("#title")
    page.keyboard.press("ArrowLeft")
    page.click("#previous")
    page.click("#previous")
    assert "handoff 0 of mn7" in page.inner_text("#title")
    assert page.is_disabled("#previous")


def test_zoom_scale_packets_and_nodes_change_the_drawing(page):
    height = page.query_selector("#diagram svg").bounding_box()["height"]
    page.click("#in")
    assert page.query_selector("#diagram svg").bounding_box()["height"] > 1.2 * height
    page.click("#fit")
    assert page.query_selector("#diagram svg").bounding_box()["height"] == height
    page.check("#scale")
    assert page.query_selector("#diagram svg").bounding_box()["height"] != height
    page.uncheck("#packets")
    assert count(page, ".packet") == 0
    before = count(page, ".message")
    page.click("#nodes label:has-text('CN')")
    assert 0 < count(page, ".message") < before
    assert count(page, ".column") == 4


def test_packets_are_fine_lines(browser, tmp_path):
    scenario = write_walk(tmp_path, "mn0")
    path = tmp_path / "walk.html"
    words = ["ladder", str(scenario), "--procedure", "mipv4-smooth", "--mn", "0", "--handoff", "0", "--format", "html"]
    assert CliRunner().invoke(main, [*words, "-o", str(path)]).exit_code == 0
    with browser.open(path) as watched:
        assert count(watched.page, ".packet") > 10
        assert watched.errors == []


def heights_by_column(page):
    """Return the heights of both ends of the lines of packets, by the columns at their ends and the direction."""
    found = {}
    for line in page.query_selector_all("line.packet"):
        kind, x1, x2, *ends = map(line.get_attribute, ("class", "x1", "x2", "y1", "y2"))
        found.setdefault((kind, x1, x2), []).append(tuple(map(float, ends)))
    return found


def test_a_crowd_of_packets_is_thinned_and_counted(browser, tmp_path):
    """A packet each ms: no two lines between the same columns are closer than 4 pixels at both ends; zoom makes room for more."""
    scenario = write_walk(tmp_path, "mn0")
    path = tmp_path / "walk.html"
    words = ["ladder", str(scenario), "--procedure", "mipv4-smooth", "--mn", "0", "--handoff", "0", "--format", "html"]
    assert CliRunner().invoke(main, [*words, "--set", "packet_interval=1ms", "-o", str(path)]).exit_code == 0
    with browser.open(path) as watched:
        page = watched.page
        shown = []
        for _ in range(3):
            lines = heights_by_column(page)
            assert lines
            for ends in lines.values():
                assert all(max(abs(a[0] - b[0]), abs(a[1] - b[1])) >= 4 for a, b in pairwise(ends))
            drawn, count = map(int, re.search(r"\((\d+) of (\d+) packets are drawn", page.inner_text("#count")).groups())
            assert max(map(len, lines.values())) <= drawn < count
            shown.append(drawn)
            page.click("#in")
        assert shown == sorted(set(shown))
        page.uncheck("#packets")
        assert page.inner_text("#count") == ""
        assert watched.errors == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_size_and_accessibility(browser, ladder, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    with browser.open(ladder, width, scheme, lift_policy=True) as watched:
        assert watched.page.evaluate("document.documentElement.scrollWidth") <= width
        found = axe.Axe().run(watched.page).response["violations"]
        serious = [v for v in found if v["impact"] in ("serious", "critical")]
        assert [(v["id"], [n["html"][:200] for n in v["nodes"][:3]]) for v in serious] == []


def test_hostile_names_are_inert(browser, tmp_path):
    scenario = write_walk(tmp_path, NASTY)
    path = tmp_path / "walk.html"
    words = ["ladder", str(scenario), "--procedure", "mipv4", "--mn", "0", "--handoff", "0", "-o", str(path)]
    assert CliRunner().invoke(main, words).exit_code == 0
    with browser.open(path) as watched:
        assert watched.errors == []
        assert "[red]" in watched.page.inner_text("#title")
