"""The points of a sweep: every combination of what varies, in an order that only the sweep decides."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from handoff.experiments.sweep.field_columns import field_columns
from handoff.scenario.experiment import zip_problems


@dataclass(frozen=True)
class Combination:
    """A value for each field that varies, and a procedure.

    Attributes
    ----------
    values : dict of str to str
        In the order of the sweep.
    procedure : str
    """

    values: Mapping[str, str]
    procedure: str


def combinations(
    fields: Mapping[str, Sequence[str]], groups: Sequence[Sequence[str]], procedures: Sequence[str]
) -> list[Combination]:
    """Product of all fields and procedures; the fields of a group go side by side.

    The first field varies slowest, procedures fastest; a group stands where its first field does.

    Parameters
    ----------
    fields : mapping of str to sequence of str
        Values of each.
    groups : sequence of sequence of str
        Fields that go side by side: each in one group at most, equally many values in a group.
    procedures : sequence of str
        Names.

    Raises
    ------
    ValueError
        If the groups do not fit the fields.
    """
    if found := zip_problems({name: tuple(values) for name, values in fields.items()}, [list(g) for g in groups]):
        raise ValueError("\n".join(found))
    group_of = {name: tuple(group) for group in groups for name in group}
    axes = dict.fromkeys(group_of.get(name, (name,)) for name in fields)
    steps = [[dict(zip(axis, at, strict=True)) for at in zip(*(fields[n] for n in axis), strict=True)] for axis in axes]
    found_values = [{n: v for part in parts for n, v in part.items()} for parts in itertools.product(*steps)]
    return [Combination({n: values[n] for n in fields}, p) for values in found_values for p in procedures]


def filter_combinations(points: Sequence[Combination], condition: str) -> list[Combination]:
    """Those for which a condition is true.

    The condition is SQL, as in ``handoff query``: ``mobile_nodes <= 10000 and procedure <> 'mipv4'``, ``lead_time_ps > 20e9``.
    DuckDB evaluates it as one expression over a table of the points, with no way to files, settings or Python
    (``handoff.experiments.sweep.sandbox``): nothing a scenario file says is run as code.

    Raises
    ------
    ValueError
        If it is no condition, or asks for a field that does not vary.
    """
    if not points:
        return []
    import duckdb

    from handoff.experiments.sweep.sandbox import error_message, sandboxed_connection

    table = field_columns([p.values for p in points])
    table = table.append_column("procedure", pa.array([p.procedure for p in points]))
    table = table.append_column(_PLACE, pa.array(range(len(points)), pa.int64()))
    with sandboxed_connection() as database:
        try:
            whole = database.from_arrow(table)
            kept = whole.filter(condition).project(_PLACE).fetchall()
            (kind,) = whole.project(condition).types
        except duckdb.BinderException as error:
            unknown = _UNKNOWN.match(str(error))
            if unknown is None:
                raise ValueError(f"where {condition!r}: {error_message(error)}") from None
            there = ", ".join(n if n.isidentifier() else f'"{n}"' for n in table.column_names if n != _PLACE)
            raise ValueError(f"where {condition!r}: no field {unknown[1]!r} varies; there are {there}") from None
        except duckdb.Error as error:
            raise ValueError(f"where {condition!r}: {error_message(error)}") from None
    if kind != "BOOLEAN":
        raise ValueError(f"where {condition!r}: is neither true nor false: write a condition, as in buffer < 30")
    return [points[at] for at in sorted(at for (at,) in kept)]


_UNKNOWN = re.compile(r'Binder Error: Referenced (?:column|table) "(.+?)" not found')
_PLACE = "place_in_the_sweep"
