"""Tables ``[movement]`` and ``[coverage]`` of a scenario file."""

from typing import get_args

import pytest
from pydantic import ValidationError

from handoff.cli.commands.trace import FORMATS, ON_BAD_RECORD
from handoff.mobility.commuters import UniformTime
from handoff.scenario.field_types import OnBadRecord
from handoff.scenario.handoff_times import parse_uniform
from handoff.scenario.movement import (
    CommutersModel,
    CoverageModel,
    FileFormat,
    GaussMarkovModel,
    LogFormat,
    Movement,
    RandomWaypointModel,
    TraceFormat,
)
from handoff_traces import bad_records, cell_logs, movement

MS = 10**9
COMMUTERS = {"mobile_nodes": 3, "handoff_rate": "60/h", "overlap": "100ms", "lead": "100ms"}
WAYPOINT = {"mobiles": 2, "width": "300m", "height": "100m", "slowest": "5m/s", "fastest": "30m/s"}
GAUSS_MARKOV = {"mobiles": 2, "width": "300m", "height": "100m", "speed": "5m/s"}
COVERAGE = {"positions_m": {"a": [0.5, 0], "b": [100, 0]}}


def problem(model, table):
    with pytest.raises(ValidationError) as caught:
        model.model_validate(table)
    (error,) = caught.value.errors()
    return error["msg"].removeprefix("Value error, ")


def test_names_of_files_are_those_of_the_readers():
    """The scenario does not import the readers. ``trace info`` has ``--columns`` in the place of the format csv."""
    assert get_args(OnBadRecord) == get_args(bad_records.OnBadRecord) == ON_BAD_RECORD
    assert get_args(TraceFormat) == get_args(movement.Format)
    assert get_args(LogFormat) == get_args(cell_logs.CellLogFormat)
    assert set(FORMATS) == set(get_args(FileFormat)) - {"csv"}


def test_duration_or_range_is_a_uniform_distribution():
    assert parse_uniform("20ms") == UniformTime(20 * MS, 20 * MS)
    assert parse_uniform(["20ms", "100ms"]) == UniformTime(20 * MS, 100 * MS)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (["1ms", "2ms", "3ms"], "is neither a duration nor the ends of a range, as in"),
        (["2ms", "1ms"], "ends before it begins: write the shorter duration first"),
        ([1, "2ms"], "1 has no unit"),
    ],
)
def test_invalid_distribution_is_reported(value, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 -- the message is compared below
        parse_uniform(value)
    assert message in str(caught.value)


def test_dwell_of_moving_commuters_keeps_the_mean_rate():
    """60 handoffs an hour are one a minute; if one node in four moves, each of these hands off every 15 s."""
    for moving, dwell_s in ((1, 60), (0.25, 15)):
        model = CommutersModel.model_validate(COMMUTERS | {"moving": moving}).model()
        assert model.dwell_ps == dwell_s * 10**12
        assert model.moving_share == moving * 2**64


def test_commuters_are_numbered():
    assert CommutersModel.model_validate(COMMUTERS | {"prefix": "car"}).names() == ["car0", "car1", "car2"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gap": "1ms"}, "give either 'gap' (time without a link) or 'overlap' (time with two links), where '0s' means neither"),
        ({"overlap": None}, "give either 'gap'"),
        ({"overlap": "101ms"}, "give an 'overlap' of at most 'lead' and 'guard' together"),
        ({"moving": 0}, "'moving' is 0, which excludes a 'handoff_rate' above 0: change one of them"),
    ],
)
def test_contradiction_between_handoff_times_is_reported(changes, message):
    assert problem(CommutersModel, COMMUTERS | changes).startswith(message)


def test_random_waypoint_needs_a_speed_above_0():
    assert RandomWaypointModel.model_validate(WAYPOINT).model().width_mm == 300_000
    for slowest in ("0m/s", "31m/s"):
        assert problem(RandomWaypointModel, WAYPOINT | {"slowest": slowest}).startswith("give a 'slowest' above 0")


