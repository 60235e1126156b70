"""Measures by name: their values by hand from a short run, their errors, and the page that lists them."""

import re
import tomllib
from pathlib import Path

import pytest

from handoff.experiments.execution.task import Task, canonical_json, run_task
from handoff.experiments.planning.slo import Target
from handoff.experiments.planning.verdict import SloTest, read_measures
from handoff.metrics.bottlenecks import bottlenecks
from handoff.metrics.catalogue import (
    LINK_PARTS,
    MEASURES,
    NODE_PARTS,
    Value,
    batch_values,
    evaluate,
    get_measure,
    has_enough_samples,
)

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def tables():
    """Return the tables of a run in which the registration queue of an agent is too short, so that every measure has samples."""
    data = tomllib.loads((ROOT / "examples" / "commute.toml").read_text()) | {"duration": "12s"}
    data["home_agent"] = {**data["home_agent"], "registration": "60ms", "registration_queue": 2}
    result = run_task(Task(canonical_json(data), str(ROOT / "examples"), 3, ("mipv4",), detail=True))
    assert result.problem == ""
    return result.tables[0]


def row_of(tables, table, key, name):
    i = list(tables[table][key]).index(name)
    return {column: values[i] for column, values in tables[table].items()}


def test_every_measure_can_be_read_and_has_a_value_or_no_samples(tables):
    values = {name: evaluate(tables, name) for name in MEASURES}
    assert all(v.value is not None for name, v in values.items() if v.samples and not name.startswith("reordering"))
    assert all(isinstance(v.value, float | None) and type(v.samples) is int for v in values.values())


def test_values_of_an_agent_by_hand(tables):
    ha = row_of(tables, "nodes", "node", "ha")
    arrivals = ha["registered"] + ha["registration_dropped"]
    assert ha["registration_dropped"] > 0
    assert evaluate(tables, "ha.registration_dropped_ratio") == Value(ha["registration_dropped"] / arrivals, arrivals)
    mean = evaluate(tables, "ha.registration_wait_mean")  # in ps; the columns, in seconds, are rounded once each
    assert mean.value == pytest.approx(ha["registration_wait_s"] * 1e12 / ha["registered"], rel=1e-15)
    assert mean.samples == ha["registered"]
    assert 0 < evaluate(tables, "ha.registration_wait_mean").value < evaluate(tables, "ha.registration_wait_max").value
    assert evaluate(tables, "ha.registration_wait_max").value <= 60e9  # one in service, one waits
    assert evaluate(tables, "ha.registration_utilisation").value == pytest.approx(ha["messages"] * 0.060 / 12)
    assert evaluate(tables, "registration_dropped_ratio_max").where == "ha"


def test_values_of_links_by_hand(tables):
    link = row_of(tables, "links", "link", "cn>ha")
    assert evaluate(tables, "cn>ha.utilisation").value == pytest.approx(link["busy_s"] / 12, rel=1e-15)
    assert evaluate(tables, "cn>ha.dropped_ratio") == Value(0.0, link["packets"])
    assert evaluate(tables, "ar4>*.peak_packets").value == row_of(tables, "links", "link", "ar4>*")["peak_packets"]
    uplinks = [n for n, p in zip(tables["links"]["link"], tables["links"]["pooled"], strict=True) if p]
    assert uplinks
    assert evaluate(tables, "utilisation_max").where not in uplinks


def test_ratios_of_the_run_by_hand(tables):
    runs = {name: values[0] for name, values in tables["runs"].items()}
    assert evaluate(tables, "unfinished_ratio") == Value(runs["unfinished_handoffs"] / runs["handoffs"], runs["handoffs"])
    assert evaluate(tables, "loss_ratio").value == pytest.approx(runs["lost"] / (runs["lost"] + runs["delivered"]))
    assert evaluate(tables, "extra_bytes_per_handoff").value == runs["extra_bytes"] / runs["handoffs"]
    assert evaluate(tables, "registration_delay_p99").samples == runs["registration_delay_samples"] > 0


def test_memory_and_seamless_handoffs_by_hand(tables):
    runs = {name: values[0] for name, values in tables["runs"].items()}
    ha = row_of(tables, "nodes", "node", "ha")
    assert evaluate(tables, "seamless") == Value(runs["seamless_ratio"], runs["seamless_samples"])
    assert evaluate(tables, "seamless_1") == Value(None, 0)
    assert evaluate(tables, "ha.binding_seconds").value == evaluate(tables, "binding_seconds").value == ha["binding_seconds"]
    assert evaluate(tables, "bindings_peak_max") == Value(ha["bindings_peak"], ha["entries_peak"], "ha")
    assert get_measure("seamless").detail


