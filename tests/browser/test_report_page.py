"""Reports in a browser without network: no error, no request, readable on a phone, in the dark and on paper, accessible."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from handoff.cli.main import main
from tests.cli.test_hostile_names import NASTY, write_walk

pytestmark = pytest.mark.long  # a browser and whole studies

ROOT = Path(__file__).parents[2]
STUDIES = {
    "field": ["compare", "FIELD", "--procedures", "mipv4,sync-mipv6", "--series", "200ms"],
    "commute": ["compare", "examples/commute.toml", "--set", "duration=20s", "--ladders", "1"],
    "attack": ["run", "examples/attack.toml", "--procedure", "mipv4", "--set", "duration=20s", "--no-detail"],
}
FIELD = """
name = "field"
duration = "30s"
correspondent = [{name = "cn"}]
home_agent = {name = "ha", registration = "1ms"}
link = [{between = ["cn", "ha"], delay = "5ms"}]
traffic = [{interval = "40ms", size_bytes = 200}]
[routers]
names = ["ar0", "ar1", "ar2"]
wired_to = "ha"
wired = {delay = "5ms", rate = "10Mbit/s"}
neighbours = {delay = "2ms"}
cell = {delay = "5ms", rate = "10Mbit/s", shared = true}
[movement.random_waypoint]
mobiles = 12
width = "600m"
height = "300m"
slowest = "10m/s"
fastest = "25m/s"
pause = "0s"
[coverage]
minimum = "-105dBm"
positions_m = {ar0 = [0, 150], ar1 = [300, 150], ar2 = [600, 150]}
"""
"""Mobile nodes on a plane, which has a map."""
MAX_BYTES = 1_500_000
MARKUP = "</script><script>document.title='taken'</script><img src=x onerror=alert(1)>"
SERIOUS = ("serious", "critical")


def make(tmp_path: Path, words: list[str]) -> Path:
    path = tmp_path / "report.html"
    done = CliRunner().invoke(main, [*words, "--report", str(path)])
    assert done.exit_code == 0, done.output
    return path


def make_sweep(folder: Path) -> Path:
    (folder / "field.toml").write_text(FIELD)
    words = ["sweep", str(folder / "field.toml"), "--vary", "buffer=1,10", "--procedures", "mipv6,sync-mipv6", "--runs", "2"]
    done = CliRunner().invoke(main, [*words, "-o", str(folder / "out"), "--jobs", "1"])
    assert done.exit_code == 0, done.output
    path = folder / "sweep.html"
    done = CliRunner().invoke(main, ["report", str(folder / "out"), "-o", str(path), "--slo", "loss_ratio<=1%"])
    assert done.exit_code == 0, done.output
    return path


def make_diff(folder: Path) -> Path:
    (folder / "field.toml").write_text(FIELD)
    for side, loss in (("a", "0"), ("b", "0.02")):
        words = ["run", str(folder / "field.toml"), "--procedure", "mipv6", "--set", f"routers.cell.loss={loss}"]
        done = CliRunner().invoke(main, [*words, "-o", str(folder / side)])
        assert done.exit_code == 0, done.output
    path = folder / "diff.html"
    done = CliRunner().invoke(main, ["diff", str(folder / "a"), str(folder / "b"), "--report", str(path)])
    assert done.exit_code in (0, 3), done.output
    return path


@pytest.fixture(scope="module", params=[*STUDIES, "sweep", "diff"])
def report(request, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        folder = tmp_path_factory.mktemp(request.param)
        if request.param == "sweep":
            return make_sweep(folder)
        if request.param == "diff":
            return make_diff(folder)
        (folder / "field.toml").write_text(FIELD)
        words = [str(folder / "field.toml") if word == "FIELD" else word for word in STUDIES[request.param]]
        return make(folder, words)


def assert_clean(watched, path):
    assert watched.errors == []
    assert watched.requests[0] == path.as_uri()
    assert all(url.startswith("data:image/svg+xml") for url in watched.requests[1:])
    charts = watched.page.query_selector_all(".chart")
    assert charts
    assert all(chart.get_attribute("data-drawn") == "true" for chart in charts)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_a_report_opens_without_error_or_request(browser, report, width, scheme):
    assert report.stat().st_size < MAX_BYTES
    with browser.open(report, width, scheme) as watched:
        assert_clean(watched, report)
        assert watched.page.evaluate("document.documentElement.scrollWidth") <= width
        for chart in watched.page.query_selector_all(".chart svg"):
            assert chart.bounding_box()["height"] < 1200
        ink, paper = (watched.page.evaluate(f"getComputedStyle(document.body).{name}") for name in ("color", "backgroundColor"))
        assert (sum(_rgb(ink)) > sum(_rgb(paper))) == (scheme == "dark")


def _rgb(text):
    return [int(part) for part in text.removeprefix("rgb(").rstrip(")").split(",")]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_problem_of_accessibility(browser, report, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    with browser.open(report, scheme=scheme, lift_policy=True) as watched:
        for details in watched.page.query_selector_all("details"):
            details.evaluate("element => element.open = true")
        found = axe.Axe().run(watched.page).response["violations"]
        assert [(v["id"], [n["html"][:200] for n in v["nodes"][:3]]) for v in found if v["impact"] in SERIOUS] == []


def test_every_part_is_reached_by_keyboard(browser, report):
    with browser.open(report) as watched:
        page = watched.page
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        seen = set()
        for _ in range(400):
            page.keyboard.press("Tab")
            seen.add(page.evaluate("document.activeElement.tagName"))
        assert {"A", "SUMMARY", "DIV"} <= seen
        summary = page.query_selector("figure details:not([open]) summary")
        summary.focus()
        page.keyboard.press("Enter")
        assert summary.evaluate("element => element.parentElement.open")


def test_paper_has_all_tables_in_dark_ink(browser, report):
    with browser.open(report, scheme="dark") as watched:
        page = watched.page
        closed = len(page.query_selector_all("details:not([open])"))
        assert closed
        pdf = page.pdf(format="A4")
        assert pdf.startswith(b"%PDF")
        page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        page.emulate_media(media="print")
        assert page.query_selector_all("details:not([open])") == []
        assert sum(_rgb(page.evaluate("getComputedStyle(document.body).color"))) < 100
        page.evaluate("window.dispatchEvent(new Event('afterprint'))")
        assert len(page.query_selector_all("details:not([open])")) == closed


def test_a_name_in_the_legend_emphasises_a_line(browser, tmp_path):
    (tmp_path / "field.toml").write_text(FIELD)
    path = make(tmp_path, ["compare", str(tmp_path / "field.toml"), "--procedures", "mipv4,sync-mipv6"])
    with browser.open(path) as watched:
        chart = watched.page.query_selector("#delays .chart")
        before = [line.get_attribute("opacity") for line in chart.query_selector_all(".mark-line path")]
        chart.query_selector(".role-legend-label text").click()
        watched.page.wait_for_timeout(300)
        after = [line.get_attribute("opacity") for line in chart.query_selector_all(".mark-line path")]
        assert before != after
        assert watched.errors == []


@pytest.mark.parametrize("name", [NASTY, MARKUP, "\u202e" + "x" * 10_000])
def test_hostile_names_are_inert(browser, tmp_path, name):
    scenario = write_walk(tmp_path, name)
    path = make(tmp_path, ["compare", str(scenario), "--procedures", "mipv4,sync-mipv4", "--ladders", "1"])
    assert path.stat().st_size < MAX_BYTES
    with browser.open(path) as watched:
        assert_clean(watched, path)
        assert watched.page.title() == "walk · Handoff report"
        assert watched.page.evaluate("document.documentElement.scrollWidth") <= 1280
