"""A browser without network, and pages that are watched for errors and requests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")

TIMEOUT_MS = 300_000
"""A busy machine takes its time for a long page."""


@dataclass
class WatchedPage:
    """Page of a browser with what it said and asked for."""

    page: Any
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@dataclass
class Browser:
    """Opens files in contexts without network, and pages of a server."""

    browser: Any

    @contextmanager
    def open(
        self, path: Path | str, width: int = 1280, scheme: str = "light", lift_policy: bool = False
    ) -> Iterator[WatchedPage]:  # fmt: skip
        """Open a file, or an address, and wait until it is drawn. The policy of a page does not allow axe, which is a script."""
        context = self.browser.new_context(
            offline=isinstance(path, Path), viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=lift_policy
        )
        context.set_default_timeout(TIMEOUT_MS)
        watched = WatchedPage(context.new_page())
        watched.page.on("console", lambda m: watched.errors.append(m.text) if m.type in ("error", "warning") else None)
        watched.page.on("pageerror", lambda error: watched.errors.append(str(error)))
        watched.page.on("request", lambda request: watched.requests.append(request.url))
        watched.page.goto(path.as_uri() if isinstance(path, Path) else path)
        watched.page.wait_for_selector("html[data-ready]", state="attached")
        yield watched
        context.close()


@contextmanager
def launch() -> Iterator[Browser]:
    """Start Debian's Chromium; playwright has to be there."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield Browser(browser)
        browser.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; tests are skipped where playwright or Chromium is missing."""
    pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no Chromium (Debian: apt-get install chromium)")
    with launch() as browser:
        yield browser
