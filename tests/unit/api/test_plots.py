"""Plots of results: their figures are those of the tables, files are well-formed, and names are inert."""

import copy
import json
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
import vl_convert

import handoff
from handoff.api.charts import make_chart
from handoff.api.plots import DiffPlots
from handoff.api.results import Results
from handoff.output.report.diff_report import DiffLine
from handoff.output.report.study_report import study_report
from tests.unit.api.conftest import WALK
from tests.unit.output.report.small_study import small_tables, with_cells
from tests.unit.output.report.test_study_report import specs

FIELD = {
    **{name: value for name, value in WALK.items() if name != "movement"},
    "routers": {**WALK["routers"], "wired": {"delay": "5ms"}},
    "movement": {
        "random_waypoint": {
            "mobiles": 4, "width": "600m", "height": "300m", "slowest": "40m/s", "fastest": "50m/s", "pause": "0s",
        }
    },
    "coverage": {"minimum": "-105dBm", "positions_m": {"ar0": [0, 150], "ar1": [300, 150]}},
    "duration": "20s",
}  # fmt: skip
HOSTILE = "</script><script>alert(1)</script>\") + alert(2) + (\"\x1b[31m\u202e<!--"


def rows(chart, layer=None):
    """Return the data of a chart, or of one of its layers."""
    spec = chart.to_dict()
    data = (spec if layer is None else spec["layer"][layer])["data"]
    return spec["datasets"][data["name"]] if "name" in data else data["values"]


@pytest.fixture
def street(tmp_path, monkeypatch):
    """Return a walk that passes three routers, which keep one packet for a node that has left.

    A packet, sent at each multiple of 10 ms, reaches the home agent after 5.0 ms, a router after 10.0 ms, and the node after
    15.0496 ms: 5 ms and 16 µs a hop, with 20 bytes (1.6 µs) of a tunnel on the second one. The node leaves at 0.8 s and 1.5 s.
    Under mipv4 it asks for its new binding 200 ms later, and the home agent has the request after 10 ms. So 22 packets, sent from
    10 ms before to 200 ms after the end of the old link, reach the old router in vain; one waits there, and 21 are lost.
    """
    (tmp_path / "street.csv").write_text(
        "mobile,router,up_s,down_s,predict_s,going_down_s\nmn,ar0,0,0.8,0.5,0.7\nmn,ar1,0.9,1.5,1.2,1.4\nmn,ar2,1.6,,,\n"
    )
    monkeypatch.chdir(tmp_path)
    tables = copy.deepcopy(WALK)
    tables["routers"] |= {"names": ["ar0", "ar1", "ar2"]}
    tables["traffic"] = [{"interval": "10ms", "size_bytes": 200}]
    return tables | {"movement": {"associations": "street.csv"}, "options": {"old_buffer_packets": 1}}


LOST = 21


@pytest.fixture
def result(street):
    return handoff.compare(street, ["mipv4", "sync-mipv4"], jobs=1, progress=False)


def test_losses_are_those_of_the_table(result):
    shown = [(row["procedure"], row["count"]) for row in rows(result.plot.loss())]
    assert shown[0] == ("mipv4", 2 * LOST)
    assert shown == [(row["procedure"], row["lost"]) for row in result.runs.to_pylist()]


def test_distributions_are_those_of_the_table(result):
    points = [(row["procedure"], row["t"], row["share"]) for row in rows(result.plot.cdf("flow_delay_mean"))]
    assert points[:2] == [("mipv4", 15.0496, 0), ("mipv4", 15.0496, 1)]
    assert [(row["t"], row["share"]) for row in rows(result.plot.cdf("lost"))][:2] == [(LOST, 0), (LOST, 1)]
    (first, last), *_ = [[row["t"] for row in rows(result.plot.cdf()) if row["procedure"] == "mipv4"]]
    assert first == last
    assert 15.0496 < first < 15.0496 * 1.033, "the upper bound of its bucket"


