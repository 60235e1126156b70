"""Comparison of two results."""

from pathlib import Path

import pytest
from click.testing import CliRunner

import handoff
from handoff.api.comparison import judge_sample
from handoff.api.paired_samples import Replications
from handoff.cli.main import main

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture
def fleet(walk):
    """Return the scenario of thirty mobile nodes, with packets at random times and a radio that loses 1 %."""
    walk["movement"] = {
        "commuters": {"mobile_nodes": 30, "handoff_rate": "3600/h", "gap": "50ms", "lead": "100ms", "guard": "20ms"}
    }
    walk["traffic"] = [{"interval": "10ms", "size_bytes": 200, "poisson": True}]
    walk["routers"]["cell"] = {**walk["routers"]["cell"], "loss": 0.01}
    return walk


def test_two_procedures_of_one_run_are_paired_by_mobile_node(fleet):
    result = handoff.compare(fleet, ["mipv4", "sync-mipv4"])
    compared = handoff.diff(result, procedures=("mipv4", "sync-mipv4"), measures=["loss_ratio", "latency_mean"])
    by_measure = {d.measure: d for d in compared.differences}
    lost = [row["lost"] / (row["lost"] + row["delivered"]) for row in result.runs.to_pylist()]
    assert (by_measure["loss_ratio"].first, by_measure["loss_ratio"].second) == (pytest.approx(lost[0]), pytest.approx(lost[1]))
    assert by_measure["latency_mean"].verdict == "better"  # the new binding is there before the move
    assert by_measure["latency_mean"].interval.n == 30
    assert compared.passed
    assert "better" in repr(compared)
    assert len(compared.table) == 2


def test_a_result_differs_from_itself_in_nothing(fleet, tmp_path):
    handoff.run(fleet, "mipv4").write(tmp_path / "a")
    compared = handoff.diff(tmp_path / "a", tmp_path / "a")
    assert {d.verdict for d in compared.differences} == {"equal"}


def test_a_planted_loss_is_found_in_replications(fleet, tmp_path):
    """A radio that loses 1 % more is worse by 0.01, and not worse beyond a tolerance of 300 %."""
    handoff.sweep(fleet, procedures="mipv4", runs=4, folder=tmp_path / "a", jobs=1)
    fleet["routers"]["cell"]["loss"] = 0.02
    handoff.sweep(fleet, procedures="mipv4", runs=4, folder=tmp_path / "b", jobs=1)
    compared = handoff.diff(tmp_path / "a", tmp_path / "b", measures=["loss_ratio"])
    assert compared.changed_fields == {"routers.cell.loss": ("0.01", "0.02")}
    (loss,) = compared.differences
    assert loss.verdict == "worse"
    assert loss.interval.low < 0.01 < loss.interval.high
    result = CliRunner().invoke(main, ["diff", str(tmp_path / "a"), str(tmp_path / "b"), "--metric", "loss_ratio"])
    assert (result.exit_code, result.stderr) == (3, "")
    assert "worse (Student's t, n = 4)" in result.stdout
    assert "routers.cell.loss is 0.01 in A and 0.02 in B" in result.stdout
    words = ["diff", str(tmp_path / "a"), str(tmp_path / "b"), "--metric", "loss_ratio", "--tolerance", "300%", "--csv"]
    assert CliRunner().invoke(main, words).exit_code == 0


def test_a_difference_that_no_seed_changes_is_certain(tmp_path):
    """Nothing in this scenario is random: three seeds give one run."""
    handoff.sweep(EXAMPLES / "figures.toml", procedures=["mipv4", "mipv6"], runs=3, folder=tmp_path / "a", jobs=1)
    compared = handoff.diff(tmp_path / "a", procedures=("mipv4", "mipv6"), measures="signalling_bytes")
    (signalling,) = compared.differences
    assert (signalling.verdict, signalling.interval.method) == ("worse", "exact")  # the messages of IPv6 are longer
    assert signalling.interval.low == signalling.interval.high == signalling.second - signalling.first > 0
    assert not compared.passed


@pytest.mark.parametrize(
    ("measure", "rises", "falls"),
    [("lost", "worse", "better"), ("scenario_1_ratio", "better", "worse"), ("forwarded", "changed", "changed")],
)
def test_the_verdict_follows_the_direction_of_the_measure(measure, rises, falls):
    low, high = {1: 0.10, 2: 0.11, 3: 0.12}, {1: 0.50, 2: 0.52, 3: 0.51}
    for first, second, verdict in ((low, high, rises), (high, low, falls), (low, low, "equal")):
        sample = Replications("mipv4", measure, "ratio", first, second, constant=False, resolution=0.0)
        assert judge_sample(sample, 0.95, 0.0).verdict == verdict


def test_a_difference_within_the_resolution_of_the_values_is_unclear():
    first, second = {1: 0.100, 2: 0.101, 3: 0.102}, {1: 0.1021, 2: 0.1030, 3: 0.1041}
    for resolution, verdict in ((0.0, "worse"), (1 / 32, "unclear")):
        sample = Replications("mipv4", "delay_p99", "s", first, second, constant=False, resolution=resolution)
        assert judge_sample(sample, 0.95, 0.0).verdict == verdict


