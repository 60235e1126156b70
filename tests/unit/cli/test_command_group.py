"""Subcommands in modules of their own, and the exit codes of their outcomes."""

import sys
import types

import click
import pytest
from click.testing import CliRunner

from handoff.cli.command_group import CommandGroup
from handoff.cli.exit_codes import ExitCode


@pytest.fixture
def group(monkeypatch):
    """Return a function that makes a group with one subcommand ``act``, which calls a function."""

    def make(function):
        module = types.ModuleType("command_act")
        module.act = click.command("act")(function)
        monkeypatch.setitem(sys.modules, "command_act", module)
        return CommandGroup("root", modules={"act": "command_act", "missing": "no.such.module"})

    return make


def failing(error):
    def act():
        raise error

    return act


@pytest.mark.parametrize("code", [None, *ExitCode])
def test_a_subcommand_returns_its_exit_code(group, code):
    done = CliRunner().invoke(group(lambda: code), ["act"])
    assert (done.exit_code, done.output) == (code or 0, "")


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (ValueError("two\nlines"), 2, "two\nlines\n"),
        (MemoryError("too large"), 1, "handoff: too large\n"),
        (FileNotFoundError(2, "No such file or directory", "x.pcap"), 1, "handoff: x.pcap: No such file or directory\n"),
        (OSError(28, "No space left on device"), 1, "handoff: file: No space left on device\n"),
        (ConnectionError("no scheduler answers"), 1, "handoff: no scheduler answers\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_errors_become_messages_and_exit_codes(group, error, code, message):
    done = CliRunner().invoke(group(failing(error)), ["act"])
    assert (done.exit_code, done.stdout, done.stderr) == (code, "", message)


def test_a_usage_error_is_left_to_click(group):
    done = CliRunner().invoke(group(failing(click.UsageError("give a file"))), ["act"])
    assert done.exit_code == ExitCode.INVALID_INPUT
    assert done.stderr.endswith("Error: give a file\n")


def test_a_programming_error_keeps_its_traceback(group):
    done = CliRunner().invoke(group(failing(AssertionError("bug"))), ["act"])
    assert isinstance(done.exception, AssertionError)


def test_only_the_called_subcommand_is_imported(group):
    done = CliRunner().invoke(group(lambda: None), ["act"])
    assert done.exit_code == 0, "the module 'no.such.module' would fail"


def test_names_are_sorted_and_unknown_names_are_refused(group):
    root = group(lambda: None)
    assert root.list_commands(click.Context(root)) == ["act", "missing"]
    done = CliRunner().invoke(root, ["atc"])
    assert done.exit_code == ExitCode.INVALID_INPUT
    assert "no command 'atc'; did you mean 'act'?" in done.stderr
