"""The table of handoffs in its file: the same rows, orders and times as the table in memory, and no other file."""

from __future__ import annotations

import math

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from handoff.output.handoff_file import ROW, SORTS, HandoffQuery, StoredHandoffs
from handoff.output.parquet import SCHEMAS
from handoff.output.report.study_data import FOREVER_S, HandoffTable

ROWS = 300
NASTY = "' or 1=1; drop table handoffs; --"


def make_table(rows=ROWS, seed=1):
    """Return a table of handoffs with ties, nulls, NaN and events that never happen; two procedures in turns."""
    random = np.random.default_rng(seed)

    def maybe(values, share=0.2):
        return [None if random.random() < share else v for v in values]

    columns = {
        "procedure": ["b" if i % 3 else "a" for i in range(rows)],
        "mobile": [f"mn{i % 40}" for i in range(rows)],
        "index": [i // 40 for i in range(rows)],
        "old_router": [f"ar{i % 5}" for i in range(rows)],
        "new_router": [f"ar{(i + 1) % 5}" for i in range(rows)],
        "down_s": [FOREVER_S if random.random() < 0.1 else t for t in random.random(rows) * 100],
        "up_s": list(random.random(rows) * 100),
        "open_s": list(random.random(rows) * 100),
        "lost": maybe(random.integers(0, 4, rows).tolist(), 0.1),
        "dropped": random.integers(0, 3, rows).tolist(),
        "disruption_s": [random.choice([0.0, 0.1, math.nan, FOREVER_S]) if v is None else v for v in maybe(random.random(rows))],
        "latency_s": maybe(random.random(rows)),
        "duplicate": random.integers(0, 3, rows).tolist(),
        "reordered": random.integers(0, 3, rows).tolist(),
        "scenario": random.integers(0, 4, rows).tolist(),
    }
    schema = SCHEMAS["handoffs"]
    return pa.table({f.name: pa.array(columns.get(f.name, [None] * rows), f.type) for f in schema}, schema=schema)


def store(path, table):
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, row_group_size=64)
    return StoredHandoffs(path)


@pytest.fixture(scope="module")
def table():
    return make_table()


@pytest.fixture(scope="module")
def stored(table, tmp_path_factory):
    return store(tmp_path_factory.mktemp("study") / "handoffs.parquet", table)


def lost(row):
    return row["dropped"] if row["lost"] is None else row["lost"]


def time_s(row):
    return next(row[name] for name in ("down_s", "up_s", "open_s") if row[name] < FOREVER_S)


def test_the_worst_handoffs_are_those_of_the_table_in_memory(table, stored):
    for number in (1, 10, ROWS + 5):
        rows = stored.worst(number)
        numbers = [row.pop(ROW) for row in rows]
        assert repr(rows) == repr(HandoffTable(table).worst(number))  # NaN is not equal to NaN
    assert repr(table.slice(numbers[0], 1).to_pylist()) == repr(rows[:1])


@pytest.mark.parametrize("name", ["disruption", "latency", "down"])
def test_times_are_those_of_the_table_in_memory(table, stored, name):
    for procedure in ("a", "b", "none"):
        expected = HandoffTable(table).times_ms(procedure, name)
        np.testing.assert_array_equal(np.sort(stored.times_ms(procedure, name)), np.sort(expected))


KEYS = {
    "time": time_s, "mobile": lambda r: r["mobile"], "number": lambda r: r["index"], "old": lambda r: r["old_router"],
    "new": lambda r: r["new_router"], "lost": lost, "duplicate": lambda r: r["duplicate"], "reordered": lambda r: r["reordered"],
    "unregistered": lambda r: r["latency_s"], "scenario": lambda r: r["scenario"],
}  # fmt: skip


@pytest.mark.parametrize("sort", KEYS)
@pytest.mark.parametrize("descending", [False, True])
def test_a_sorted_list_has_every_row_once_page_by_page(table, stored, sort, descending):
    query = HandoffQuery("b", sort=sort, descending=descending)
    rows = [row | {ROW: i} for i, row in enumerate(table.to_pylist()) if row["procedure"] == "b"]
    known = [row for row in rows if KEYS[sort](row) is not None]
    expected = sorted(known, key=KEYS[sort], reverse=descending)  # stable in both directions: equal rows keep their order
    expected += [row for row in rows if KEYS[sort](row) is None]
    assert stored.count(query) == len(expected) == 200  # two of three of 300
    pages = [stored.find(query, offset, 90) for offset in range(0, 360, 90)]
    assert [len(page) for page in pages] == [90, 90, 20, 0]
    assert [number for page in pages for number in page] == [row[ROW] for row in expected]


def test_every_order_is_tested():
    assert set(KEYS) | {"interruption"} == set(SORTS)  # NaN has no order in Python; the test of the worst rows has it


