"""Reports of every example open without error or request, say what their tables say, and are readable by everybody."""

from __future__ import annotations

import pytest

from tests.browser.example_studies import CARS, CUTS, KINDS, ROOT, make_reports
from tests.browser.test_report_page import MAX_BYTES, SERIOUS, assert_clean
from tests.browser.verdict_checks import CHECKS

pytestmark = pytest.mark.long  # a browser and whole studies


@pytest.fixture(scope="module", params=sorted(CUTS))
def reports(request, tmp_path_factory):
    if request.param == "bologna" and not CARS.exists():
        pytest.skip(f"no file {CARS}")
    return make_reports(request.param, tmp_path_factory.mktemp(request.param))


def test_every_example_has_its_reports():
    assert sorted(CUTS) == sorted(path.stem for path in (ROOT / "examples").glob("*.toml"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_is_clean_and_says_what_its_tables_say(browser, reports, kind):
    report = reports[kind]
    assert report.path.stat().st_size < MAX_BYTES
    with browser.open(report.path, width=360, scheme="dark") as watched:
        assert_clean(watched, report.path)
        assert watched.page.evaluate("document.documentElement.scrollWidth") <= 360
        sentences = [p.inner_text() for p in watched.page.query_selector_all(".verdict p")]
    CHECKS[kind](*sentences, report.results)


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_has_no_serious_problem_of_accessibility(browser, reports, kind):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    with browser.open(reports[kind].path, lift_policy=True) as watched:
        assert watched.errors == []
        watched.page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true")
        found = axe.Axe().run(watched.page).response["violations"]
        assert [(v["id"], [n["html"][:200] for n in v["nodes"][:3]]) for v in found if v["impact"] in SERIOUS] == []
