"""Parquet tables of results."""

import json
import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from handoff.output import parquet
from handoff.output.fields import ABOUT_KEY, UNIT_KEY
from handoff.output.parquet import BATCHES, GROUPS, SCHEMAS, provenance, table_columns, write_tables
from handoff.protocol.procedures import MIXTURE
from handoff.protocol.setup import ProcedureGroups
from handoff.simulation.run import run_procedure
from tests.unit.output.pcap.recorded_runs import setup_of

SEED = 3


@pytest.fixture(scope="module")
def setup():
    return setup_of(2, "patent")


@pytest.fixture(scope="module")
def runs(setup):
    return [run_procedure(setup, name, seed=SEED, detail=detail) for name, detail in (("mipv4", False), ("sync-mipv4", True))]


def test_every_table_has_its_schema_and_the_rows_of_all_runs(setup, runs, tmp_path):
    files = write_tables(tmp_path / "new", runs, setup, SEED, {b"handoff": b"{}"})
    assert files == [tmp_path / "new" / f"{name}.parquet" for name in SCHEMAS]
    assert sorted((tmp_path / "new").iterdir()) == sorted(files)
    rows = {
        "runs": 1, "handoffs": len(runs[0].handoffs["mobile"]), "flows": setup.network.flow_count,
        "links": len(runs[0].result.link_names), "nodes": len(setup.network.nodes),
        "delays": np.count_nonzero(runs[0].result.delay_histogram), "packets_around": 0,  # without a record of packets
    }  # fmt: skip
    for name, schema in SCHEMAS.items():
        table = pq.read_table(tmp_path / "new" / f"{name}.parquet")
        assert table.schema.remove_metadata().equals(schema, check_metadata=True)
        assert table.schema.metadata[b"handoff"] == b"{}"
        assert table["procedure"].to_pylist() == ["mipv4"] * rows[name] + ["sync-mipv4"] * (table.num_rows - rows[name])


def inner_columns(name, run):
    """Return the columns of the engine and of the metrics that a table has, with -1 or NaN for what was not measured."""
    result = run.result
    if name == "flows":
        return dict(run.detail.flows) | result.flows
    return {"handoffs": run.handoffs, "links": result.links, "nodes": result.nodes}[name]


@pytest.mark.parametrize("name", ["handoffs", "flows", "links", "nodes"])
def test_the_mean_of_a_column_is_that_of_the_values_that_were_measured(setup, runs, tmp_path, name):
    """Arrow leaves nulls out: with -1 in the place of each, the means would be lower."""
    write_tables(tmp_path, runs[1:], setup, SEED, {})
    table = pq.read_table(tmp_path / f"{name}.parquet")
    compared = 0
    for inner, values in inner_columns(name, runs[1]).items():
        column = f"{inner.removesuffix('_ps')}_s" if inner.endswith("_ps") else inner
        if column not in table.column_names or pa.types.is_string(table[column].type):
            continue
        measured = [v for v in values.tolist() if v != -1 and v == v]
        mean = sum(map(Fraction, measured)) / len(measured) / (10**12 if inner != column else 1) if measured else None
        assert pc.mean(table[column]).as_py() == (None if mean is None else pytest.approx(float(mean), rel=1e-13)), column
        assert table[column].null_count == len(values) - len(measured), column
        compared += 1
    assert compared >= {"handoffs": 40, "flows": 40, "links": 15, "nodes": 20}[name]


def test_tables_of_this_test_have_values_that_were_not_measured(setup, runs):
    """Otherwise the test of the means would compare nothing."""
    for name in ("handoffs", "flows"):
        columns = table_columns(name, runs[1], setup, SEED).values()
        assert any(0 < column.null_count < len(column) for column in columns if isinstance(column, pa.Array)), name


def test_no_table_has_a_minus_one_or_nan_for_a_missing_value(setup, runs, tmp_path):
    for run in runs:
        write_tables(tmp_path, [run], setup, SEED, {})
        for name, schema in SCHEMAS.items():
            table = pq.read_table(tmp_path / f"{name}.parquet")
            for field in schema:
                if not pa.types.is_string(field.type) and not pa.types.is_boolean(field.type) and "extra" not in field.name:
                    # The rating of a very bad call is negative (G.107), and so is the time before a handoff.
                    least = -math.inf if field.name in ("r_factor", "since_s") else 0
                    values = table[field.name].drop_null().to_pylist()
                    assert all(value >= least for value in values), (name, field.name)


