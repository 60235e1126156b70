"""The command in the provenance of results: what decides them, in a fixed form."""

import click
import pytest

from handoff.cli.commands.compare import compare
from handoff.cli.commands.run import run
from handoff.cli.recorded_command import RESULT_OPTIONS, recorded_command

WITHOUT_EFFECT = {
    "--output", "--report", "--ladders", "--threads", "--memory-limit", "--checkpoint-every", "--checkpoint", "--resume",
    "--progress", "--junit", "--json", "--csv", "--wide", "--verbose", "--quiet", "--jobs", "--no-cache", "--pcap",
    "--pcap-links", "--pcap-snap",
}  # fmt: skip
"""Options that change no table: where and how results are printed and written, and how the work is done."""


@pytest.mark.parametrize("command", [run, compare])
def test_every_option_decides_results_or_does_not(command):
    options = {max(option.opts, key=len) for option in command.params if isinstance(option, click.Option)}
    assert not WITHOUT_EFFECT & set(RESULT_OPTIONS)
    assert options <= WITHOUT_EFFECT | set(RESULT_OPTIONS)


def record(command, *words):
    return recorded_command(command.make_context(command.name, list(words)))


def test_the_form_is_fixed():
    """The same study has one record: options in one order and spelling, defaults of --procedures included."""
    expected = ["compare", "a.toml", "--procedures", "mobile-ip", "--set", "seed=1", "--set", "duration=2s", "--seed", "7"]
    expected.append("--no-detail")
    words = ["--no-detail", "--set=seed=1", "a.toml", "-vq", "--seed=7", "--set", "duration=2s"]
    more = ["--jobs", "2", "--checkpoint-every=1s", "--resume", "--progress", "--json", "-oout", "--threads", "2", "--wide"]
    assert record(compare, *words) == record(compare, *words, *more, "--procedures", "mobile-ip") == expected


def test_the_record_has_what_decides_the_results():
    words = ["a.toml", "--procedure", "mipv4", "--detail", "--series", "1s", "--slo", "lost<=1"]
    assert record(run, *words) == ["run", *words]
