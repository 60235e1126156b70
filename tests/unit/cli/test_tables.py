"""Tables on standard output, as text in a pipe."""

import re
import sys

import click
import pytest

from handoff.cli.legend import TERMS
from handoff.cli.root import root
from handoff.cli.tables import COLUMNS, format_ms, format_share, print_cells, print_pairs, print_table, summary_cells
from handoff.cli.terminal import WIDE, output_width
from handoff.protocol.messages import KINDS
from handoff.protocol.procedures import PROCEDURES

MS = 10**9
SUMMARY = {
    "procedure": "mipv4", "interrupted_ps": None, "handoffs": 1234, "unfinished_handoffs": 1, "scenario_1": 5, "scenario_2": 6,
    "scenario_3": 7, "lost": 2, "in_flight": 3, "duplicate": 4, "reordered": 8, "after_marker": 9, "forwarded": None,
    "latency_p50_ps": 50.0 * MS, "latency_p99_ps": 150.4 * MS, "disruption_p99_ps": None, "delay_p99_ps": 99.94 * MS,
    "delay_resolution": 0.0, "mos": 4.336, "extra_bytes": 10_000, "signalling_messages": 11, "seamless_ratio": 0.57,
}  # fmt: skip


def test_a_summary_fills_every_column():
    assert dict(zip(COLUMNS, summary_cells(SUMMARY), strict=True)) == {
        "procedure": "mipv4", "handoffs": "1,234", "unfinished": "1", "I/II/III": "5/6/7", "lost": "2", "in flight": "3",
        "dup": "4", "reordered": "8", "after marker": "9", "forwarded": "-", "latency p50/p99": "50.0 ms / 150 ms",
        "disruption p99": "-", "seamless": "57.0 %", "delay p99": "99.9 ms", "MOS": "4.34", "extra bytes": "10,000",
        "signalling": "11",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "column", "text"),
    [
        ({"interrupted_ps": 12_340 * MS}, "procedure", "mipv4 (to 12.3 s)"),
        ({"scenario_1": 0, "scenario_2": 0, "scenario_3": 0}, "I/II/III", "-"),
        ({"forwarded": 1500}, "forwarded", "1,500"),
        ({"mos": None}, "MOS", "-"),
        ({"delay_resolution": 1 / 32}, "delay p99", "≈ 99.9 ms"),
        ({"delay_p99_ps": None, "delay_resolution": None}, "delay p99", "-"),
        ({"extra_bytes": None}, "extra bytes", "-"),
        ({"seamless_ratio": None}, "seamless", "-"),
    ],
)
def test_special_values_of_a_summary(change, column, text):
    assert summary_cells(SUMMARY | change)[COLUMNS.index(column)] == text


@pytest.mark.parametrize(
    ("ps", "text"), [(None, "-"), (0, "0.0 ms"), (99.94 * MS, "99.9 ms"), (100 * MS, "100 ms"), (1234.6 * MS, "1235 ms")]
)
def test_milliseconds(ps, text):
    assert format_ms(ps) == text


@pytest.mark.parametrize(
    ("share", "text"), [(None, "-"), (0, "0.0 %"), (0.9999, "99.9 %"), (1, "100.0 %"), (1 / 3, "33.3 %")]
)
def test_shares_are_rounded_down(share, text):
    assert format_share(share) == text


def test_the_interruption_and_the_share_of_seamless_handoffs_are_next_to_the_loss():
    lost = COLUMNS.index("lost")
    assert COLUMNS[lost + 1 : lost + 3] == ("disruption p99", "seamless")


def test_cells_are_aligned_and_no_line_ends_with_blanks(capsys):
    print_cells(["procedure", "lost"], [["mipv4", "5"], ["sync-mipv4", "1,000"]], "title")
    assert capsys.readouterr().out == "title\nprocedure    lost\nmipv4           5\nsync-mipv4  1,000\n"


def test_chosen_columns_are_aligned_at_the_left_behind_an_indent(capsys):
    print_cells(["a", "b"], [["1", "long"], ["22", ""]], left=("a", "b"), indent=2)
    assert capsys.readouterr().out == "  a   b\n  1   long\n  22\n"


def test_texts_are_no_markup(capsys):
    print_cells(["[bold]x"], [["[red]y[/red]"]], left=["[bold]x"])
    assert capsys.readouterr().out == "[bold]x\n[red]y[/red]\n"


def test_a_wide_table_is_neither_cut_nor_wrapped(capsys):
    print_cells(["a", "b"], [["x" * 300, "y" * 300]])
    assert capsys.readouterr().out.splitlines()[1] == "x" * 300 + "  " + "y" * 300


def test_a_terminal_that_is_too_narrow_gets_every_character(capsys, terminal):
    terminal(40)
    print_cells(["a", "b"], [["x" * 30, "y" * 30]])
    assert "x" * 30 + "  " + "y" * 30 in capsys.readouterr().out


@pytest.fixture
def terminal(monkeypatch):
    """Return a function that makes the output a terminal of a width."""
    return lambda width: [monkeypatch.setattr(f"handoff.cli.{m}.output_width", lambda: width) for m in ("tables", "legend")]


MANY = [SUMMARY | {"procedure": name, "lost": 12_345_678} for name in PROCEDURES]
HEAD = (
    "procedure               lost  disruption p99  seamless  dup  delay p99   MOS  extra bytes  signalling  handoffs  unfinished"
    "   latency p50/p99  I/II/III  reordered  forwarded  in flight  after marker"
)
ROW = (
    "mipv4             12,345,678               -    57.0 %    4    99.9 ms  4.34       10,000          11     1,234           1"
    "  50.0 ms / 150 ms     5/6/7          8          -          3             9"
)
"""A heading or number is at the right of a column, which is as wide as its longest text; two blanks between columns."""


