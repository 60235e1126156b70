"""Pages of ``handoff view`` in a browser: from the report to one handoff and its ladder, without errors and other requests."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from handoff.cli.main import main
from handoff.cli.view.pages import FolderPages
from handoff.cli.view.server import ViewServer
from tests.browser.test_report_page import FIELD, SERIOUS

pytestmark = pytest.mark.long  # a browser

READY = "html[data-ready]"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("view")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        (folder / "field.toml").write_text(FIELD)
        done = CliRunner().invoke(main, ["compare", "field.toml", "--procedures", "mipv4,sync-mipv6", "-o", "out"])
        assert done.exit_code == 0, done.output
        yield folder / "out"


@contextmanager
def serving(folder):
    """Serve a folder in a thread."""
    with ViewServer(0, FolderPages(folder)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def server(study):
    with serving(study) as server:
        yield server


def test_from_the_report_to_the_ladder_of_a_handoff(browser, server, study):
    rows = [row for row in pq.read_table(study / "handoffs.parquet").to_pylist() if row["procedure"] == "mipv4"]
    base = server.access.url.partition("?")[0]
    with browser.open(server.access.url) as watched:
        page = watched.page
        assert page.url == base  # the token has left the address
        (cookie,) = page.context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        assert page.evaluate("document.cookie") == ""
        page.click("#worst tbody a")  # the table with the links is open
        page.wait_for_url("**/handoff?row=*")
        page.wait_for_selector(READY, state="attached")
        page.go_back()
        page.click(".pages >> text=mipv4")
        page.wait_for_selector(READY, state="attached")
        assert page.inner_text("#count").startswith(f"{len(rows)} handoffs, ")
        page.fill("input[name=router]", "ar1")
        page.fill("input[name=from]", "10")
        page.click("text=Show")
        page.wait_for_url("**router=ar1**")
        chosen = [r for r in rows if "ar1" in (r["old_router"], r["new_router"]) and (r["down_s"] or r["up_s"]) >= 10]
        assert 0 < len(chosen) < len(rows)
        assert page.inner_text("#count").startswith(f"{len(chosen)} handoff")
        assert page.input_value("input[name=router]") == "ar1"
        page.click("thead >> text=Mobile node")
        page.wait_for_url("**sort=mobile**")
        names = [row.inner_text() for row in page.query_selector_all("tbody th")]
        assert names == sorted(row["mobile"] for row in chosen)
        page.click("tbody a")
        page.wait_for_selector("#ladder img")
        assert page.evaluate("document.querySelector('#ladder img').naturalWidth") > 300
        assert page.inner_text("h1").endswith(f" of {names[0]}")
        page.click("text=Diagram with details")
        page.wait_for_selector("#diagram svg")
        assert watched.errors == []
        assert all(url.startswith((base, "data:")) for url in watched.requests)


def test_an_error_leads_back_to_the_report(browser, server):
    base = server.access.url.partition("?")[0]
    with browser.open(server.access.url) as watched:
        page = watched.page
        page.goto(base + "handoff?row=999999")
        assert page.inner_text("h1") == "404 Not Found"
        page.click("text=Back to the report")
        page.wait_for_selector(READY, state="attached")
        assert page.url == base
        assert page.query_selector("#worst tbody a")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_pages_are_accessible_and_fit_a_phone(browser, server, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    with browser.open(server.access.url, width, scheme, lift_policy=True) as watched:
        for path in ("handoffs?procedure=mipv4&lost=1", "handoff?row=0", "nothing"):
            watched.page.goto(server.access.url.partition("?")[0] + path)
            watched.page.wait_for_selector(READY, state="attached")
            assert watched.page.evaluate("document.documentElement.scrollWidth") <= width
            found = axe.Axe().run(watched.page).response["violations"]
            assert [(v["id"], [n["html"][:200] for n in v["nodes"][:3]]) for v in found if v["impact"] in SERIOUS] == []


def test_a_page_of_another_port_learns_nothing(browser, server, study):
    with serving(study) as other, browser.open(server.access.url, lift_policy=True) as watched:
        watched.page.goto(other.access.url)
        address = f"http://127.0.0.1:{server.server_address[1]}/"
        fetch = f"fetch('{address}', {{credentials: 'include', mode: 'MODE'}}).then(r => r.text(), () => 'refused')"
        assert watched.page.evaluate(fetch.replace("MODE", "no-cors")) in ("", "refused")
        assert watched.page.evaluate(fetch.replace("MODE", "cors")) == "refused"
