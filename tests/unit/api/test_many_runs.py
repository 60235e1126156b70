"""Sweeps, plans, folders and diagrams of the Python interface."""

import dataclasses
import gc
import os
import signal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import handoff


def test_a_sweep_has_typed_columns_and_intervals(walk):
    result = handoff.sweep(
        walk, {"buffer": [1, 50], "traffic.0.interval": ["10ms", "20ms"]}, "sync-mipv4", runs=2, measures=["lost", "delay_mean"],
        jobs=1, together=[["buffer", "traffic.0.interval"]],
    )  # fmt: skip
    assert result.summary.schema.field("buffer").type == pa.int64()
    assert result.summary["runs"].to_pylist() == [2, 2]
    lost = dict(zip(result.summary["buffer"].to_pylist(), result.summary["lost"].to_pylist(), strict=True))
    assert lost[50] == 0 < lost[1]
    assert all(0.015 < value < 0.1 for value in result.summary["delay_mean_s"].to_pylist())  # three links of 5 ms, and waits
    assert result.runs.num_rows == 4
    assert set(result.runs["buffer"].to_pylist()) == {1, 50}
    assert result.query("select count(*) as n from runs")["n"].to_pylist() == [4]
    assert pa.table(result).equals(result.summary)
    assert len(repr(result).splitlines()) == 2 + 2
    assert "<td>50</td>" in result._repr_html_()
    assert handoff.read(result.folder, ["lost"]).summary["lost"].to_pylist() == result.summary["lost"].to_pylist()


def test_a_sweep_without_a_folder_leaves_nothing(walk):
    result = handoff.sweep(walk, {"buffer": [1]}, ["mipv4"], runs=1, jobs=1)
    folder = result.folder
    assert (folder / "runs").is_dir()
    del result
    gc.collect()
    assert not folder.exists()


def test_a_sweep_that_fails_leaves_no_temporary_folder(walk, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def fail(*_):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        handoff.sweep(walk, {"buffer": [1]}, ["mipv4"], runs=1, jobs=1, progress=fail)
    assert [p for p in tmp_path.iterdir() if p.name.startswith("handoff-")] == []


def test_mistakes_are_about_arguments(walk, tmp_path):
    with pytest.raises(handoff.HandoffError) as failure:
        handoff.sweep(walk, {"bufffer": [1]}, "mipv9", measures=["losses"])
    text = "\n".join(failure.value.problems)
    assert "vary bufffer: no field" in text
    assert "measures: " in text
    assert "--" not in text
    with pytest.raises(handoff.HandoffError, match="no target: give targets"):
        handoff.plan(walk, {"buffer": (0, 10)})
    with pytest.raises(handoff.HandoffError, match="no results"):
        handoff.read(tmp_path)
    with pytest.raises(handoff.HandoffError, match="mobile_node: no mobile node 'x'"):
        handoff.ladder(walk, "mipv4", "x")
    with pytest.raises(handoff.HandoffError, match="no handoff 7"):
        handoff.ladder(walk, "mipv4", handoff=7)


def test_arguments_of_a_wrong_kind_are_named(walk):
    with pytest.raises(handoff.HandoffError, match=r"vary is 'buffer=1,2': give a mapping of fields, as in \{\"mobile_nodes\""):
        handoff.sweep(walk, "buffer=1,2", "mipv4")
    with pytest.raises(handoff.HandoffError, match=r"vary is 'buffer=1\.\.9': give a mapping"):
        handoff.plan(walk, "buffer=1..9", "lost<=0", ["mipv4"])
    for values in ("1..9", (1, 2, 3), 5):
        with pytest.raises(handoff.HandoffError, match=r"vary buffer is .*: give its lowest and its highest value"):
            handoff.plan(walk, {"buffer": values}, "lost<=0", ["mipv4"])
    with pytest.raises(handoff.HandoffError, match="a is tuple: give results of run, compare or sweep"):
        handoff.diff((walk, "mipv4"), (walk, "sync-mipv4"))
    unknown = handoff.Step("move", "RQ2", ("MN", "nAR"), "bindd")
    mipv4 = handoff.PROCEDURES["mipv4"]
    mine = dataclasses.replace(mipv4, name="mine", signalling=(*mipv4.signalling, unknown))
    with pytest.raises(handoff.HandoffError, match="mine: step 'move', 'RQ2': no effect 'bindd'; did you mean 'bind'"):
        handoff.run(walk, mine)


def test_a_plan_finds_the_smallest_buffer(walk):
    """Two packets arrive in 20 ms without a link; more than ten wait in no handoff of 100 ms."""
    result = handoff.plan(walk, {"new_buffer": (0, 30)}, "lost<=0", "sync-mipv4", jobs=1)
    assert result.passed
    (row,) = result.summary.to_pylist()
    assert (row["field"], row["sense"], row["complete"]) == ("new_buffer", "smallest", True)
    values = result.values.to_pylist()
    assert {v["verdict"] for v in values} == {"met", "missed"}
    worst_met = max(float(v["value"]) for v in values if v["verdict"] == "missed")
    assert float(row["met"]) == worst_met + 1 == float(row["missed"]) + 1
    assert pa.table(result).equals(result.values)
    assert "smallest" in repr(result)
    assert "<caption>lost &lt;= 0" in result._repr_html_()


def test_a_text_is_one_argument(walk):
    """A value of a field may be a range of the command line, and one measure or target needs no list."""
    result = handoff.sweep(walk, {"buffer": "10..30 step 10"}, "mipv4", runs=1, jobs=1, measures="lost")
    assert result.summary["buffer"].to_pylist() == [10, 20, 30]
    assert handoff.read(result.folder, "lost").measures == ("lost",)
    assert [o.passed for o in handoff.run(walk, "mipv4", targets="sent>=1").outcomes] == [True]
    assert result.query("select 1 as x, 2 as x").column_names == ["x", "x"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"runs": 0}, "runs is 0: give 1 to 1,000,000"), ({"batches": -1}, "batches is -1"),
        ({"seed": -3}, "seed is -3: give 0 or more"), ({"jobs": 0}, "jobs is 0: give 1 or more"),
    ],
)  # fmt: skip
def test_numbers_of_a_sweep_have_limits(walk, tmp_path, arguments, problem):
    with pytest.raises(handoff.HandoffError, match=problem):
        handoff.sweep(walk, {"buffer": [1]}, "mipv4", folder=tmp_path / "out", **{"jobs": 1, **arguments})
    assert not (tmp_path / "out").exists()