def test_gauss_markov_needs_a_step_of_whole_milliseconds():
    assert GaussMarkovModel.model_validate(GAUSS_MARKOV).model().step_ps == 10**12
    for step in (0, "1500us"):
        assert problem(GaussMarkovModel, GAUSS_MARKOV | {"step": step}) == (
            "give a 'step' of a whole number of milliseconds above 0"
        )


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({}, "give exactly one of 'associations', 'capture', 'trace', 'random_waypoint', 'gauss_markov', 'commuters'"),
        ({"associations": "x", "trace": "y"}, "give exactly one of"),
        ({"associations": "x", "format": "gpx", "origin": [1, 1]}, "leave out 'format', 'origin': not used without a 'trace'"),
        ({"associations": "x", "lead": "1s"}, "leave out 'lead': not used without a 'capture'"),
        (
            {"gauss_markov": GAUSS_MARKOV, "begin": "1s"},
            "leave out 'begin': not used without a 'trace', 'associations' or a 'capture'",
        ),
        ({"trace": "x", "begin": "1700000000s"}, "'begin' is beyond 106 days: only 'associations' may have UNIX times"),
        ({"trace": "x", "begin": "yesterday"}, "'yesterday' is not a duration"),
        ({"trace": "x", "format": "syslog"}, "'format' is 'syslog': give one of fcd, fcd-geo, gpx"),
        ({"trace": "x", "columns": {"cell": "c", "time": "t"}}, "leave out 'columns': not used without 'associations'"),
        ({"associations": "x", "columns": {"cell": "c"}}, "give 'cell' and 'time', and 'mobile' unless"),
        ({"associations": "x", "format": "csv"}, "give 'columns' with the format 'csv', and with no other"),
        ({"associations": "x", "activity": "y"}, "leave out 'activity': not used without a 'trace'"),
        ({"gauss_markov": GAUSS_MARKOV, "on_bad_record": "skip"}, "leave out 'on_bad_record': not used without a 'trace' or"),
        ({"capture": "x.pcap"}, "give 'routers' with the 'capture': it maps care-of addresses to routers"),
        ({"capture": "x.pcap", "routers": ["a"]}, "give a table of care-of addresses or prefixes and router names"),
    ],
)
def test_contradiction_between_sources_of_movement_is_reported(table, message):
    assert problem(Movement, table).startswith(message)


def test_begin_of_an_association_log_may_be_a_unix_time():
    """1,700,000,000.5 s have 19 digits and 12 more in picoseconds, beyond int64."""
    assert Movement.model_validate({"associations": "x", "begin": "1700000000.5s"}).begin == 1_700_000_000_500_000_000_000
    assert Movement.model_validate({"associations": "x", "begin": "20ms"}).begin == 20 * 10**9


@pytest.mark.parametrize(("source", "positions"), [("associations", False), ("trace", True)])
def test_positions_come_from_traces_and_models(source, positions):
    assert Movement.model_validate({source: "file"}).has_positions is positions


def test_coverage_reads_positions_in_millimetres_and_levels_in_thousandths():
    model = CoverageModel.model_validate(COVERAGE | {"minimum": "-80.5dBm", "hysteresis": "1dB", "single_access": 0.25})
    assert (model.placed(), model.positions_m["a"]) == (["a", "b"], (500, 0))
    coverage = model.model([500, 100_000], [0, 0])
    assert (coverage.minimum, coverage.hysteresis, coverage.single_access) == (-80_500, 1000, 2**64 // 4)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({}, "give routers' positions as either 'positions_m' (x, y) or 'positions_deg' (latitude, longitude)"),
        (COVERAGE | {"lead": "1ms", "lead_spread": "2ms"}, "give a 'lead_spread' of at most 'lead'"),
        (COVERAGE | {"minimum": "-80dBm", "going_down": "-81dBm"}, "give a 'going_down' of at least 'minimum'"),
        ({"positions_deg": {"a": [91, 0]}}, "91 is not a latitude in degrees: give a number from -90 to 90"),
    ],
)
def test_invalid_coverage_is_reported(table, message):
    assert problem(CoverageModel, table).startswith(message)