@pytest.mark.parametrize(
    ("change", "holds"),
    [
        ({"lost_only": True}, lambda r: lost(r) > 0),
        ({"mobile": "mn7"}, lambda r: r["mobile"] == "mn7"),
        ({"router": "ar2"}, lambda r: "ar2" in (r["old_router"], r["new_router"])),
        ({"begin_s": 20.0}, lambda r: time_s(r) >= 20),
        ({"end_s": 60.5}, lambda r: time_s(r) < 60.5),
        ({"begin_s": 20.0, "end_s": 60.5, "router": "ar1", "lost_only": True},
         lambda r: 20 <= time_s(r) < 60.5 and "ar1" in (r["old_router"], r["new_router"]) and lost(r) > 0),
    ],
)  # fmt: skip
def test_a_filter_leaves_exactly_its_rows(table, stored, change, holds):
    expected = [i for i, row in enumerate(table.to_pylist()) if row["procedure"] == "b" and holds(row)]
    query = HandoffQuery("b", **change)
    assert 0 < len(expected) < 200
    assert sorted(stored.find(query, 0, ROWS)) == expected
    assert stored.count(query) == len(expected)


def test_a_name_is_never_sql(stored):
    for change in ({"procedure": NASTY}, {"procedure": "b", "mobile": NASTY}, {"procedure": "b", "router": NASTY}):
        assert stored.find(HandoffQuery(**change), 0, 10) == []


def test_a_name_is_found_by_its_printable_form(tmp_path):
    names = ["a\u202eb", "\x1b[31m", "back\\slash", "line\n", "\\x1b[31m", "plain"]
    table = make_table(len(names))
    columns = {"mobile": pa.array(names), "procedure": pa.array(["b"] * len(names))}
    for name, values in columns.items():
        table = table.set_column(table.schema.get_field_index(name), table.schema.field(name), values)
    stored = store(tmp_path / "handoffs.parquet", table)
    found = {text: stored.find(HandoffQuery("b", mobile=text), 0, 9) for text in ("a\\u202eb", "back\\slash", "line\\n", "plain")}
    assert found == {"a\\u202eb": [0], "back\\slash": [2], "line\\n": [3], "plain": [5]}
    assert sorted(stored.find(HandoffQuery("b", mobile="\\x1b[31m"), 0, 9)) == [1, 4]
    assert stored.find(HandoffQuery("b", mobile="\\udc80 \\U0011ffff"), 0, 9) == []


def test_rows_come_in_the_order_of_their_numbers(stored):
    rows = stored.rows([250, 3, 7, ROWS, -1], ["mobile"])
    assert rows == [{"mobile": f"mn{i % 40}", ROW: i} for i in (250, 3, 7)]


def test_neighbours_are_of_the_same_procedure_and_mobile_node(table, stored):
    # Mobile node 4 has rows 4, 44, 84, ...: its handoffs 0, 1, 2. Every third row is of procedure a: 84, and 204.
    (row,) = stored.rows([124])
    assert (row["procedure"], row["mobile"], row["index"]) == ("b", "mn4", 3)
    assert stored.neighbours(row) == {4: 164}


@pytest.mark.parametrize("name", ["a?b", "[ab]", "it's\\\u202e"])
def test_a_path_is_no_pattern(tmp_path, name):
    store(tmp_path / "axb" / "handoffs.parquet", make_table(5))
    store(tmp_path / "a*b" / "handoffs.parquet", make_table(6))
    stored = store(tmp_path / name / "handoffs.parquet", make_table(7))
    assert len(stored.find(HandoffQuery("a"), 0, 9)) + len(stored.find(HandoffQuery("b"), 0, 9)) == 7


def test_the_database_opens_no_other_file(stored, tmp_path):
    pq.write_table(make_table(3), tmp_path / "other.parquet")
    other = f"select * from '{tmp_path}/other.parquet'"
    for sql in (other, "select * from read_text('/etc/hostname')", "set enable_external_access = true"):
        with pytest.raises((duckdb.PermissionException, duckdb.InvalidInputException)):
            stored._database.execute(sql)


@pytest.mark.parametrize("content", [b"", b"PAR1 no PAR1", None])
def test_a_damaged_file_is_named(tmp_path, content):
    path = tmp_path / "handoffs.parquet"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=r"handoffs\.parquet: not a table of results: "):
        StoredHandoffs(path)


def test_damage_behind_the_schema_is_named(tmp_path, table):
    path = tmp_path / "handoffs.parquet"
    pq.write_table(table, path)
    data = bytearray(path.read_bytes())
    data[4:2000] = bytes(1996)
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"handoffs\.parquet: not a table of results: "):
        StoredHandoffs(path).find(HandoffQuery("b"), 0, 10)


def test_a_table_of_an_older_version_is_refused(tmp_path, table):
    path = tmp_path / "handoffs.parquet"
    pq.write_table(table.rename_columns([name.replace("_s", "_ps") for name in table.column_names]), path)
    with pytest.raises(ValueError, match=r"no column 'disruption_s': the file is of an older version: run the study again"):
        StoredHandoffs(path)