def test_a_distribution_has_a_step_for_each_value():
    """1, 2 and 4 packets are lost: a quarter of four handoffs up to 1, half up to 2, all up to 4."""
    tables = small_tables(("mipv4",))
    tables = with_cells({**tables, "handoffs": tables["handoffs"].slice(0, 4)}, "handoffs", lost=[4, 1, 2, 4])
    plot = Results("town", tables.__getitem__).plot
    linear = [(row["t"], row["share"]) for row in rows(plot.cdf("lost"))]
    assert linear == [(1, 0), (1, 0.25), (2, 0.5), (4, 1)]
    assert [(row["t"], row["share"]) for row in rows(plot.cdf("lost", tail=True))] == [(1, 0.75), (2, 0.5)]
    spec = plot.cdf("lost", tail=True).to_dict()["encoding"]
    assert (spec["x"]["scale"]["type"], spec["y"]["scale"]["type"]) == ("log", "log")


def test_a_timeline_has_the_steps_and_the_packets_of_the_handoff(result):
    chart = result.plot.timeline(1, packets=True)
    steps = {(row["handoff"], row["step"]): row["t"] for row in rows(chart)}
    for name in ("mipv4", "sync-mipv4"):
        assert steps[name, "old link down"] == 0
        assert steps[name, "new link up"] == pytest.approx(100)
        assert steps[name, "move known"] == pytest.approx(-300)
    assert steps["mipv4", "request"] == pytest.approx(200)
    packets = [(row["handoff"], round(row["t"]), row["path"]) for row in rows(chart, 0)]
    assert [t for name, t, path in packets if (name, path) == ("mipv4", "lost")] == [10 * i for i in range(LOST)]
    assert max(t for name, t, path in packets if (name, path) == ("mipv4", "old link")) == -20
    assert min(t for name, t, path in packets if (name, path) == ("mipv4", "new link")) == 10 * LOST
    assert chart.to_dict()["title"]["text"] == "Handoff 1 of mn: ar1 → ar2"
    assert {row["handoff"] for row in rows(result.plot.timeline(procedures="mipv4", mobile_node=0))} == {"mipv4"}


@pytest.mark.deep
def test_a_map_has_the_routers_and_the_handoffs_where_they_happen(tmp_path, monkeypatch):
    result = handoff.compare(FIELD, ["mipv4", "sync-mipv4"], jobs=1, progress=False)
    chart = result.plot.map("mipv4")
    assert [(row["name"], row["x"], row["y"]) for row in rows(chart, 4)] in (
        [("ar0", 0, 150), ("ar1", 300, 150)], [("ar1", 300, 150), ("ar0", 0, 150)],
    )  # fmt: skip
    handoffs = result.runs["handoffs"][0].as_py()
    assert sum(row["handoffs"] for row in rows(chart, 2)) == handoffs > 0
    result.write(tmp_path / "out")
    again = handoff.read(tmp_path / "out")
    with pytest.raises(handoff.HandoffError, match="name the scenario of these results"):
        again.plot.map()
    monkeypatch.setattr("handoff.workload.build.build_setup", None)  # a map needs positions, and no network
    assert rows(again.plot.map("mipv4", scenario=FIELD), 2) == rows(chart, 2)


def test_a_response_has_the_means_of_the_runs_and_the_limit(street):
    """The old router keeps as many of the 22 packets as it has room for."""
    sweep = handoff.sweep(street, {"old_buffer": [1, 10, 22]}, ["mipv4"], runs=1, measures=["lost"], progress=False, jobs=1)
    chart = sweep.plot.response(targets="lost<=30")
    assert [(row["x"], row["mean"]) for row in rows(chart)] == [(1, 2 * 21), (10, 2 * 12), (22, 0)]
    assert rows(chart, 2) == [{"limit": 30, "text": "lost <= 30 packets"}]
    for words, message in (({"measure": "delay_p98"}, "did you mean"), ({"targets": "sent<=0"}, "is not about lost")):
        with pytest.raises(handoff.HandoffError, match=message):
            sweep.plot.response(**words)


