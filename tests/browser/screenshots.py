"""Screenshots of pages, shrunk so far that the shapes of letters do not count, and what is shown in them.

The stored pictures are those of Debian 12 with its Chromium and DejaVu fonts. ``python -m tests.browser.screenshots`` takes them
again: look at each one before you commit it.
"""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from handoff.output.ladder.ladder_page import draw_ladder_page
from handoff.output.ladder.view import observe_mobile
from handoff.output.parquet import SERIES
from handoff.output.report.page import render_page
from handoff.output.report.study_report import study_report
from tests.browser.conftest import Browser, launch
from tests.unit.output.pcap.recorded_runs import setup_of
from tests.unit.output.report.small_study import small_tables

PICTURES = Path(__file__).parent / "pictures"
SHRINK = 10
"""Pixels of a page, across and down, that become one of a picture."""
MAX_STEP = 24
"""Largest difference of two equal pixels of pictures in a colour, of 255: one level, and a part of the next one."""
MAX_SHIFT = 40
"""Largest number of rows of a picture by which a part of a page may be higher or lower: 20 lines of text."""
MAX_SHARE = 0.01
"""Largest share of pixels that differ by more: a line of text more or less, and not a chart, a card or a colour."""


@dataclass(frozen=True)
class Shot:
    """A page as it is looked at.

    Attributes
    ----------
    page : str
        A name of ``PAGES``.
    width : int
        Width of the window.
    scheme, media : str
        Colours of the reader's system, and ``screen`` or ``print``.
    """

    page: str
    width: int = 1280
    scheme: str = "light"
    media: str = "screen"


def _report() -> str:
    """Return a report with every kind of chart that needs no positions; half of its values are counted in tenths of a second."""
    tables = small_tables()
    times = np.arange(40) * 0.1
    rows = []
    for i, procedure in enumerate(("mipv4", "sync-mipv4", "mipv4-bicast")):
        for kind, element in (("run", None), ("link", "a>b"), ("link", "b>a"), ("node", "ha")):
            wave = (np.arange(40) * (i + 2)) % 11
            counts = {field.name: wave for field in SERIES if field.type == pa.int64()}
            rows.append(pa.Table.from_pydict({
                **{field.name: [None] * 40 for field in SERIES}, "procedure": [procedure] * 40, "kind": [kind] * 40,
                "element": [element] * 40, "begin_s": times, "end_s": times + 0.1, **counts, "utilisation": wave / 11,
            }, SERIES))  # fmt: skip
    return render_page(study_report({**tables, "series": pa.concat_tables(rows)}))


def _ladder() -> str:
    setup = setup_of(2, "patent")
    mobiles = setup.attachments.mobile.tolist()
    mobile = next(m for m in dict.fromkeys(mobiles) if mobiles.count(m) > 2)
    return draw_ladder_page(observe_mobile(setup, "mipv6-ro", mobile, 3).views(0, 1), 0)


PAGES: dict[str, Callable[[], str]] = {"report": _report, "ladder": _ladder}
SHOTS = {
    "report-light": Shot("report"),
    "report-dark": Shot("report", scheme="dark"),
    "report-phone": Shot("report", width=360),
    "report-print": Shot("report", width=800, media="print"),
    "ladder-light": Shot("ladder"),
    "ladder-dark": Shot("ladder", scheme="dark"),
}


def take(browser: Browser, path: Path, shot: Shot) -> bytes:
    """Return a picture of a whole page, as PNG. Print opens the tables first, as the browser does."""
    with browser.open(path, shot.width, shot.scheme) as watched:
        page = watched.page
        if shot.media == "print":
            page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
            page.emulate_media(media="print", color_scheme=shot.scheme)
        return shrink(browser, page.screenshot(full_page=True, animations="disabled"))


def shrink(browser: Browser, png: bytes) -> bytes:
    """Return a picture at a fraction of its size, each pixel the mean of those in its place, with 16 levels of each colour."""
    with _canvas(browser, [png]) as page:
        found = page.evaluate(_SHRINK, SHRINK)
    return base64.b64decode(found.partition(",")[2])


def difference(browser: Browser, first: bytes, second: bytes) -> float:
    """Return the share of pixels in which two pictures differ visibly, if what lies below a line of text more is moved up again.

    The share is infinite if the heights differ by more than ``MAX_SHIFT``.
    """
    with _canvas(browser, [first, second]) as page:
        return float(page.evaluate(_COMPARE, [MAX_STEP, MAX_SHIFT]))


@contextmanager
def _canvas(browser: Browser, pictures: list[bytes]) -> Iterator[Any]:
    """Open an empty page with pictures."""
    context = browser.browser.new_context(offline=True)
    page = context.new_page()
    images = "".join(f'<img src="data:image/png;base64,{base64.b64encode(png).decode()}">' for png in pictures)
    page.set_content(images)
    page.wait_for_function("[...document.images].every((image) => image.complete)")
    yield page
    context.close()


_SHRINK = """(by) => {
  const [image] = document.images, canvas = document.createElement("canvas");
  canvas.width = Math.ceil(image.naturalWidth / by), canvas.height = Math.ceil(image.naturalHeight / by);
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  pixels.data.forEach((value, i) => { if (i % 4 < 3) pixels.data[i] = Math.round(value / 17) * 17; });
  context.putImageData(pixels, 0, 0);
  return canvas.toDataURL("image/png");
}"""
_COMPARE = """([step, shift]) => {
  const images = [...document.images];
  const width = Math.max(...images.map((image) => image.naturalWidth)), heights = images.map((image) => image.naturalHeight);
  const [one, two] = images.map((image) => {
    const canvas = document.createElement("canvas");
    canvas.width = width, canvas.height = image.naturalHeight;
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    return context.getImageData(0, 0, canvas.width, canvas.height).data;
  });
  function unequal(row, other) {
    let count = 0;
    for (let i = 4 * width * row, j = 4 * width * other; i < 4 * width * (row + 1); i += 4, j += 4) {
      if ([0, 1, 2, 3].some((k) => Math.abs(one[i + k] - two[j + k]) > step)) count += 1;
    }
    return count;
  }
  // The cheapest alignment of the rows of both, as of the lines of two texts; a row of one picture alone differs as a whole.
  let last = new Map([[0, 0]]);
  for (let row = 0; row <= heights[0]; row += 1) {
    const next = new Map();
    for (let other = Math.max(0, row - shift); other <= Math.min(heights[1], row + shift); other += 1) {
      let cost = row || other ? Infinity : 0;
      if (row && last.has(other)) cost = Math.min(cost, last.get(other) + width);
      if (next.has(other - 1)) cost = Math.min(cost, next.get(other - 1) + width);
      if (row && other && last.has(other - 1)) cost = Math.min(cost, last.get(other - 1) + unequal(row - 1, other - 1));
      next.set(other, cost);
    }
    last = next;
  }
  return (last.get(heights[1]) ?? Infinity) / (width * Math.max(...heights));
}"""


def main() -> None:
    """Take all pictures again."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, launch() as browser:
        for name, shot in SHOTS.items():
            path = Path(folder) / f"{shot.page}.html"
            if not path.exists():
                path.write_text(PAGES[shot.page]())
            (PICTURES / f"{name}.png").write_bytes(take(browser, path, shot))


if __name__ == "__main__":
    main()