@pytest.mark.parametrize("schema", [*SCHEMAS.values(), GROUPS, BATCHES], ids=[*SCHEMAS, "groups", "batches"])
def test_every_field_has_a_sentence_and_every_number_a_unit(schema):
    for field in schema:
        about, unit = field.metadata[ABOUT_KEY].decode(), field.metadata[UNIT_KEY].decode()
        assert about[0].isupper() or about[0].isdigit(), field.name
        assert about.endswith("."), field.name
        assert not field.name.endswith("_ps")
        assert (unit == "s") == (field.name.endswith(("_s", "_seconds")) and not field.name.endswith(("_per_s", "byte_seconds")))
        assert not field.name.endswith("_bytes") or unit == "bytes"
        assert not field.name.endswith("_ratio") or unit == "1"


def test_flows_name_their_correspondent(setup, runs):
    """Mobile nodes also call each other: every second call goes up, from the mobile node to its correspondent."""
    columns = table_columns("flows", runs[0], setup, SEED)
    rows = list(zip(*(columns[name] for name in ("label", "mobile", "correspondent", "direction")), strict=True))
    calls = [row for row in rows if row[0] == "call"]
    assert [(mobile, direction) for _, mobile, _, direction in calls] == [
        ("mn0", "down"), ("mn1", "up"), ("mn2", "down"), ("mn3", "up"),
    ]  # fmt: skip
    assert all(correspondent.startswith("mn") and correspondent != mobile for _, mobile, correspondent, _ in calls)
    assert {correspondent for label, _, correspondent, _ in rows if label != "call"} == {"cn", "peer"}


def test_metrics_of_packets_are_null_without_a_record_of_packets(setup, runs):
    without, recorded = (table_columns("flows", run, setup, SEED)["mos"] for run in runs)
    assert without == [None] * setup.network.flow_count
    assert len(recorded) == setup.network.flow_count
    assert recorded.null_count < len(recorded)


def test_handoffs_are_judged_with_a_record_of_packets_only(setup, runs):
    without, recorded = (table_columns("handoffs", run, setup, SEED)["seamless"] for run in runs)
    assert without == [None] * len(runs[0].handoffs["mobile"])
    judged = runs[1].handoffs["seamless"]
    assert recorded.to_pylist() == [None if value < 0 else value for value in judged.tolist()]
    shares = [table_columns("runs", run, setup, SEED)["seamless_ratio"] for run in runs]
    assert shares == [[None], [float((judged[judged >= 0] == 1).mean())]]


def test_nodes_have_the_memory_of_their_bindings_in_seconds(setup, runs):
    nodes = table_columns("nodes", runs[1], setup, SEED)
    row = nodes["node"].index(setup.network.nodes[setup.home_agent].name)
    exact = runs[1].result.nodes["binding_ps"][row]
    assert nodes["binding_seconds"][row] == exact / 10**12 > 0
    assert nodes["bindings_peak"][row] > 0


def test_uplinks_and_private_downlinks_are_pooled(setup, runs):
    columns = table_columns("links", runs[0], setup, SEED)
    pooled = dict(zip(columns["link"], columns["pooled"], strict=True))
    shared = {setup.network.nodes[cell.node].name: cell.shared for cell in setup.network.cells}
    for name, is_pooled in pooled.items():
        if name.endswith("<*"):
            assert is_pooled
        elif name.endswith(">*"):
            assert is_pooled != shared[name.removesuffix(">*")]
        else:
            assert not is_pooled


def test_a_failed_write_leaves_the_older_tables(setup, runs, tmp_path, monkeypatch):
    for name in SCHEMAS:
        (tmp_path / f"{name}.parquet").write_text("older")
    original, calls = parquet.pq.write_table, []

    def fail_at_the_third(table, file):
        calls.append(file)
        original(table, file)
        if len(calls) == 3:
            raise OSError("disk full")

    monkeypatch.setattr(parquet.pq, "write_table", fail_at_the_third)
    with pytest.raises(OSError, match="disk full"):
        write_tables(tmp_path, runs, setup, SEED, {})
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {f"{name}.parquet": "older" for name in SCHEMAS}


