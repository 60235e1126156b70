"""SQL on a dataset: the views that it sees, and that it can do nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from handoff.cli.main import main
from handoff.experiments.execution.task import SerialExecutor
from handoff.experiments.sweep.dataset import read_contents
from handoff.experiments.sweep.query import query
from handoff.experiments.sweep.request import SweepRequest, plan_sweep
from handoff.experiments.sweep.runner import run_sweep
from tests.unit.experiments.sweep.small_sweep import write_scenario

COMMUTE = Path(__file__).parents[4] / "examples" / "commute.toml"


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the dataset of twelve points with two replications each."""
    folder = tmp_path_factory.mktemp("query")
    plan, _ = plan_sweep(SweepRequest(write_scenario(folder)))
    result = run_sweep(plan, folder / "out", SerialExecutor())
    assert (result.missing, result.failures) == (set(), ())
    return folder / "out"


def test_the_views_contain_the_runs_and_the_varied_values(dataset: Path) -> None:
    sql = (
        'select mobile_nodes as mobiles, "coverage.lead_s" as lead, p.procedure, count(*) as n, '
        "sum(sent) as sent, bool_or(stale) as stale from runs join points p using (point) group by all order by all"
    )
    result = query(dataset, sql)
    assert result.columns == ["mobiles", "lead", "procedure", "n", "sent", "stale"]
    assert result.damaged == []
    assert [row[:3] for row in result.rows] == [
        (m, lead / 1000, p) for m in (2, 3, 4) for lead in (50, 200) for p in ("mipv4", "sync-mipv4")
    ]
    assert {(row[3], row[5]) for row in result.rows} == {(2, False)}
    assert sum(row[4] for row in result.rows) == sum(run.row["sent"][0] for run in read_contents(dataset).runs.values())


def test_the_rows_of_nodes_and_links_name_their_run(dataset: Path) -> None:
    sql = "select node, count(*) as n, count(distinct (point, seed)) as runs from nodes group by node order by node"
    assert query(dataset, sql).rows == [(node, 24, 24) for node in ("a", "b", "cn", "ha")]
    sql = (
        "select sum(control_packets) = sum(signalling_messages) as same from "
        "(select point, seed, sum(control_packets) control_packets from links group by all) join runs using (point, seed)"
    )
    assert query(dataset, sql).rows == [(True,)]


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("select lst from runs", 'query: Binder Error: Referenced column "lst" not found in FROM clause! Candidate bindings: "'),
        ("select mobile_nodes from runs", "; points has this column, as in 'from runs join points using (point)'"),
        ("select retransmissions from points", "; runs has this column"),
        ("select * from rns", "query: no table 'rns'; there are points, runs, nodes, links, batches"),
        ("selct 1", "query: Parser Error: syntax error"),
        ("", "query: a single SELECT statement is expected"),
        ("select 1; select 2", "query: a single SELECT statement is expected"),
        ("drop view runs", "query: a single SELECT statement is expected"),
        ("insert into points values (1)", "query: a single SELECT statement is expected"),
        ("copy runs to 'written.csv'", "query: a single SELECT statement is expected"),
        ("attach 'written.db'", "query: a single SELECT statement is expected"),
        ("export database 'written'", "query: a single SELECT statement is expected"),
        ("install httpfs", "query: a single SELECT statement is expected"),
        ("set enable_external_access = true", "query: a single SELECT statement is expected"),
        ("select * from read_csv('/etc/passwd')", "query: no table function '"),
        ("select * from read_text('/etc/passwd')", "query: no table function '"),
        ("select * from read_parquet('out/runs/*/*.parquet')", "query: no table function '"),
        ("select * from glob('/*')", "query: no table function '"),
        ("select * from '/etc/passwd'", "query: no table '/etc/passwd'; there are points, runs"),
        ("select * from query('copy runs to ''written.csv''')", "query: no table function 'query'; there are "),
        ("select * from pandas_scan(NULL)", "query: no table function 'pandas_scan'; there are generate_series, json_each"),
        ("select (select count(*) from system.main.\"Pandas_Scan\"(NULL))", "query: no table function 'pandas_scan'"),
        ("with t as (from arrow_scan(1, 2, 3)) select 1 from t", "query: no table function 'arrow_scan'"),
        ("pragma database_list", "query: a single SELECT statement is expected"),
        ("select * from contents", "query: no table 'contents'; there are points, runs"),
        ("select getenv('HOME')", "does not exist"),
        ("select 1/seed::utinyint::date from runs", "query: "),
    ],
)
def test_a_wrong_or_forbidden_query_is_an_error_of_one_line(
    dataset: Path, sql: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"^[^\n]+$") as caught:
        query(dataset, sql)
    assert message in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_a_dataset_is_an_error(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no results: there is no file 'runs\.parquet' and no folder 'runs' in it"):
        query(tmp_path, "select 1")
    with pytest.raises(ValueError, match="the SQL comes first, then the folder"):
        query(tmp_path / "nowhere", str(dataset))


def test_damaged_runs_are_left_out_and_reported(dataset: Path) -> None:
    links = sorted((dataset / "links").rglob("*.parquet"))[0]
    original = links.read_bytes()
    links.write_bytes(original[:-1])
    result = query(dataset, "select count(*) as n from runs")
    links.write_bytes(original)
    assert result.rows == [(23,)]
    (problem,) = result.damaged
    assert problem.endswith(": incomplete: links is not what was written")


def test_the_folder_of_a_comparison_has_its_tables(tmp_path: Path) -> None:
    command = ["compare", str(COMMUTE), "--procedures", "mipv4,sync-mipv4", "--set", "duration=4s", "-o", str(tmp_path), "--json"]
    done = CliRunner().invoke(main, [*command, "--jobs", "1"])
    runs = json.loads(done.stdout)["runs"]
    sql = "select procedure, count(f.mos) > 0, sum(f.sent) from flows f join runs r using (procedure) group by 1 order by 1"
    assert query(tmp_path, sql).rows == [(run["procedure"], True, run["sent"]) for run in runs]
    assert query(tmp_path, "select delay_p99_s from runs order by procedure").rows == [(run["delay_p99_s"],) for run in runs]
    with pytest.raises(ValueError, match="no table 'points'; there are runs, handoffs, flows, links, nodes"):
        query(tmp_path, "select * from points")
    with pytest.raises(ValueError, match="no table function 'read_csv'"):
        query(tmp_path, "select * from read_csv('x')")
    (tmp_path / "links.parquet").write_bytes(b"PAR1")
    with pytest.raises(ValueError, match=r"links\.parquet: damaged: "):
        query(tmp_path, "select 1")


def test_the_points_of_a_dataset_have_typed_columns_with_units(dataset: Path) -> None:
    """Any reader of Parquet sees the varied values as numbers: 50 and 200 ms are 0.05 and 0.2 s."""
    points = pq.read_table(dataset / "points.parquet")
    assert set(points["mobile_nodes"].to_pylist()) == {2, 3, 4}
    assert set(points["coverage.lead_s"].to_pylist()) == {0.05, 0.2}
    assert points.schema.field("coverage.lead_s").metadata[b"unit"] == b"s"
    assert set(points["warmup_s"].to_pylist()) == {0.0}
