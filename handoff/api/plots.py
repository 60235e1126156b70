"""Plots of the Python interface: charts of results, with the specifications of the reports (docs/python.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from engine.similar_names import name_hint
from handoff.api.arguments import as_tuple
from handoff.api.charts import make_chart
from handoff.api.errors import named_errors
from handoff.api.scenario import Scenario, Source, load
from handoff.api.study_source import StudySource
from handoff.output.printable import printable
from handoff.output.report.study_data import Row, StudyData
from handoff.output.report.wording import show_name
from handoff.scenario.errors import ScenarioError

if TYPE_CHECKING:
    import altair

    from handoff.experiments.planning.answer import Answer
    from handoff.output.report.diff_report import DiffLine
    from handoff.output.report.sweep_report import SweepPoint


class StudyPlots:
    """Charts of a run or of a comparison, as altair charts. Each has ``save("x.png")`` and ``save("x.svg")``.

    Parameters
    ----------
    read : callable
        Returns a table of the results by its name.
    source : StudySource or None
        What it takes to look at a run again; None for results of a folder.
    """

    def __init__(self, read: Callable[[str], pa.Table], source: StudySource | None) -> None:
        self._read, self._study_source = read, source

    def cdf(self, measure: str = "delay", *, tail: bool = False) -> altair.Chart:
        """Return the distribution of a quantity over packets, handoffs or flows.

        Parameters
        ----------
        measure : str
            ``delay`` of packets; of handoffs ``interruption``, ``latency``, ``lost``, ``dropped``, ``duplicate``, ``reordered``,
            ``forwarded``, ``handoff_delay_max``; ``flow_delay_mean``, ``flow_delay_p99``, ``flow_gap_max``,
            ``flow_jitter_max``, ``flow_loss_ratio``, ``flow_mos``.
        tail : bool
            True: the share above each value, on logarithmic axes, which show rare values. False: the share up to each value.

        Raises
        ------
        HandoffError
            If there is no such measure, or it has no value.
        """
        from handoff.output.report.distribution_section import QUANTITIES, distribution_spec

        quantity = QUANTITIES[_known("measure", measure, QUANTITIES)]
        spec = distribution_spec(self._study("runs", quantity.table), measure, tail)
        if spec is None and tail:
            raise ScenarioError([f"measure {measure!r}: no procedure has values that differ (some need detail=True)"])
        if spec is None:
            raise ScenarioError([f"measure {measure!r}: no procedure has a value (some need detail=True)"])
        side = "above" if tail else "up to"
        return make_chart(spec, quantity.title, f"Share of {quantity.of} {side} each value of {quantity.meaning}.")

    def loss(self, count: str = "lost") -> altair.Chart:
        """Return the number of disturbed packets under each procedure, with the 95 % interval of the expected number.

        Parameters
        ----------
        count : str
            ``lost``, ``duplicate``, ``reordered`` or ``after_marker``.
        """
        from handoff.output.report.loss_section import COUNTS, count_spec

        title, meaning = COUNTS[_known("count", count, COUNTS)]
        return make_chart(count_spec(self._study("runs"), count), title, f"For each procedure: {meaning}.")

    def timeline(
        self, handoff: int = 0, mobile_node: str | int | None = None, procedures: str | Sequence[str] | None = None, *,
        packets: bool = False, scenario: Source | None = None,
    ) -> altair.Chart:  # fmt: skip
        """Return the steps of one handoff over time, with a row for each procedure.

        Parameters
        ----------
        handoff : int
            Number of the handoff among those of its mobile node, from 0.
        mobile_node : str, int or None
            Name or number of the mobile node; None: the first one with such a handoff, if possible with packets.
        procedures : str, sequence of str or None
            Procedures; None: all of the results.
        packets : bool
            True: run each procedure again, and show each downstream packet at the time of its sending, by its path.
        scenario : str, Path, mapping, Scenario or None
            Scenario of results that were read from a folder; ``packets`` and a number of a mobile node need it.

        Raises
        ------
        HandoffError
            If there is no such handoff, mobile node or procedure.
        """
        from handoff.output.ladder.view import observe_handoff
        from handoff.output.report.timeline import timeline_spec
        from handoff.workload.mobile_names import find_mobile

        study = self._study("runs", "handoffs")
        names = study.procedures
        chosen = names if procedures is None else [_known("procedure", name, names) for name in as_tuple(procedures)]
        source = self._source(scenario, "timeline") if packets or isinstance(mobile_node, int) else None
        if isinstance(mobile_node, int) and source is not None:
            mobile_node = source.setup.network.mobile_name(find_mobile(source.setup, str(mobile_node), "mobile_node"))
        rows = _find_handoff(study, handoff, None if mobile_node is None else str(mobile_node), chosen)
        views = None
        if packets and source is not None:
            mobile = find_mobile(source.setup, rows[0]["mobile"], "mobile_node")
            with named_errors():
                views = {
                    name: observe_handoff(source.setup, source.procedures.get(name, name), mobile, handoff, source.seed)
                    for name in (row["procedure"] for row in rows)
                }
        first = rows[0]
        title = f"Handoff {handoff} of {show_name(first['mobile'])}: {show_name(first['old_router'])} → "
        title += show_name(first["new_router"])
        return make_chart(timeline_spec(rows, views), title, "Steps of the handoff under each procedure.")

    def series(self, measure: str = "queue_packets", procedure: str | None = None) -> altair.Chart:
        """Return a figure over time. The results need a time series, as in ``handoff.run(…, series="100ms")``.

        Parameters
        ----------
        measure : str
            ``lost``, ``queue_packets``, ``registrations``, ``bindings``, ``visitors`` or ``held_bytes``, with a line for each
            procedure; ``utilisation``: a heat map of the busiest links.
        procedure : str or None
            Procedure of the heat map; None: the one with the busiest link.

        Raises
        ------
        HandoffError
            If there is no time series or no such measure, or it is 0 throughout.
        """
        from handoff.output.report.series_section import COURSES, course_spec, heat_spec

        _known("measure", measure, [*COURSES, "utilisation"])
        study = self._study("runs", "series", "links")
        if procedure is not None:
            _known("procedure", procedure, study.procedures)
        if not study.tables["series"].num_rows:
            raise ScenarioError(["the results have no time series: run the study with one, as in run(…, series='100ms')"])
        spec = heat_spec(study, procedure) if measure == "utilisation" else course_spec(study, measure)
        if spec is None:
            raise ScenarioError([f"measure {measure!r}: it is 0 throughout"])
        return make_chart(spec, "Utilisation of links" if measure == "utilisation" else COURSES[measure].title)

    def map(self, procedure: str | None = None, *, scenario: Source | None = None) -> altair.Chart:
        """Return a map of routers, cells, tracks of some mobile nodes, handoffs and lost packets, in metres.

        Parameters
        ----------
        procedure : str or None
            Procedure whose handoffs and losses are shown; None: the one that loses the most packets.
        scenario : str, Path, mapping, Scenario or None
            Scenario of results that were read from a folder, which do not have the positions.

        Raises
        ------
        HandoffError
            If there are no handoffs, the movement has no positions, or the scenario is not known or is another one.
        """
        from handoff.api.places import load_places
        from handoff.output.report.map_section import map_spec

        study = self._study("runs", "handoffs")
        if procedure is None:
            procedure = max(study.runs, key=lambda row: row["lost"])["procedure"]
        _known("procedure", procedure, study.procedures)
        if not study.tables["handoffs"].num_rows:
            raise ScenarioError(["the results have no handoff: there is nothing to show on a map"])
        origin, seed = self._origin(scenario, "map")
        with named_errors():
            try:
                places = load_places(origin.model, origin.path, seed, study.tables["handoffs"])
            except KeyError as error:
                raise ScenarioError([f"scenario: it has no mobile node {error}: give the scenario of these results"]) from None
        if places is None:
            raise ScenarioError([
                "the movement has no positions, only times: a map needs a movement file or model with coordinates"
            ])  # fmt: skip
        title = f"Handoffs and losses under {show_name(procedure)}"
        return make_chart(map_spec(study, places, procedure), title, "Routers, cells, tracks, handoffs and lost packets.")

    def _study(self, *tables: str) -> StudyData:
        return StudyData({name: self._read(name) for name in tables})

    def _source(self, scenario: Source | None, chart: str) -> StudySource:
        if self._study_source is not None:
            return self._study_source
        loaded, seed = self._origin(scenario, chart)
        return StudySource(loaded, loaded.build(seed), seed, {})

    def _origin(self, scenario: Source | None, chart: str) -> tuple[Scenario, int]:
        """Return the scenario and the seed of the results, without reading its files."""
        if self._study_source is not None:
            return self._study_source.scenario, self._study_source.seed
        if scenario is None:
            raise ScenarioError([
                f"{chart}: the tables do not have what it shows: name the scenario of these results, as in "
                f"plot.{chart}(…, scenario='commute.toml')"
            ])  # fmt: skip
        loaded, study = load(scenario), self._study("runs")
        if study.facts.get("scenario", loaded.text) != loaded.text:
            raise ScenarioError([f"scenario: {loaded.path.name} is not the scenario of these results, or has changed since"])
        return loaded, int(study.tables["runs"]["seed"][0].as_py())


def _find_handoff(study: StudyData, handoff: int, mobile: str | None, procedures: Iterable[str]) -> list[Row]:
    """Return the rows of a handoff under each procedure.

    Raises
    ------
    ScenarioError
        If there is no such handoff or mobile node.
    """
    table = study.tables["handoffs"]
    table = table.filter(pc.is_in(table["procedure"], pa.array(list(procedures), pa.string())))
    if not table.num_rows:
        raise ScenarioError(["the results have no handoff"])
    if mobile is not None:
        names = list(dict.fromkeys(table["mobile"].to_pylist()))
        _known("mobile_node", mobile, names, "none of that name has a handoff")
        table = table.filter(pc.equal(table["mobile"], mobile))
    who = "no mobile node" if mobile is None else printable(mobile)
    last = pc.max(table["index"]).as_py()
    table = table.filter(pc.equal(table["index"], handoff))
    if not table.num_rows:
        has = "has such a handoff" if mobile is None else "has no such handoff"
        raise ScenarioError([f"handoff {handoff}: {who} {has}: give 0 to {last}"])
    with_packets = table.filter(pc.greater(pc.add(table["delivered"], table["dropped"]), 0))
    mobile = (with_packets if with_packets.num_rows else table)["mobile"][0].as_py()
    rows = {row["procedure"]: row for row in table.filter(pc.equal(table["mobile"], mobile)).to_pylist()}
    return [rows[name] for name in procedures if name in rows]


class SweepPlots:
    """Charts of a sweep, as altair charts.

    Parameters
    ----------
    measures : sequence of str
        Measures of the summary.
    points : callable
        Returns the points with the estimates of measures.
    """

    def __init__(self, measures: Sequence[str], points: Callable[[Sequence[str]], list[SweepPoint]]) -> None:
        self._measures, self._points = measures, points

    def response(self, measure: str | None = None, *, targets: str | Sequence[str] = ()) -> altair.Chart:
        """Return the response curves of a measure: means with the band of their 95 % interval.

        Parameters
        ----------
        measure : str or None
            Name as ``handoff measures`` lists it; None: the first one of the summary.
        targets : str or sequence of str
            Targets, as in ``"loss_ratio<=1%"``; each for this measure is a dashed line.

        Raises
        ------
        HandoffError
            If there is no such measure, a target is wrong, or no point has a value.
        """
        from handoff.api.sweep_points import sweep_measure
        from handoff.experiments.planning.slo import parse_targets
        from handoff.metrics.catalogue import get_measure
        from handoff.output.report.sweep_report import response_chart

        name = self._measures[0] if measure is None else measure
        with named_errors():
            found = get_measure(name)
            limits = parse_targets(as_tuple(targets), lambda text: get_measure(text).unit)
        if others := [str(target) for target in limits if target.measure != name]:
            raise ScenarioError([f"targets: {text!r} is not about {name}: name a limit of {name}" for text in others])
        chart = response_chart(self._points([name]), sweep_measure(name, limits))
        if chart is None:
            raise ScenarioError([f"measure {name!r}: no point has a value"])
        return make_chart(chart.specs[0], f"{show_name(name)}: {found.about}", chart.sentence)


class PlanPlots:
    """Charts of a plan, as altair charts.

    Parameters
    ----------
    answers : sequence of Answer
        Answers of the plan.
    """

    def __init__(self, answers: Sequence[Answer]) -> None:
        self._answers = answers

    def search(self, target: str | None = None, procedure: str | None = None) -> altair.Chart:
        """Return the values that the search tried, numbered in its order, with interval and verdict of a target at each.

        Parameters
        ----------
        target : str or None
            A text of ``PlanResults.targets``, or its measure; None: the first one.
        procedure : str or None
            None: the first one.

        Raises
        ------
        HandoffError
            If there is no such target or procedure, or the search tried no value.
        """
        from handoff.api.plan_trials import plan_trials
        from handoff.output.report.plan_report import search_chart

        answers = {answer.procedure: answer for answer in reversed(self._answers)}
        name = self._answers[0].procedure if procedure is None else _known("procedure", procedure, [*answers][::-1])
        answer = answers[name]
        trials = plan_trials(answer)
        texts = {t.target: t.target for trial in trials for t in trial.targets}
        if not texts:
            raise ScenarioError([f"{printable(name)}: the search tried no value"])
        by_measure = {r.target.measure: str(r.target) for results in answer.bracket.verdicts.values() for r in results}
        found = next(iter(texts)) if target is None else (by_measure | texts)[_known("target", target, by_measure | texts)]
        chart = search_chart(trials, answer.field_name, found)
        if not chart.specs:
            raise ScenarioError([f"target {found!r}: no value has a result"])
        return make_chart(chart.specs[0], f"{show_name(name)}: {show_name(found)}", chart.sentence)


class DiffPlots:
    """Charts of a comparison of two results, as altair charts.

    Parameters
    ----------
    lines : sequence of DiffLine
        Differences, the most important ones first.
    """

    def __init__(self, lines: Sequence[DiffLine]) -> None:
        self._lines = lines

    def changes(self) -> altair.Chart:
        """Return the most important differences as shares of the values in A, with their intervals and verdicts.

        Raises
        ------
        HandoffError
            If nothing differs, or all values in A are 0.
        """
        from handoff.output.report.diff_report import change_spec, zero_sentence

        spec = change_spec(self._lines)
        if spec is None:
            raise ScenarioError(["no difference is a share of a value in A: either nothing differs, or the values in A are 0"])
        sentence = f"Differences as shares of the values in A, with their intervals. {zero_sentence(self._lines)}".rstrip()
        return make_chart(spec, "Changes from A to B", sentence)


def _known(argument: str, name: Any, names: Iterable[str], what: str = "there is none") -> str:
    """Return a name that exists.

    Raises
    ------
    ScenarioError
        With similar names, or all of them.
    """
    names = list(names)
    if name not in names:
        shown = [printable(known) for known in names]
        otherwise = f"there are {', '.join(shown[:20])}" + (f" and {len(shown) - 20} more" if len(shown) > 20 else "")
        raise ScenarioError([f"{argument} {name!r}: {what}; {name_hint(str(name), shown, otherwise)}"])
    return str(name)


__all__ = ["DiffPlots", "PlanPlots", "StudyPlots", "SweepPlots"]