@pytest.mark.parametrize(
    ("width", "last", "omitted"),
    [
        # The columns end at 28, 44, 54, 59, 70, 76, 89, 101, 111, 123, 141, 151, 162, 173, 184 and 198.
        (80, "MOS", "+10 columns: extra bytes, signalling, handoffs, unfinished, latency p50/p99,\n"
                    "I/II/III, reordered, forwarded, in flight, after marker (--wide)"),
        (120, "handoffs", "+7 columns: unfinished, latency p50/p99, I/II/III, reordered, forwarded, in flight, after marker "
                          "(--wide)"),
        (185, "in flight", "+1 column: after marker (--wide)"),
        (200, "after marker", ""),
        (None, "after marker", ""),
    ],
)  # fmt: skip
def test_a_comparison_has_whole_numbers_and_names_the_columns_that_do_not_fit(capsys, terminal, width, last, omitted):
    terminal(width)
    print_table(MANY, "commute, seed 1")
    title, head, first, *lines = capsys.readouterr().out.splitlines()
    end = HEAD.index(last) + len(last)
    assert (title, head, first) == ("commute, seed 1", HEAD[:end], ROW[:end])
    assert [line.split()[0] for line in lines[: len(PROCEDURES) - 1]] == [*PROCEDURES][1:]
    below = "\n".join(lines[len(PROCEDURES) - 1 :])
    assert below.startswith(omitted)
    legend = below.removeprefix(omitted).replace("\n", " ").strip()
    words = [word for word in ("seamless", "MOS", "I/II/III", "after marker") if word in HEAD[:end]]
    assert [part.split(":")[0] for part in legend.split("; ")] == words
    assert width is None or max(map(len, [head, first, *lines])) <= width


def test_a_comparison_of_few_procedures_that_does_not_fit_has_them_side_by_side(capsys, terminal):
    terminal(80)
    print_table([SUMMARY, SUMMARY | {"procedure": "sync-mipv6-ro", "lost": 12_345_678, "mos": None}], "")
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "procedure                   mipv4     sync-mipv6-ro",
        "lost                            2        12,345,678",
        "disruption p99                  -                 -",
    ]
    assert [line[:15].strip() for line in lines[: len(COLUMNS)]] == [*COLUMNS]
    assert lines[6] == "MOS                          4.34                 -"
    assert max(map(len, lines)) <= 80


def test_an_approximate_percentile_has_a_legend(capsys):
    print_table([SUMMARY | {"delay_resolution": 1 / 32}], "")
    assert "; ≈: from a histogram, within 3.1 %" in capsys.readouterr().out


def test_columns_to_omit_first_and_a_column_of_prose(capsys, terminal):
    terminal(40)
    rows = [[str(i), "b" * 10, "c" * 10, "word " * 9] for i in range(9)]
    print_cells(["a", "b", "c", "text"], rows, left=("a", "b", "c", "text"), last=("c",), folded="text")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "a  b           text"
    assert lines[1:3] == ["0  " + "b" * 10 + "  " + "word word word word word", " " * 15 + "word word word word"]
    assert lines[-1] == "+1 column: c (--wide)"


@pytest.mark.parametrize(
    ("variables", "is_bold"),
    [({}, False), ({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "TERM": "dumb"}, False)],
)
def test_styles_change_no_text(capsys, monkeypatch, variables, is_bold):
    """FORCE_COLOR makes a pipe no terminal of 80 columns."""
    for name in ("FORCE_COLOR", "NO_COLOR", "COLUMNS", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    print_table(MANY, "")
    out = capsys.readouterr().out
    assert ("\x1b[1m" in out) == is_bold
    assert re.sub(r"\x1b\[[0-9;]*m", "", out).splitlines()[:2] == [HEAD, ROW]


def test_pairs_are_aligned(capsys):
    print_pairs([("format", "pcap"), ("ip packets", "17,641")], indent=1)
    assert capsys.readouterr().out == " format      pcap\n ip packets  17,641\n"


def test_a_table_of_summaries_has_a_line_for_each_run(capsys):
    print_table([SUMMARY, SUMMARY | {"procedure": "mipv6"}], "commute, seed 1")
    title, head, first, second, *_ = capsys.readouterr().out.splitlines()
    assert title == "commute, seed 1"
    assert head.split()[:2] == ["procedure", "lost"]
    assert (first.split()[0], second.split()[0]) == ("mipv4", "mipv6")


def test_a_terminal_has_its_own_width_and_a_pipe_none(monkeypatch):
    monkeypatch.setenv("COLUMNS", "97")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert output_width() is None
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert output_width() == 97
    with click.Context(click.Command("compare")) as context:
        context.meta[WIDE] = True
        assert output_width() is None


def test_every_command_with_a_table_has_wide():
    for words in (["run"], ["compare"], ["sweep"], ["plan"], ["query"], ["diff"], ["procedures"], ["trace", "info"]):
        command = root
        for word in words:
            command = command.get_command(click.Context(command), word)
        assert "--wide" in {option for parameter in command.params for option in parameter.opts}, words


def test_every_kind_of_message_has_a_legend():
    assert set(KINDS) <= TERMS.keys()