def test_all_limits_of_a_plan_are_said_at_once(walk):
    wrong = {"confidence": 1.5, "precision": -1, "most_runs": 0, "find": "biggest", "seed": -1}
    with pytest.raises(handoff.HandoffError) as failure:
        handoff.plan(walk, {"buffer": (1, 9)}, "lost<=0", jobs=1, **wrong)
    assert {problem.split()[0] for problem in failure.value.problems} == wrong.keys()
    with pytest.raises(handoff.HandoffError, match="size is 'cells': give one of buffer, lead, agents"):
        handoff.plan(walk, size="cells", targets="lost<=0", jobs=1)


def test_the_command_line_has_the_same_limits():
    from handoff.cli.commands.plan import plan
    from handoff.cli.commands.sweep import sweep
    from handoff.experiments.planning import request as planning
    from handoff.experiments.sweep import request as sweeping

    ranges = {p.name: (p.type.min, p.type.max) for p in (*plan.params, *sweep.params) if hasattr(p.type, "min")}
    assert ranges["confidence"] == planning.CONFIDENCE_RANGE
    assert ranges["precision"] == planning.PRECISION_RANGE
    assert ranges["most_runs"] == planning.RUNS_RANGE
    assert (ranges["runs"][1], ranges["batches"][1]) == (sweeping.MAX_REPLICATIONS, sweeping.MAX_BATCHES)


def test_a_folder_of_an_older_version_is_refused(walk, tmp_path):
    handoff.run(walk, "mipv4").write(tmp_path)
    file = tmp_path / "runs.parquet"
    runs = pq.read_table(file)
    pq.write_table(runs.rename_columns([name.replace("until_s", "until_ps") for name in runs.column_names]), file)
    with pytest.raises(handoff.HandoffError, match="of an older version, with times in picoseconds"):
        handoff.read(tmp_path)


def test_ctrl_c_ends_a_plan_with_what_is_known(walk):
    steps = []

    def interrupt(text, share):
        steps.append(text)
        if len(steps) == 3:
            os.kill(os.getpid(), signal.SIGINT)

    result = handoff.plan(walk, {"new_buffer": (0, 30)}, "lost<=0", "sync-mipv4", jobs=1, progress=interrupt)
    assert result.summary["complete"].to_pylist() == [False]
    assert not result.passed


def test_a_ladder_is_drawn_as_svg_and_text(walk):
    diagram = handoff.ladder(walk, "sync-mipv4")
    assert diagram.svg.startswith("<svg")
    assert diagram._repr_svg_() == diagram.svg
    assert "RQ" in diagram.text(100)
    assert "handoff 0 of mn" in repr(diagram)
