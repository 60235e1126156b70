"""Screenshots of a report and a ladder against stored pictures: light, dark, on a phone and on paper."""

from __future__ import annotations

import pytest

from tests.browser.screenshots import MAX_SHARE, PAGES, PICTURES, SHOTS, difference, take

pytestmark = pytest.mark.long  # a browser


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    for name, draw in PAGES.items():
        (folder / f"{name}.html").write_text(draw())
    return {name: folder / f"{name}.html" for name in PAGES}


@pytest.mark.parametrize("name", SHOTS)
def test_a_page_looks_as_its_picture(browser, paths, name, tmp_path):
    taken = take(browser, paths[SHOTS[name].page], SHOTS[name])
    (tmp_path / f"{name}.png").write_bytes(taken)
    share = difference(browser, (PICTURES / f"{name}.png").read_bytes(), taken)
    assert share <= MAX_SHARE, f"compare {tmp_path / f'{name}.png'} with {PICTURES / f'{name}.png'}"


@pytest.mark.parametrize(("name", "old", "new"), [
    ("report-light", "grid-template-columns: 180px minmax(0, 1fr)", "grid-template-columns: 300px minmax(0, 1fr)"),
    ("report-dark", "--card: #182028", "--card: #ffffff"),
    ("report-phone", "@media (max-width: 860px)", "@media (max-width: 100px)"),
    ("report-print", "table { font-size: 9px; }", "table { font-size: 18px; }"),
])  # fmt: skip
def test_a_fault_of_the_style_is_seen(browser, paths, name, old, new, tmp_path):
    """The tolerance is not so wide that a wrong width, colour or size passes. Policies allow a style by its digest."""
    text = paths["report"].read_text()
    assert old in text
    faulty = tmp_path / "faulty.html"
    faulty.write_text(text.replace(old, new).replace("style-src 'sha256-", "style-src 'unsafe-inline' 'unused-"))
    share = difference(browser, (PICTURES / f"{name}.png").read_bytes(), take(browser, faulty, SHOTS[name]))
    assert share > 3 * MAX_SHARE