def test_provenance_names_scenario_seed_command_and_versions(tmp_path):
    facts = json.loads(provenance("text", tmp_path / "a.toml", 5, ["run", "a.toml"])[b"handoff"])
    assert facts.pop("versions").keys() == {"handoff-sim", "handoff-traces", "numpy", "pyarrow"}
    assert facts == {"scenario": "text", "scenario_file": "a.toml", "seed": 5, "command": ["run", "a.toml"]}


def test_a_mixture_has_the_procedure_of_each_mobile_node_and_a_table_of_its_groups(setup, runs, tmp_path):
    group = np.arange(setup.network.mobile_count) % 2
    mixed_setup = replace(setup, groups=ProcedureGroups(("sync-mipv4", "mipv4"), group))
    mixed = run_procedure(mixed_setup, MIXTURE, seed=SEED)
    write_tables(tmp_path, [mixed, runs[0]], mixed_setup, SEED, {})
    expected = {setup.network.mobile_name(i): ("sync-mipv4", "mipv4")[g] for i, g in enumerate(group.tolist())}
    for name in ("flows", "handoffs"):
        table = pq.read_table(tmp_path / f"{name}.parquet").to_pylist()
        assert {(row["procedure"], row["mobile"], row["mobile_procedure"]) for row in table} == {
            *((MIXTURE, *pair) for pair in expected.items()), *(("mipv4", mobile, "mipv4") for mobile in expected),
        }  # fmt: skip
    groups = pq.read_table(tmp_path / "groups.parquet")
    assert groups.schema.remove_metadata() == GROUPS
    rows = groups.to_pylist()
    assert [(row["procedure"], row["mobile_procedure"]) for row in rows] == [(MIXTURE, "sync-mipv4"), (MIXTURE, "mipv4")]
    assert sum(row["sent"] for row in rows) == mixed.result.flows["sent"].sum()
    assert {row["signalling_messages"] for row in rows} == {row["fingerprint"] for row in rows} == {None}


def test_a_table_of_groups_does_not_survive_a_study_without_a_mixture(setup, runs, tmp_path):
    (tmp_path / "groups.parquet").write_text("older")
    write_tables(tmp_path, runs, setup, SEED, {})
    assert not (tmp_path / "groups.parquet").exists()


def test_mean_delays_of_flows_need_no_record_of_packets(setup, runs):
    run = runs[1]
    both = (table_columns("flows", r, setup, SEED)["delay_mean_s"].to_pylist() for r in (replace(run, detail=None), run))
    without, recorded = both
    assert without == recorded
    assert max(value for value in without if value is not None) > 0


def test_sums_of_times_of_any_size_are_in_seconds_and_their_means_exact(setup, runs, tmp_path):
    """Sums of delays times 2**24, so that their means still fit int64 ps; other sums times 2**60, beyond 2**63 ps."""
    few, many, plain = 2**24, 2**60, runs[0].result
    delays, busy, waits = plain.flows["delay_sum_ps"], plain.links["busy_ps"], plain.nodes["registration_wait_ps"]
    larger = replace(
        plain,
        flows=plain.flows | {"delay_sum_ps": delays * few},
        links=plain.links | {"busy_ps": busy * many},
        nodes=plain.nodes | {"registration_wait_ps": waits * many},
    )
    run = replace(runs[0], result=larger)
    write_tables(tmp_path, [run], setup, SEED, {})
    flows, links, nodes = (pq.read_table(tmp_path / f"{name}.parquet").to_pydict() for name in ("flows", "links", "nodes"))
    assert flows["delay_sum_s"] == pytest.approx([total * few / 10**12 for total in delays], rel=1e-15)
    assert links["busy_s"] == [total * many / 10**12 for total in busy]
    assert nodes["registration_wait_s"] == [total * many / 10**12 for total in waits]
    assert max(flows["delay_sum_s"]) > 2**63 / 10**12
    assert max(links["busy_s"]) > 2**63 / 10**12
    counts = plain.flows["delivered"].tolist()
    means = [total * few // count / 10**12 if count else None for total, count in zip(delays, counts, strict=True)]
    assert flows["delay_mean_s"] == [None if mean is None else pytest.approx(mean, rel=1e-15) for mean in means]
    length = run.reached_ps - run.begin_ps
    assert links["utilisation"] == [total * many / length for total in busy]
    counts = plain.nodes["registered"].tolist()
    means = [total * many / count / 10**12 if count else None for total, count in zip(waits, counts, strict=True)]
    assert nodes["registration_wait_mean_s"] == means
