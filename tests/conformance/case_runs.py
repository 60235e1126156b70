"""Runs of the cases of ``cases``: comparison of messages, rows of tables and of data paths for parametrized tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import pytest

from tests.conformance.cases import Case
from tests.conformance.run_assertions import MS, Hop, RunView


@cache
def run_case(case: Case, **options: Any) -> RunView:
    """Return the observed run of a case, with a flow that gives the correspondent a binding."""
    return RunView(case.scene.setup(down=[1800], options={**case.options, **options}), case.procedure)


def sort_hops(hops: Iterable[Hop]) -> list[Hop]:
    """Sort hops by time. Sends of different nodes at the same instant have no order; those of one node have."""
    return sorted(hops, key=lambda hop: (hop.sent, hop.source))


def assert_messages(case: Case) -> None:
    """Check every hop of the messages of a case, its scenario, and its marker; the handoff is completed."""
    view = run_case(case)
    assert sort_hops(view.hops()) == sort_hops(case.expected_hops())
    facts = {name: column[0] for name, column in view.run.handoffs.items()}
    assert (facts["scenario"], facts["completed"]) == (case.scenario, 1)
    assert facts["marker_ps"] == (-1 if case.marker is None else round(case.marker * MS))


def table_rows(cases: Mapping[str, Case]) -> list[tuple[str, str, float, object]]:
    """Return (name of the case, node, time, entry) of all entries of tables."""
    return [(name, node, at, entry) for name, c in cases.items() for node, rows in c.tables.items() for at, entry in rows]


def path_rows(cases: Mapping[str, Case], direction: str, *, deep_ends: bool = False) -> list[Any]:
    """Return (name of the case, time of sending, path) of all data packets; ``direction`` is "down" or "up".

    With ``deep_ends`` the packets long before and long after all changes are sent only with ``--deep``.
    """
    params = []
    for name, case in cases.items():
        rows = getattr(case, direction)
        for i, row in enumerate(rows):
            is_deep = deep_ends and i in (0, len(rows) - 1)
            params.append(pytest.param(name, *row, marks=pytest.mark.deep if is_deep else []))
    return params
