"""SQL over a dataset: what it sees, and that it can do nothing else."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from handoff.cli.main import main
from handoff.experiments.sweep.dataset import read_contents
from tests.sweep.small import written


def run(*args: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(main, [str(arg) for arg in args])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve points, two replications."""
    folder = tmp_path_factory.mktemp("query")
    code, _, said = run("sweep", written(folder), "-o", folder / "out", "--jobs", 1)
    assert (code, said) == (0, "")
    return folder / "out"


def test_the_views_hold_the_runs_with_what_was_varied(dataset: Path) -> None:
    sql = (
        'select mobile_nodes as mobiles, "coverage.lead_ps" as lead, p.procedure, count(*) as n, '
        "sum(sent) as sent, bool_or(stale) as stale from runs join points p using (point) group by all order by all"
    )
    code, out, said = run("query", sql, dataset, "--json")
    assert (code, said) == (0, "")
    rows = json.loads(out)
    assert [(r["mobiles"], r["lead"], r["procedure"]) for r in rows] == [
        (m, lead * 10**9, p) for m in (2, 3, 4) for lead in (50, 200) for p in ("mipv4", "sync-mipv4")
    ]
    assert {(r["n"], r["stale"]) for r in rows} == {(2, False)}
    stored = read_contents(dataset)
    assert sum(r["sent"] for r in rows) == sum(run.row["sent"][0] for run in stored.runs.values())


def test_nodes_and_links_say_whose_they_are(dataset: Path) -> None:
    sql = "select node, count(*) as n, count(distinct (point, seed)) as runs from nodes group by node order by node"
    _, out, _ = run("query", sql, dataset, "--csv")
    assert list(csv.reader(io.StringIO(out))) == [["node", "n", "runs"], *([n, "24", "24"] for n in ("a", "b", "cn", "ha"))]
    _, out, _ = run("query", "select sum(control_packets) = sum(signalling_messages) as same from "
                    "(select point, seed, sum(control_packets) control_packets from links group by all) "
                    "join runs using (point, seed)", dataset)  # fmt: skip
    assert out.split() == ["same", "True"]


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("select lst from runs", 'query: Binder Error: Referenced column "lst" not found in FROM clause! Candidate bindings: "'),
        ("select * from rns", "query: no table 'rns'; there are points, runs, nodes, links, batches"),
        ("selct 1", "query: Parser Error: syntax error"),
        ("", "a query is one SELECT"),
        ("select 1; select 2", "a query is one SELECT"),
        ("drop view runs", "a query is one SELECT"),
        ("insert into points values (1)", "a query is one SELECT"),
        ("copy runs to 'written.csv'", "a query is one SELECT"),
        ("attach 'written.db'", "a query is one SELECT"),
        ("export database 'written'", "a query is one SELECT"),
        ("install httpfs", "a query is one SELECT"),
        ("set enable_external_access = true", "a query is one SELECT"),
        ("select * from read_csv('/etc/passwd')", "file system operations are disabled"),
        ("select * from read_text('/etc/passwd')", "file system operations are disabled"),
        ("select * from read_parquet('out/runs/*/*.parquet')", "file system operations are disabled"),
        ("select * from glob('/*')", "file system operations are disabled"),
        ("select * from '/etc/passwd'", "query: no table '/etc/passwd'; there are points, runs"),
        ("select * from query('copy runs to ''written.csv''')", "query: Parser Error"),
        ("select * from found", "query: no table 'found'; there are points, runs"),
        ("select getenv('HOME')", "does not exist"),
        ("select 1/seed::utinyint::date from runs", "query: "),
    ],
)
def test_a_query_that_is_wrong_or_wants_more_is_one_line(
    dataset: Path, sql: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, said = run("query", sql, dataset)
    assert (code, out, said.count("\n")) == (2, "", 1)
    assert message in said
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_dataset_or_damaged_is_said(dataset: Path, tmp_path: Path) -> None:
    assert run("query", "select 1", tmp_path) == (2, "", f"{tmp_path}: no dataset of a sweep: there is no folder 'runs' in it\n")
    assert run("query", "select 1", dataset, "--json", "--csv")[0] == 2
    links = sorted((dataset / "links").rglob("*.parquet"))[0]
    good = links.read_bytes()
    links.write_bytes(good[:-1])
    code, out, said = run("query", "select count(*) as n from runs", dataset)
    links.write_bytes(good)
    assert (code, out.split()) == (0, ["n", "23"])
    assert said.endswith(": incomplete: links is not what was written: left out\n")
