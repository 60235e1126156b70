"""Results of a study as they are printed."""

import json
from types import SimpleNamespace

from handoff.cli.run import _print_results


def test_printing_does_not_change_the_results(capsys):
    """JSON has null for an undefined figure of a group."""
    result = SimpleNamespace(fingerprint=1, fate_counts=dict)
    run = SimpleNamespace(summary=dict, wall_seconds=1.0, controller_seconds=1.0, groups=[{"mos": None}], result=result)
    _print_results([run], "study", 1, True, False)
    assert json.loads(capsys.readouterr().out)["runs"][0]["groups"] == [{"mos": None}]
    assert run.groups == [{"mos": None}]