def test_a_search_has_the_values_that_were_tried(street):
    plan = handoff.plan(street, {"old_buffer": (1, 64)}, "lost<=0", "mipv4", most_runs=2, progress=False, jobs=1)
    shown = {int(row["value"]): (row["mean"], row["verdict"]) for row in rows(plan.plot.search())}
    assert len(shown) >= 4
    assert shown == {n: (2 * max(22 - n, 0), "met" if n >= 22 else "missed") for n in shown}
    assert sorted(row["step"] for row in rows(plan.plot.search())) == list(range(1, len(shown) + 1))
    with pytest.raises(handoff.HandoffError, match="target 'lots': there is none; did you mean 'lost'"):
        plan.plot.search("lots")


def test_a_time_series_has_the_losses_when_they_happen(street):
    """The old router keeps the packet of 0.79 s and drops those of 0.80 s to 1.00 s, each 10 ms later; then those from 1.5 s."""
    result = handoff.run(street, "mipv4", series="500ms", progress=False)
    shown = [(row["t"], row["value"]) for row in rows(result.plot.series("lost"))]
    assert shown == [(0, 0), (0.5, 19), (1, 2), (1.5, 21), (2, 0), (2.5, 0), (3, 0)]
    assert {row["link"] for row in rows(result.plot.series("utilisation"))} >= {"cn>ha", "ha>ar0"}
    with pytest.raises(handoff.HandoffError, match="measure 'queue': there is none; did you mean 'queue_packets'"):
        result.plot.series("queue")
    with pytest.raises(handoff.HandoffError, match="no time series: run the study with one"):
        handoff.run(street, "mipv4", progress=False).plot.series()


def test_a_comparison_has_the_changes_as_shares_of_a():
    lines = [
        DiffLine("mipv4", "loss_ratio", "ratio", 0.01, 0.03, 0.02, 0.01, 0.03, "worse"),
        DiffLine("mipv4", "sent", "packets", 5.0, 5.0, 0.0, 0.0, 0.0, "equal"),
        DiffLine("mipv6", "loss_ratio", "ratio", 0.0, 0.03, 0.03, 0.01, 0.05, "worse"),
    ]
    chart = DiffPlots(lines).changes()
    assert rows(chart) == [{"what": "1. loss_ratio, mipv4", "change": 2, "low": 1, "high": 3, "verdict": "worse"}]
    assert "loss_ratio of mipv6 is 3 % in B (worse)" in json.dumps(chart.to_dict())
    with pytest.raises(handoff.HandoffError, match="nothing differs"):
        DiffPlots(lines[1:]).changes()


@pytest.mark.deep
def test_every_chart_of_a_report_fits_the_schema():
    found = specs(study_report(small_tables()))
    assert len(found) > 10
    for spec in found:
        make_chart(spec, "t")


@pytest.mark.parametrize(
    "draw",
    [
        lambda plot: plot.timeline(),
        pytest.param(lambda plot: plot.cdf(), marks=pytest.mark.deep),
        pytest.param(lambda plot: plot.cdf("interruption", tail=True), marks=pytest.mark.deep),
        pytest.param(lambda plot: plot.loss(), marks=pytest.mark.deep),
    ],
)
def test_pictures_are_written_without_a_browser_and_names_in_them_are_inert(tmp_path, draw):
    tables = small_tables(("mipv4",))
    for table in ("runs", "handoffs", "delays"):
        tables = with_cells(tables, table, procedure=[HOSTILE] * tables[table].num_rows)
    for column in ("mobile", "old_router", "new_router"):
        tables = with_cells(tables, "handoffs", **{column: [HOSTILE] * tables["handoffs"].num_rows})
    chart = draw(Results(HOSTILE, tables.__getitem__).plot)
    png, svg = tmp_path / "x.png", tmp_path / "x.svg"
    chart.save(png)
    chart.save(svg)
    assert png.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    root = ElementTree.fromstring(svg.read_text())
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert not any(element.tag.endswith(("script", "foreignObject", "a")) for element in root.iter())
    assert "alert(" in "".join(root.itertext()), "the name is there, as text"
    page = chart.to_html()
    assert len(re.findall("<script", page, re.I)) == page.count("</script>") == 4, "three libraries, one chart"
    evaluated = " ".join(_expressions(vl_convert.vegalite_to_vega(chart.to_dict())))
    assert "alert" not in re.sub(r'"(?:[^"\\]|\\.)*"', "", evaluated)