def test_what_cannot_be_compared_is_noted(fleet, tmp_path):
    """The 99th percentile of fewer than 1,000 interruptions is no value; a damaged run and a point of one side are named."""
    a = handoff.sweep(fleet, {"buffer": [10, 20]}, "mipv4", runs=2, folder=tmp_path / "a", jobs=1)
    handoff.sweep(fleet, {"buffer": [20, 30]}, "mipv4", runs=2, folder=tmp_path / "b", jobs=1)
    damaged = next((tmp_path / "b" / "runs").glob("*/seed=1.parquet"))
    damaged.write_bytes(b"damaged")
    b = handoff.read(tmp_path / "b")
    assert [note for note in b.notes if str(damaged) in note] == b.notes != []
    assert str(damaged) in repr(b)
    compared = handoff.diff(a, b, measures=["lost", "disruption_p99"])
    assert compared.changed_fields == {}  # the point of both has one value of what varies
    notes = compared.notes
    assert {"only in A: buffer=10 mipv4", "only in B: buffer=30 mipv4"} <= set(notes)
    assert any(note.startswith(f"B: {damaged}: ") for note in notes)
    assert any(note.startswith("buffer=20 mipv4: disruption_p99: too few samples (") for note in notes)


def test_a_folder_with_two_scenarios_is_not_mixed_up(walk, tmp_path):
    first = handoff.sweep(walk, {"buffer": [1]}, "mipv4", runs=1, folder=tmp_path / "a", jobs=1)
    walk["duration"] = "2s"
    second = handoff.sweep(walk, {"buffer": [1]}, "mipv4", runs=1, folder=tmp_path / "a", jobs=1)
    assert [len(result.summary) for result in (first, second)] == [1, 1]
    assert [result.runs["until_s"].to_pylist() for result in (first, second)] == [[3.0], [2.0]]
    both = handoff.read(tmp_path / "a")
    assert len(set(both.summary["point"].to_pylist())) == 2
    with pytest.raises(handoff.HandoffError, match="two points have the fields and the procedure of buffer=1 mipv4"):
        handoff.diff(both, both)


@pytest.mark.long
def test_equal_pairs_give_false_alarms_as_rarely_as_stated(fleet, tmp_path):
    """40 pairs of sweeps that differ in their seeds only: at 80 %, 8 alarms are expected, and more than 15 in 0.8 % of cases."""
    alarms = 0
    for pair in range(40):
        for side, seed in (("a", 1000 + 8 * pair), ("b", 1004 + 8 * pair)):
            handoff.sweep(fleet, procedures="mipv4", runs=4, seed=seed, folder=tmp_path / f"{side}{pair}", jobs=1)
        compared = handoff.diff(
            tmp_path / f"a{pair}", tmp_path / f"b{pair}", measures=["loss_ratio", "delay_mean", "latency_mean"], confidence=0.8
        )
        assert next(d.interval.method for d in compared.differences if d.measure == "loss_ratio") == "Welch's t"
        alarms += any(d.verdict in ("worse", "better") for d in compared.differences)
    assert alarms <= 15


def test_results_that_cannot_be_compared_are_refused(fleet, walk, tmp_path):
    run, other = handoff.run(walk, "mipv4"), handoff.run(walk, "mipv4", seed=2)
    sweep = handoff.sweep(walk, procedures="mipv4", runs=1, jobs=1)
    for arguments, options, problem in [
        ((run,), {}, "b is missing"),
        ((run, other), {}, "different seeds"),
        ((run, sweep), {}, "a sweep and a single run"),
        ((run, run), {"procedures": ("mipv4", "mipv6")}, "B has no 'mipv6'"),
        ((run, run), {"measures": ["mos"]}, "no interval of 'mos'"),
        ((sweep, sweep), {"measures": ["lots"]}, "no measure 'lots'"),
        ((run, run), {"confidence": 1.5, "tolerance": -1}, "confidence is 1.5"),
        ((run, handoff.run(walk, "mipv6")), {}, "only in A: mipv4"),
    ]:
        with pytest.raises(handoff.HandoffError, match=problem):
            handoff.diff(*arguments, **options)
    for words in (["diff", "x"], ["diff", "x", "y", "--tolerance", "much"], ["diff", str(tmp_path), str(tmp_path)]):
        result = CliRunner().invoke(main, words)
        assert (result.exit_code, result.stdout) == (2, "")


def test_one_common_seed_makes_no_pair():
    first, second = ({seed: 0.1 + 0.001 * seed for seed in range(low, low + 10)} for low in (0, 9))
    sample = Replications("mipv4", "loss_ratio", "ratio", first, second, constant=False, resolution=0.0)
    a, b, interval = sample.compare(0.95)
    assert (a, b) == (pytest.approx(0.1045), pytest.approx(0.1135))
    assert interval.low < 0.009 < interval.high
    assert interval.n == 20
