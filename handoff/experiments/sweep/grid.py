"""The combinations of a sweep: the product of the varied fields, in an order that depends on the sweep alone."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from handoff.experiments.sweep.field_columns import field_columns
from handoff.scenario.experiment import zip_problems

_UNKNOWN_FIELD = re.compile(r'Binder Error: Referenced (?:column|table) "(.+?)" not found')
_INDEX_COLUMN = "index_in_the_sweep"


@dataclass(frozen=True)
class Combination:
    """A value for each field that varies, and a procedure.

    Attributes
    ----------
    values : dict of str to str
        Text of each value by field, in the order of the sweep.
    procedure : str
        Name of the procedure.
    """

    values: Mapping[str, str]
    procedure: str


def combinations(
    fields: Mapping[str, Sequence[str]], groups: Sequence[Sequence[str]], procedures: Sequence[str]
) -> list[Combination]:
    """Return the product of all fields and procedures, in which the fields of a group vary together.

    The first field varies slowest, the procedure fastest; a group takes the position of its first field.

    Parameters
    ----------
    fields : mapping of str to sequence of str
        Values of each field.
    groups : sequence of sequence of str
        Fields that vary together. A field is in one group at most, and the fields of a group have equally many values.
    procedures : sequence of str
        Names of the procedures.

    Raises
    ------
    ValueError
        If the groups do not fit the fields.
    """
    if problems := zip_problems({name: tuple(values) for name, values in fields.items()}, [list(g) for g in groups]):
        raise ValueError("\n".join(problems))
    group_of = {name: tuple(group) for group in groups for name in group}
    axes = dict.fromkeys(group_of.get(name, (name,)) for name in fields)
    steps = [[dict(zip(axis, at, strict=True)) for at in zip(*(fields[n] for n in axis), strict=True)] for axis in axes]
    rows = [{n: v for part in parts for n, v in part.items()} for parts in itertools.product(*steps)]
    return [Combination({n: values[n] for n in fields}, p) for values in rows for p in procedures]


def filter_combinations(points: Sequence[Combination], condition: str) -> list[Combination]:
    """Return the combinations that fulfil a condition.

    The condition is SQL, as in ``handoff query``: ``mobile_nodes <= 10000 and procedure <> 'mipv4'``, ``lead_time_s > 0.02``.
    DuckDB evaluates it as one expression over a table of the combinations, without access to files, settings or Python
    (``handoff.experiments.sweep.sandbox``). Text from a scenario file is therefore never executed as code.

    Raises
    ------
    ValueError
        If it is not a condition, or names a field that does not vary.
    """
    if not points:
        return []
    import duckdb

    from handoff.experiments.sweep.sandbox import error_message, sandboxed_connection, select_problem

    table = field_columns([p.values for p in points])
    table = table.append_column("procedure", pa.array([p.procedure for p in points]))
    table = table.append_column(_INDEX_COLUMN, pa.array(range(len(points)), pa.int64()))
    with sandboxed_connection() as database:
        try:
            if problem := select_problem(database, f"select {condition}"):
                raise ValueError(f"where {condition!r}: {problem}")
            relation = database.from_arrow(table)
            matches = relation.filter(condition).project(_INDEX_COLUMN).fetchall()
            (kind,) = relation.project(condition).types
        except duckdb.BinderException as error:
            unknown = _UNKNOWN_FIELD.match(str(error))
            if unknown is None:
                raise ValueError(f"where {condition!r}: {error_message(error)}") from None
            names = ", ".join(n if n.isidentifier() else f'"{n}"' for n in table.column_names if n != _INDEX_COLUMN)
            raise ValueError(f"where {condition!r}: no field {unknown[1]!r} varies; there are {names}") from None
        except duckdb.Error as error:
            raise ValueError(f"where {condition!r}: {error_message(error)}") from None
    if kind != "BOOLEAN":
        raise ValueError(f"where {condition!r}: is neither true nor false: write a condition, as in buffer < 30")
    return [points[index] for index in sorted(index for (index,) in matches)]
