"""Every command shown in the documentation and examples parses; commands on the shipped examples pass a dry run."""

import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from handoff.cli.root import root as main

ROOT = Path(__file__).parents[2]
PLACES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "examples").glob("*.toml"))]
SHOWN = re.compile(r"^(?:#? {4,})(handoff (?:sweep|plan|query) .*)$", re.M)


def documented_commands():
    for place in PLACES:
        text = re.sub(r" *\\\n#? *", " ", place.read_text())  # continued lines
        yield from (pytest.param(shlex.split(line)[1:], id=f"{place.name} {line[:60]}") for line in SHOWN.findall(text))


COMMANDS = list(documented_commands())


def test_the_documentation_shows_sweep_plan_and_query():
    assert {c.values[0][0] for c in COMMANDS} == {"sweep", "plan", "query"}


@pytest.mark.parametrize("words", COMMANDS)
def test_a_documented_command_parses(words):
    command = main.get_command(click.Context(main), words[0])
    with command.make_context(f"handoff {words[0]}", words[1:]) as context:
        if words[0] == "sweep":
            assert context.params["output"] is not None


@pytest.mark.parametrize("words", [c for c in COMMANDS if c.values[0][1].startswith("examples/")])
def test_a_documented_command_on_an_example_passes_a_dry_run(words, monkeypatch):
    words = list(words)
    monkeypatch.chdir(ROOT)
    for option in ("--report", "--junit"):  # a dry run writes no file, and refuses them
        if option in words:
            del words[words.index(option) : words.index(option) + 2]
    done = CliRunner().invoke(main, [*words, "--dry-run", "--jobs", "1"])
    assert done.exit_code == 0, done.output