def test_measures_of_batches_add_up(tables):
    assert batch_values(tables, "lost") == []
    data = tomllib.loads((ROOT / "examples" / "commute.toml").read_text()) | {"duration": "6s"}
    cut = run_task(Task(canonical_json(data), str(ROOT / "examples"), 3, ("mipv4",), batches=4)).tables[0]
    sent = batch_values(cut, "sent")
    assert len(sent) == 4
    assert sum(v.value for v in sent) == evaluate(cut, "sent").value > 0
    delays = [v.value * v.samples for v in batch_values(cut, "delay_mean")]
    assert sum(delays) / evaluate(cut, "delivered").value == pytest.approx(evaluate(cut, "delay_mean").value, rel=1e-9)
    with pytest.raises(ValueError, match="no nodes and links"):
        batch_values(cut, "ha.registration_wait_mean")


def test_the_worst_bottleneck_of_the_run_comes_first(tables):
    first, *others = bottlenecks(tables)
    assert first.what == "ha registration"
    assert first.dropped == row_of(tables, "nodes", "node", "ha")["registration_dropped"]
    dropping = [b for b in others if b.dropped]
    assert others[: len(dropping)] == dropping
    rest = [b.utilisation or 0 for b in others[len(dropping) :]]
    assert rest == sorted(rest, reverse=True)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("los_ratio", "no measure 'los_ratio'; did you mean loss_ratio"),
        ("registration_wait_mean", "did you mean ha.registration_wait_mean"),
        ("hb.registration_wait_mean", "no node or link 'hb'; did you mean ha"),
        ("ha.registration_weit_mean", "a node has no 'registration_weit_mean'; did you mean registration_wait_mean"),
        ("cn>ha.utilization", "a link has no 'utilization'; did you mean utilisation"),
        ("cn>hb.utilisation", "no node or link 'cn>hb'; did you mean cn>ha"),
        ("zzz", "no measure 'zzz'; there are sent, delivered, lost"),
    ],
)
def test_the_error_of_a_wrong_name_suggests_the_right_one(tables, name, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        evaluate(tables, name)


def test_a_name_is_known_before_there_are_tables():
    assert get_measure("ha.registration_wait_mean").unit == "ps"
    assert get_measure("ha>gw0.utilisation").unit == "ratio"
    with pytest.raises(ValueError, match="no link"):
        get_measure("a>b.utilisation").of({"nodes": {"node": []}, "links": {"link": []}})


@pytest.mark.parametrize(("name", "smallest"), [("delay_p99", 1000), ("delay_p95", 200), ("latency_p50", 20), ("loss_ratio", 1)])
def test_a_quantile_needs_ten_samples_beyond_it(name, smallest):
    assert has_enough_samples(name, smallest)
    assert not has_enough_samples(name, smallest - 1)


def test_the_page_lists_every_measure_with_its_unit_and_definition():
    page = (ROOT / "docs" / "measures.md").read_text()
    listed = re.findall(r"^\| `([a-z_0-9]+)` \| ([a-z/1]*) ?\| (.*?) \|", page, re.MULTILINE)
    own = {name: m for name, m in MEASURES.items() if not m.about.startswith("the largest of all")}
    known = [(n, m.unit, m.about + " (with `--detail`)" * getattr(m, "detail", False)) for part in (own, NODE_PARTS, LINK_PARTS)
             for n, m in part.items()]  # fmt: skip
    assert listed == known


def tables_of(run):
    """Return the tables of a run without nodes and links."""
    return {"runs": {name: [value] for name, value in run.items()}, "nodes": {"node": []}, "links": {"link": []}}


def test_few_legitimate_messages_without_a_drop_prove_no_small_ratio():
    """Without a drop in n trials the upper end is at least ln(40) / n at 95 %: 180 messages do not show a ratio below 1 %."""
    target = Target("legitimate_dropped_ratio", "<=", 0.01, "ratio")

    def decision(served):
        (reading,) = read_measures((target,), tables_of({"legitimate_dropped": 0, "legitimate_served": served}))
        (result,) = SloTest((target,), 0.95, 12).evaluate([[reading] * 3], range(3))
        return result.decision

    assert decision(60) == "open"
    assert decision(6000) == "met"


@pytest.mark.parametrize("measure", ["legitimate_dropped", "legitimate_refused", "attack_dropped"])
def test_messages_dropped_or_refused_are_independent_events(measure):
    events = evaluate(tables_of({measure: 3, "legitimate_served": 100, "attack_messages": 100}), measure).events
    assert (events.events, events.burst_variance, events.is_share) == (3, 3, False)  # a Poisson number
