"""Pages of ``handoff view``: the report, lists and pages of handoffs say what the tables say, and names are inert."""

from __future__ import annotations

import base64
import html
import math
import re
import urllib.request
from html.parser import HTMLParser

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from handoff.cli.main import main
from handoff.cli.view import ladders as ladders_module
from handoff.cli.view import pages as pages_module
from handoff.cli.view.pages import FolderPages
from handoff.output.ladder.collect import build_ladder
from handoff.output.ladder.diagram_svg import render_svg
from handoff.output.ladder.view import observe_mobile
from handoff.output.report.page import page_policy, page_script
from handoff.scenario import load_scenario
from handoff.workload.build import build_setup
from tests.cli.test_hostile_names import ACTIVE, NASTY, write_walk
from tests.cli.test_report import LOG, SCENARIO
from tests.unit.output.test_handoff_file import lost, make_table, time_s

PROCEDURES = ("mipv4", "mipv4-smooth")
MARKUP = "</script><script>document.title='taken'</script><img src=x onerror=alert(1)>\"'"


def invoke(*words):
    done = CliRunner().invoke(main, list(map(str, words)))
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def compare(folder, *words):
    """Run the study of ``folder`` from there, into its folder ``out``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        done = invoke("compare", "walk.toml", "--procedures", ",".join(PROCEDURES), "--jobs", 1, "-o", "out", *words)
    assert done.exit_code == 0, done.output
    return folder / "out"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Folder of a study with two handoffs of each of two procedures."""
    folder = tmp_path_factory.mktemp("study")
    (folder / "walk.toml").write_text(SCENARIO)
    (folder / "walk.csv").write_text(LOG)
    compare(folder)
    return folder


