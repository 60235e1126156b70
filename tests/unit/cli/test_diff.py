"""``handoff diff``: the tolerance as a share or a percentage, with the same forms as in a scenario; fields that differ."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from handoff.cli import diff
from handoff.scenario import ScenarioError


@pytest.fixture
def tolerances(monkeypatch):
    """List that receives the tolerance of each comparison, which compares nothing."""
    seen = []

    def compare(*_, tolerance, **__):
        seen.append(tolerance)
        return SimpleNamespace(passed=True)

    monkeypatch.setattr(diff, "diff", compare)
    monkeypatch.setattr(diff, "read", lambda folder: folder)
    monkeypatch.setattr(diff, "_print", lambda *_: None)
    return seen


def print_diff(tolerance):
    return diff.print_diff(Path("a"), Path("b"), None, (), 0.95, tolerance, False, False)


@pytest.mark.parametrize("text", ["0.01", "1%", "1 %", " 1% ", "1e-2", "0.7%"])
def test_a_tolerance_is_a_share_or_a_percentage(tolerances, text):
    """0.7 % is the nearest float to 0.007, and no quotient of two rounded numbers (0.7 / 100 = 0.006999…)."""
    print_diff(text)
    assert tolerances == [0.007 if "7" in text else 0.01]


@pytest.mark.parametrize("text", ["", "%", "1%%", "-1%", "nan", "inf%", "1% of A", "much"])
def test_other_tolerances_are_refused(tolerances, text):
    with pytest.raises(ScenarioError) as caught:
        print_diff(text)
    assert caught.value.problems == [f"--tolerance {text!r}: write a share of 0 or more, as in 0.01 or '1%'"]
    assert tolerances == []


def test_fields_that_differ_are_short_inert_and_few():
    fields = {f"node.{i}.name": (None, f"n{i}") for i in range(12)} | {"duration": ("1s", "2s")}
    lines = list(diff.describe_fields({"name": ("a\n\u202e", "x" * 10_000)} | fields))
    assert lines[0] == f"name is a\\n\\u202e in A and {'x' * 30}…{'x' * 29} in B"
    assert lines[1:10] == [f"node.{i}.name is absent in A and n{i} in B" for i in range(9)]
    assert lines[10:] == ["4 more fields of the scenario differ; --json names them"]
    assert len(list(diff.describe_fields(dict([*fields.items()][-10:])))) == 10