def _expressions(vega):
    """Yield the texts that Vega evaluates, in which names may only be in quotation marks."""
    if isinstance(vega, dict):
        for name, value in vega.items():
            if name in ("signal", "expr", "test", "update", "filter") and isinstance(value, str):
                yield value
            elif name != "values":
                yield from _expressions(value)
    elif isinstance(vega, list):
        for value in vega:
            yield from _expressions(value)


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda plot: plot.cdf("dealy"), "measure 'dealy': there is none; did you mean 'delay'?"),
        (lambda plot: plot.cdf("speed"), "there are delay, interruption, latency"),
        (lambda plot: plot.loss("losses"), "count 'losses': there is none; did you mean 'lost'?"),
        (lambda plot: plot.timeline(2), "handoff 2: no mobile node has such a handoff: give 0 to 1"),
        (lambda plot: plot.timeline(2, "mn"), "handoff 2: mn has no such handoff: give 0 to 1"),
        (lambda plot: plot.timeline(0, "m"), "mobile_node 'm': none of that name has a handoff; did you mean 'mn'?"),
        (lambda plot: plot.timeline(0, 7), "mobile_node: no mobile node '7'"),
        (lambda plot: plot.timeline(procedures="mipv5"), "procedure 'mipv5': there is none; did you mean 'mipv4'?"),
        (lambda plot: plot.map(), "the movement has no positions"),
    ],
)
def test_mistakes_say_what_would_be_right(result, draw, message):
    with pytest.raises(handoff.HandoffError, match=re.escape(message)):
        draw(result.plot)


def test_a_folder_needs_its_own_scenario(result, street, tmp_path):
    result.write(tmp_path / "out")
    plot = handoff.read(tmp_path / "out").plot
    own = handoff.load(street)
    assert rows(plot.timeline(0, 0, scenario=own)) == rows(result.plot.timeline(0, 0))
    other = handoff.load(street | {"duration": "19s"})
    for draw in (lambda: plot.timeline(0, packets=True, scenario=other), lambda: plot.map(scenario=other)):
        with pytest.raises(handoff.HandoffError, match="is not the scenario of these results"):
            draw()


def test_a_timeline_without_a_handoff_of_its_procedures_says_so(result):
    table = result.handoffs.filter([p != "sync-mipv4" or i == 0 for p, i in zip(*(
        result.handoffs[name].to_pylist() for name in ("procedure", "index")), strict=True)])  # fmt: skip
    stopped = Results("street", lambda name: table if name == "handoffs" else getattr(result, name))
    with pytest.raises(handoff.HandoffError, match="handoff 1: no mobile node has such a handoff: give 0 to 0"):
        stopped.plot.timeline(1, procedures="sync-mipv4")


@pytest.mark.parametrize(("module", "package"), [("altair", "altair"), ("vl_convert", "vl-convert-python")])
def test_without_the_extra_one_error_names_the_command(monkeypatch, module, package):
    tables = small_tables(("mipv4",))
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(handoff.HandoffError, match=re.escape(f"plots need {package}: pip install 'handoff-sim[plots]'")):
        Results("town", tables.__getitem__).plot.cdf()


@pytest.mark.deep
def test_the_example_of_the_documentation_makes_its_picture(tmp_path, monkeypatch):
    root = Path(__file__).parents[3]
    section = (root / "docs" / "python.md").read_text().partition("## Plots")[2]
    (tmp_path / "examples").symlink_to(root / "examples")
    monkeypatch.chdir(tmp_path)
    exec(section.partition("```python")[2].partition("```")[0], {})
    assert ElementTree.parse("interruption.svg").getroot().tag.endswith("svg")
    shown, drawn = ("".join(ElementTree.parse(p).getroot().itertext()) for p in (root / "docs/pictures/interruption.svg",
                    "interruption.svg"))  # fmt: skip
    assert shown == drawn
