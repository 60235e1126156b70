"""Section of targets: which procedures meet each of them, and by which value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from handoff.output.report.contents import Chart, Section, TextTable
from handoff.output.report.wording import DASH, join_words, plural, show_name


@dataclass(frozen=True)
class TargetLine:
    """Outcome of a target for a procedure.

    Attributes
    ----------
    subject : str
        Name of the procedure.
    target : str
        Target as text.
    value : str
        Value with its unit and, if it has one, its interval; or the reason why there is none.
    passed : bool
        True if the value meets the target.
    """

    subject: str
    target: str
    value: str
    passed: bool


def target_section(lines: Sequence[TargetLine]) -> Section | None:
    """Return a table of procedures and targets; None without targets."""
    if not lines:
        return None
    targets = list(dict.fromkeys(line.target for line in lines))
    subjects = list(dict.fromkeys(line.subject for line in lines))
    found = {(line.subject, line.target): line for line in lines}
    rows = []
    for subject in subjects:
        cells = [found.get((subject, target)) for target in targets]
        texts = [DASH if cell is None else f"{'✓' if cell.passed else '✗'} {show_name(cell.value)}" for cell in cells]
        rows.append((show_name(subject), *texts))
    good = [s for s in subjects if all(line.passed for line in lines if line.subject == s)]
    who = "No procedure meets" if not good else f"{plural(len(good), 'procedure')} of {len(subjects)}"
    who += "" if not good else " meets" if len(good) == 1 else " meet"
    names = f": {join_words([show_name(name) for name in good])}" if 0 < len(good) <= 5 else ""
    table = TextTable(("Procedure", *map(show_name, targets)), tuple(rows), tuple(map(show_name, targets)))
    count = "the target" if len(targets) == 1 else f"{_all(len(targets))} targets"
    return Section("targets", "Targets", "", (Chart("Outcomes", f"{who} {count}{names}.", table),))


def target_clause(lines: Sequence[TargetLine], subject: str) -> str:
    """Return what the verdict says about the targets of a procedure, without its name; empty without targets."""
    own = [line for line in lines if line.subject == subject]
    missed = [line for line in own if not line.passed]
    if not own:
        return ""
    if not missed:
        return "meets the target" if len(own) == 1 else f"meets {_all(len(own))} targets"
    return f"misses {join_words([f'{show_name(line.target)} ({show_name(line.value)})' for line in missed])}"


def _all(number: int) -> str:
    return "both" if number == 2 else f"all {number}"
