"""Report of a run or of a comparison."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from handoff.output.report.around_section import around_section
from handoff.output.report.contents import Chart, Drawing, Report, Section, TextTable, filled
from handoff.output.report.cost_section import scenario_section, signalling_section, traffic_section
from handoff.output.report.distribution_section import distribution_section
from handoff.output.report.element_section import agent_section, link_section
from handoff.output.report.loss_section import attack_section, loss_section, summary_section
from handoff.output.report.map_section import MapData, map_section
from handoff.output.report.series_section import series_section
from handoff.output.report.study_data import HandoffSource, Row, StudyData
from handoff.output.report.target_section import TargetLine, target_section
from handoff.output.report.verdict import key_figures, verdict
from handoff.output.report.wording import plural, show_name
from handoff.output.report.worst_section import worst_section


def study_report(
    tables: Mapping[str, pa.Table], ladders: Sequence[Drawing] = (), targets: Sequence[TargetLine] = (),
    places: MapData | None = None, stored_handoffs: HandoffSource | None = None, address: Callable[[Row], str] | None = None,
) -> Report:  # fmt: skip
    """Return the report of the tables of a study (``handoff.output.parquet.build_tables``).

    Parameters
    ----------
    tables : mapping of str to pyarrow.Table
        Tables by name, at least ``runs`` with a row. What needs a missing table is left out.
    ladders : sequence of Drawing
        Ladder diagrams of the worst handoffs.
    targets : sequence of TargetLine
        Outcomes of the targets of the study.
    places : MapData or None
        Positions, if the movement has some.
    stored_handoffs : HandoffSource or None
        Table of handoffs that is in its file, and not in ``tables``.
    address : callable or None
        Returns the address of the page of a handoff, if there is one.

    Raises
    ------
    ValueError
        If the study has no run.
    """
    study = StudyData(tables, stored_handoffs)
    if not study.runs:
        raise ValueError("the study has no run: there is nothing to report")
    sections = filled([
        summary_section(study), target_section(targets), loss_section(study), attack_section(study), around_section(study),
        distribution_section(study), scenario_section(study), traffic_section(study), signalling_section(study),
        link_section(study), series_section(study), agent_section(study), worst_section(study, ladders, address),
        map_section(study, places), origin_section(study.facts, _run_facts(study)),
    ])  # fmt: skip
    name = study.facts.get("scenario_file", "study").removesuffix(".toml")
    stopped = [row for row in study.runs if study.is_interrupted(row)]
    first = study.runs[0]
    subtitle = f"{plural(len(study.runs), 'procedure')}, {plural(first['handoffs'], 'handoff')}, {study.seconds(first):,.4g} s"
    if stopped:
        subtitle += "; interrupted before the end"
    command = shlex.join(["handoff", *study.facts["command"]]) if "command" in study.facts else ""
    scenario = study.facts.get("scenario", "")
    return Report(show_name(name), subtitle, verdict(study, targets), key_figures(study), sections, command, scenario)


def _run_facts(study: StudyData) -> list[tuple[str, str]]:
    return [(f"Fingerprint of {show_name(r['procedure'])}", f"{r['fingerprint']:016x}") for r in study.runs]


def origin_section(facts: Mapping[str, Any], more: Sequence[tuple[str, str]] = ()) -> Section:
    """Return the section that says where the figures come from: scenario, seed, versions, fingerprints."""
    rows = [("Scenario file", show_name(facts["scenario_file"]))] if "scenario_file" in facts else []
    rows += [("Seed", str(facts["seed"]))] if "seed" in facts else []
    rows += [(f"Version of {name}", str(text)) for name, text in facts.get("versions", {}).items()]
    rows += list(more)
    table = TextTable(("Fact", "Value"), tuple((a, b) for a, b in rows), ("Value",))
    sentence = "The same versions and the same command make the same figures, bit for bit."
    return Section("origin", "Origin", "", (Chart("Versions and fingerprints", sentence, table),))
