"""The outputs on the page of attacks are those of its commands."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from handoff.cli.main import main

ROOT = Path(__file__).parents[2]
SHOWN = re.compile(r"^    handoff (compare [^\n]*)$.*?\n\n(    procedure [^\n]*\n(?:    [^\n]*\n)+)", re.M | re.S)
OUTPUTS = SHOWN.findall((ROOT / "docs" / "attacks.md").read_text())


def test_the_page_shows_outputs():
    assert len(OUTPUTS) == 2


@pytest.mark.parametrize(("command", "shown"), OUTPUTS)
def test_a_shown_output_is_that_of_its_command(command, shown, monkeypatch):
    monkeypatch.chdir(ROOT)
    done = CliRunner().invoke(main, shlex.split(command))
    assert done.exit_code == 0, done.output
    assert re.sub(r"^    ", "", shown, flags=re.M) in done.output