@pytest.fixture
def walk(study, tmp_path, monkeypatch):
    """Copy of the study, and the present folder."""
    for path in (*study.glob("walk.*"), *study.glob("out/*.parquet")):
        target = tmp_path / path.relative_to(study)
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(path.read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def pages(study):
    """Pages of the study, for tests that leave it as it is."""
    return FolderPages(study / "out")


@pytest.fixture(scope="module")
def large(study, tmp_path_factory):
    """Pages of a folder whose table of handoffs has 100 rows of one procedure and 200 of the other, and the latter."""
    folder = tmp_path_factory.mktemp("large")
    for path in study.glob("out/*.parquet"):
        (folder / path.name).write_bytes(path.read_bytes())
    table = make_table()
    names = pa.array([PROCEDURES[name == "b"] for name in table["procedure"].to_pylist()])
    table = table.set_column(0, table.schema.field("procedure"), names)
    pq.write_table(table, folder / "handoffs.parquet")
    rows = [row | {"row": i} for i, row in enumerate(table.to_pylist()) if row["procedure"] == PROCEDURES[1]]
    return FolderPages(folder), rows


def link(page, text):
    """Return path and parameters of a link of a page, by its text."""
    (address,) = re.findall(rf'<a href="([^"]*)">{re.escape(text)}</a>', page)
    path, _, query = html.unescape(address).partition("?")
    return path, {name: urllib.request.unquote(value) for name, _, value in (pair.partition("=") for pair in query.split("&"))}


def text_of(cell):
    return html.unescape(re.sub(r"<[^>]*>", "", cell))


def rows_of(page):
    """Return the row number of each line of a list, and its cells."""
    body = page.partition("<tbody>")[2].partition("</tbody>")[0]
    lines = re.findall(r"<tr>(.*?)</tr>", body)
    cells = [[text_of(cell) for cell in re.findall(r"<t[hd].*?>(.*?)</t[hd]>", line)] for line in lines]
    return [(int(re.search(r"/handoff\?row=(\d+)", line)[1]), row) for line, row in zip(lines, cells, strict=True)]


def test_the_first_page_is_the_report_with_links(walk):
    assert invoke("report", "out").exit_code == 0
    page = FolderPages(walk / "out")("/", {})
    assert page.policy == page_policy()
    without = re.sub(r'<nav class="pages".*?</nav>\n', "", page.html, flags=re.S)
    without, links = re.subn(r'<a href="/handoff\?row=\d+">(.*?)</a>', r"\1", without)
    assert links == 4  # each handoff interrupts a flow
    title = '<summary>Table<span class="hidden">: Steps of the worst handoffs'
    assert f"<details open>\n{title}" in without  # the links are visible from the start
    without = without.replace(f"<details open>\n{title}", f"<details>\n{title}")
    assert without == (walk / "out" / "report.html").read_text()
    assert link(page.html, "mipv4-smooth") == ("/handoffs", {"procedure": "mipv4-smooth"})


def test_targets_are_in_the_report(walk):
    page = FolderPages(walk / "out", ["loss_ratio<=0.0001%"])("/", {})
    assert 'id="targets"' in page.html
    assert 'id="targets"' not in FolderPages(walk / "out")("/", {}).html


def test_a_list_has_the_rows_of_the_table_page_by_page(large):
    pages, table = large
    page = pages("/handoffs", {"procedure": PROCEDURES[1]}).html
    found = rows_of(page)
    assert "200 handoffs, sorted by “Old link ends (s)”, ascending." in page
    for number in (2, 3, 4):  # 50 rows a page
        assert f"Page {number - 1} of 4" in page
        page = pages(*link(page, "Next")).html
        found += rows_of(page)
    assert '<span class="off">Next</span>' in page
    assert link(page, "Previous")[1]["page"] == "3"
    assert [row for row, _ in found] == [row["row"] for row in sorted(table, key=time_s)]
    by_number = {row["row"]: row for row in table}
    for number, cells in found:
        row = by_number[number]
        expected = [row["mobile"], str(row["index"]), row["old_router"], row["new_router"], f"{time_s(row):.3f}", str(lost(row))]
        assert cells[:6] == expected
        assert cells[8:] == [str(row["duplicate"]), str(row["reordered"]), ["–", "I", "II", "III"][row["scenario"]]]
        assert (cells[7] == "–") == (row["latency_s"] is None)


def test_a_heading_sorts_by_its_column_and_turns_the_order(large):
    pages, table = large
    page = pages("/handoffs", {"procedure": PROCEDURES[1], "router": "ar1"}).html
    table = [row for row in table if "ar1" in (row["old_router"], row["new_router"])]
    assert len(table) == len(rows_of(page)) + len(rows_of(pages(*link(page, "Next")).html)) > 50
    by_loss = pages(*link(page, "Lost")).html
    assert 'aria-sort="descending"' in by_loss
    expected = sorted(table, key=lost, reverse=True)
    assert [row for row, _ in rows_of(by_loss)] == [row["row"] for row in expected[:50]]
    turned = pages(*link(by_loss, "Lost")).html
    assert 'aria-sort="ascending"' in turned
    assert [row for row, _ in rows_of(turned)] == [row["row"] for row in sorted(table, key=lost)[:50]]


def test_filters_of_a_list(large):
    pages, table = large

    def chosen(**filters):
        return {row for row, _ in rows_of(pages("/handoffs", {"procedure": PROCEDURES[1], **filters}).html)}

    def rows(holds):
        return {row["row"] for row in table if holds(row)}

    assert chosen(mobile="mn7") == rows(lambda r: r["mobile"] == "mn7")
    interval = {"from": "40", "until": "4.4e1"}
    assert chosen(**interval) == rows(lambda r: 40 <= time_s(r) < 44)
    assert chosen(**interval, lost="1") == rows(lambda r: 40 <= time_s(r) < 44 and lost(r) > 0)
    assert 0 < len(chosen(**interval, lost="1")) < len(chosen(**interval)) < 50
    page = pages("/handoffs", {"procedure": PROCEDURES[1], "mobile": "nobody"}).html
    assert "The filter leaves no handoff." in page
    assert rows_of(page) == []
    assert rows_of(pages("/handoffs", {"procedure": PROCEDURES[1], "page": "99"}).html)  # the last page


def test_a_wrong_parameter_is_named(pages):
    for path, parameters, message in (
        ("/handoffs", {}, "procedure: '' is not in this study: mipv4, mipv4-smooth"),
        ("/handoffs", {"procedure": "mipv4", "sort": "lost; drop"}, "sort: 'lost; drop' is no column: time, "),
        ("/handoffs", {"procedure": "mipv4", "order": "up"}, "order: 'up': asc or desc"),
        ("/handoffs", {"procedure": "mipv4", "page": "-1"}, "page: '-1': a number from 1 on"),
        ("/handoffs", {"procedure": "mipv4", "page": "0"}, "page: '0': a number from 1 on"),
        ("/handoffs", {"procedure": "mipv4", "lost": "true"}, "lost: 'true': 1, or nothing"),
        ("/handoffs", {"procedure": "mipv4", "from": "1_0"}, "from: '1_0': a time in seconds"),
        ("/handoffs", {"procedure": "mipv4", "page": "²"}, "page: '²': a number from 1 on"),
        ("/handoffs", {"procedure": "mipv4", "from": "nan"}, "from: 'nan': a time in seconds, as in 12.5"),
        ("/handoffs", {"procedure": "mipv4", "until": "1s"}, "until: '1s': a time in seconds, as in 12.5"),
        ("/handoff", {}, "row: the number of a row of the table of handoffs, from 0"),
        ("/ladder", {"row": "0x1"}, "row: the number of a row of the table of handoffs, from 0"),
    ):
        with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
            pages(path, parameters)


def test_an_unknown_page_is_missing(pages):
    for path, row in (("/x", "0"), ("/handoff/", "0"), ("/handoff", "4"), ("/ladder", "9" * 18)):
        with pytest.raises(KeyError):
            pages(path, {"row": row})


def test_the_page_of_a_handoff_has_its_figures_and_its_ladder(walk):
    table = pq.read_table("out/handoffs.parquet")
    scenario, _ = load_scenario("walk.toml")
    setup = build_setup(scenario, walk / "walk.toml", scenario.seed)
    pages = FolderPages(walk / "out")
    for number in (0, 3):  # one of each procedure
        row = table.to_pylist()[number]
        page = pages("/handoff", {"row": str(number)}).html
        assert f"<h1>Handoff {row['index']} of {row['mobile']}</h1>" in page
        assert f"{row['procedure']}: {row['old_router']} → {row['new_router']}, {row['down_s']:.3f} s" in page
        cells = dict(re.findall(r'<tr><th scope="row">(\w+)</th><td>(.*?)</td>', page.partition('id="figures"')[2]))
        assert list(cells) == table.column_names
        for name, value in row.items():
            if value is None or (isinstance(value, float) and math.isnan(value)):
                assert cells[name] == "–"
            elif isinstance(value, str):
                assert cells[name] == value
            else:
                shown = float(cells[name].replace(",", "")) if cells[name] != "never" else 2**63 / 1e12
                assert shown == pytest.approx(value, rel=1e-8)
        ladder = build_ladder(setup, row["procedure"], setup.network.mobile_index(row["mobile"]), row["index"], scenario.seed)
        assert base64.b64encode(render_svg(ladder).encode()).decode() in page
        assert html.escape(ladder.title) in page
        diagram = pages(*link(page, "Diagram with details, packets and neighbouring handoffs"))
        assert f"<title>{html.escape(ladder.title)}</title>" in diagram.html
        assert diagram.policy in html.unescape(diagram.html)


def test_neighbouring_handoffs_are_linked(large):
    pages, _ = large
    page = pages("/handoff", {"row": "124"}).html  # its neighbours: tests/unit/output/test_handoff_file.py
    assert link(page, "Next handoff") == ("/handoff", {"row": "164"})
    assert '<span class="off">Previous handoff</span>' in page
    assert link(page, "All of this mobile node") == ("/handoffs", {"procedure": PROCEDURES[1], "mobile": "mn4"})


def test_handoffs_of_one_mobile_node_share_a_run(walk, monkeypatch):
    """Two mobile nodes, of which ``a`` has two handoffs, under two procedures: four runs show every ladder and every page."""
    runs = []
    (walk / "walk.csv").write_text(LOG.replace("a,ar1,1.6,,,", "a,ar1,1.6,3,,\na,ar0,3.1,,,"))
    compare(walk)

    def count(setup, procedure, mobile, seed):
        runs.append((procedure, mobile))
        return observe_mobile(setup, procedure, mobile, seed)

    monkeypatch.setattr(ladders_module, "observe_mobile", count)
    pages = FolderPages(walk / "out")
    shown = [pages(path, {"row": str(row)}).html for row in range(6) for path in ("/handoff", "/ladder")]
    assert sorted(runs) == [(procedure, mobile) for procedure in PROCEDURES for mobile in (0, 1)]
    titles = [re.search("<h1 id=.*?>(.*?)</h1>", page)[1] for page in shown[1::2]]
    assert sorted(re.findall(r"handoff \d of .", " ".join(titles))) == ["handoff 0 of a", "handoff 0 of a", "handoff 0 of b",
                                                                         "handoff 0 of b", "handoff 1 of a", "handoff 1 of a"]


def test_a_long_run_waits_for_a_click(walk, monkeypatch):
    monkeypatch.setattr(pages_module, "QUICK_HOPS", 0)
    pages = FolderPages(walk / "out")
    page = pages("/handoff", {"row": "0"}).html
    assert "<img" not in page
    (hops,) = [row["packet_hops"] for row in pq.read_table("out/runs.parquet").to_pylist() if row["procedure"] == "mipv4"]
    assert f"needs the run of mipv4 once more ({hops:,} packet hops)" in page
    assert "<img" in pages(*link(page, "Run it and draw the ladder")).html
    assert "<img" in pages("/handoff", {"row": "0"}).html  # it is drawn


def test_without_the_scenario_of_the_study_there_is_no_ladder(walk, tmp_path_factory, monkeypatch):
    pages = FolderPages(walk / "out")

    def problem():
        return html.unescape(re.search(r"No ladder: (.*?)</p>", pages("/handoff", {"row": "0"}).html)[1])

    (walk / "walk.toml").write_text(SCENARIO.replace("8s", "9s"))
    assert problem().startswith("walk.toml: is not the scenario of the study, or has changed since: start 'handoff view' where")
    (walk / "walk.toml").write_text(SCENARIO)
    (walk / "walk.csv").write_text(LOG.replace("1.5", "1.4"))
    assert problem().startswith("the run of walk.toml is not that of the tables: an input file or the version has changed since")
    (walk / "walk.csv").write_text(LOG)
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert problem().startswith("walk.toml: the scenario of the study cannot be read: No such file or directory")
    assert "<img" in FolderPages(walk / "out", (), walk / "walk.toml")("/handoff", {"row": "0"}).html


@pytest.mark.deep
def test_a_ladder_has_the_changes_of_the_recorded_command(walk):
    compare(walk, "--set", "routers.neighbours.delay=17ms", "--seed", "7")
    assert "<img" in FolderPages(walk / "out")("/handoff", {"row": "0"}).html


def test_a_folder_that_is_written_again_has_new_pages(walk):
    pages = FolderPages(walk / "out")
    assert rows_of(pages("/handoffs", {"procedure": "mipv4"}).html)[0][1][4] == "1.500"
    (walk / "walk.csv").write_text(LOG.replace("0,1.5,", "0,1.4,"))
    compare(walk)
    assert rows_of(pages("/handoffs", {"procedure": "mipv4"}).html)[0][1][4] == "1.400"
    assert "1.400 s" in pages("/", {}).html
    (walk / "out" / "runs.parquet").unlink()
    with pytest.raises(ValueError, match="no results"):
        pages("/", {})


def test_a_folder_without_a_table_of_handoffs_has_its_report(walk):
    (walk / "out" / "handoffs.parquet").unlink()
    pages = FolderPages(walk / "out")
    assert "/handoff" not in pages("/", {}).html.partition("</style>")[2].partition("Make it again")[0]
    with pytest.raises(KeyError, match="this folder has no table of handoffs"):
        pages("/handoffs", {"procedure": "mipv4"})


@pytest.mark.deep
def test_a_sweep_has_its_report(walk):
    words = ("sweep", "walk.toml", "--vary", "duration=6s,8s", "--procedures", "mipv4", "--runs", 1, "--jobs", 1, "-o", "points")
    assert invoke(*words).exit_code == 0
    assert invoke("report", "points").exit_code == 0
    pages = FolderPages(walk / "points")
    assert pages("/", {}).html == (walk / "points" / "report.html").read_text()
    with pytest.raises(KeyError):
        pages("/handoff", {"row": "0"})


class Elements(HTMLParser):
    """Counts of elements, and names of attributes."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.update(name for name, _ in attrs)


@pytest.mark.parametrize("name", [
    NASTY + MARKUP, *(pytest.param(name, marks=pytest.mark.deep) for name in ("\u202e" + "x" * 10_000, "javascript:alert(1)")),
])  # fmt: skip
def test_hostile_names_are_inert(tmp_path, monkeypatch, name):
    write_walk(tmp_path, name)
    monkeypatch.chdir(tmp_path)
    compare(tmp_path)
    row = pq.read_table("out/handoffs.parquet").to_pylist()[0]
    pages = FolderPages(tmp_path / "out")
    queries = [
        ("/", {}), ("/handoffs", {"procedure": "mipv4"}), ("/handoffs", {"procedure": "mipv4", "mobile": row["mobile"]}),
        ("/handoffs", {"procedure": "mipv4", "router": name}), ("/handoff", {"row": "0"}), ("/ladder", {"row": "0"}),
    ]  # fmt: skip
    for path, parameters in queries:
        page = pages(path, parameters).html
        assert ACTIVE.findall(page.replace(page_script(), "")) == [], path
        found = Elements(page)
        assert "img" not in found.tags or path == "/handoff"
        assert not {name for name in found.attributes if name.startswith("on")}
        assert not re.search(r'(href|src)="(?!/|#|data:image/svg\+xml;base64,)', page)
    assert len(rows_of(pages(*queries[2]).html)) == 2
    assert len(rows_of(pages(*queries[3]).html)) == 0


def test_a_bad_folder_is_refused_as_by_report(walk):
    (walk / "empty").mkdir()
    (walk / "bad").mkdir()
    (walk / "bad" / "runs.parquet").write_bytes(b"PAR1 no PAR1")
    for words in (["empty"], ["bad"], ["missing"], ["walk.toml"], ["out", "--slo", "nothing<=1"]):
        refused, expected = invoke("view", "--no-open", *words), invoke("report", *words)
        assert refused.exit_code == expected.exit_code == 2
        assert refused.stdout == ""
        assert refused.stderr.replace("handoff view", "handoff report") == expected.stderr
