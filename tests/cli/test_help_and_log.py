"""Help texts: options in groups, an example in each; ``-v`` and ``-q``: messages on stderr by the module ``logging``."""

import logging
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from handoff.cli.grouped_help import COMMAND_GROUPS, OPTION_GROUPS, Command, group_rows, split_examples
from handoff.cli.log import Level, is_quiet, log
from handoff.cli.main import main
from handoff.cli.root import root

ROOT = Path(__file__).parents[2]
COMMUTE = str(ROOT / "examples" / "commute.toml")
NAMES = root.list_commands(click.Context(root))
COMMANDS = [([name], root.get_command(click.Context(root), name)) for name in NAMES]
GROUPS = [(words, group) for words, group in COMMANDS if isinstance(group, click.Group)]
COMMANDS += [([*words, name], command) for words, group in GROUPS for name, command in group.commands.items()]
LEAVES = [pytest.param(words, command, id=" ".join(words)) for words, command in COMMANDS if not isinstance(command, click.Group)]


def invoke(*words):
    done = CliRunner().invoke(main, words)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.parametrize(("words", "command"), LEAVES)
def test_a_help_has_each_option_once_and_an_example(words, command):
    assert isinstance(command, Command)
    code, out, _ = invoke(*words, "--help")
    assert code == 0
    head, _, examples = out.partition("\nExample")
    assert "handoff" in examples
    shown = [line.split()[0] for line in head.splitlines() if line.startswith("  -")]
    assert len(shown) == len([p for p in command.get_params(click.Context(command)) if isinstance(p, click.Option)])
    assert "Other options:" not in head, "name the group of each option in OPTION_GROUPS"
    for example in examples.splitlines()[1:]:
        assert len(example) < 125


def test_every_command_has_a_group():
    grouped = [name for names in COMMAND_GROUPS.values() for name in names]
    assert sorted(grouped) == NAMES
    out = invoke("--help")[1]
    assert [line[:-1] for line in out.splitlines() if line[:-1] in COMMAND_GROUPS] == list(COMMAND_GROUPS)
    assert "Other commands" not in out


def test_no_option_is_in_two_groups():
    names = [name for group in OPTION_GROUPS.values() for name in group]
    assert len(names) == len(set(names))


def test_rows_of_no_group_come_last():
    records = [("--a", ("-a", "A")), ("--b", ("-b", "B")), ("--c", ("-c", "C"))]
    assert group_rows(records, {"One": ("--c", "--x"), "Two": ("--y",)}, "options") == [
        ("One", [("-c", "C")]), ("Other options", [("-a", "A"), ("-b", "B")]),
    ]  # fmt: skip


def test_examples_are_split_from_a_help_text():
    text = "Do it.\n\n    Example: handoff run x\n    --seed 3\n\n    Exit codes: 0"
    assert split_examples(text) == ("Do it.\n\nExit codes: 0", ["handoff run x --seed 3"])
    several = "A.\n\n    Examples:\n\n    \b\n        handoff a\n        handoff b\n    "
    assert split_examples(several)[1] == ["handoff a", "handoff b"]
    assert split_examples("A.") == ("A.", [])


@pytest.fixture
def messages():
    """Command that logs a message of each level but ERROR."""

    @click.command(cls=Command)
    def speak():
        for level in (Level.DEBUG, Level.INFO, Level.WARNING):
            log(level, level.name.lower())

    def run(*words):
        # The options count before and after the name of a command; the group resets them for each call.
        group = click.Group("group", commands={"speak": speak}, params=list(root.params))
        return CliRunner().invoke(group, words).stderr.split()

    yield run
    invoke("procedures")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("speak",), ["info", "warning"]),
        (("speak", "-v"), ["debug", "info", "warning"]),
        (("-v", "speak"), ["debug", "info", "warning"]),
        (("speak", "-vv"), ["debug", "info", "warning"]),
        (("speak", "-q"), ["warning"]),
        (("speak", "-qq"), []),
        (("-q", "speak", "-q"), []),
        (("speak", "-q", "-v"), ["info", "warning"]),
        (("speak", "--verbose"), ["debug", "info", "warning"]),
        (("speak", "--quiet"), ["warning"]),
    ],
)
def test_verbosity_chooses_the_messages(messages, words, expected):
    assert messages(*words) == expected


def test_each_command_begins_with_the_default(messages):
    assert messages("speak", "-qq") == []
    assert messages("speak") == ["info", "warning"]


def test_messages_of_other_rooms_are_printed_too(messages, capsys):
    messages("speak", "-v")
    logging.getLogger("handoff.workload").debug("read %d files", 3)
    assert capsys.readouterr().err == "read 3 files\n"


def test_a_run_says_with_v_what_it_does(tmp_path):
    short = ("run", COMMUTE, "--procedure", "mipv4", "--set", "duration=2s")
    code, out, err = invoke(*short, "-v", "-o", str(tmp_path / "out"))
    assert code == 0
    steps = [f"handoff: {COMMUTE}: 200 mobile nodes, ", f"handoff: {tmp_path / 'out'}: tables of 1 runs written"]
    lines = err.splitlines()
    assert [line for line in lines if line.startswith(steps[0])]
    assert lines[-1] == steps[1]
    others = [line for line in lines if not line.startswith(tuple(steps))]
    assert invoke(*short)[1:] == (out, "".join(f"{line}\n" for line in others))
    assert invoke(*short, "-qq")[1:] == (out, "")


@pytest.mark.parametrize("words", [words for words, _ in GROUPS])
def test_a_group_of_commands_accepts_the_options_too(words):
    path = str(ROOT / "examples" / "captures" / "commute.pcap")
    code, out, err = invoke(*words, "-q", "info", path)
    assert (code, err, is_quiet()) == (0, "", True)
    assert (0, out, "") == invoke(*words, "info", path)
    assert not is_quiet()


def test_an_error_is_printed_in_any_case():
    code, _, err = invoke("run", "none.toml", "--procedure", "mipv4", "-qq")
    assert (code, err) == (2, "none.toml: cannot be read: No such file or directory\n")


def test_messages_that_are_not_shown_do_not_import_logging():
    code = (
        "import sys\nfrom handoff.cli.log import Level, is_quiet, log\nfrom handoff.cli.root import root\n"
        "try: root.main(['procedures', '-q'])\n"
        "except SystemExit: log(Level.INFO, 'note'); log(Level.DEBUG, 'step'); print('logging' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.splitlines()[-1] == "False"
