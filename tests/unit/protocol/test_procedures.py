"""Tests of handoff.protocol.procedures and its steps."""

import pytest

from handoff.protocol.procedures import ALL_PROCEDURES, PROCEDURES, Procedure, Step, find_procedure, name_errors, parse_names
from handoff.protocol.procedures.steps import predictive_path, rescue_steps, update_steps

MARKERS = {  # docs/procedures.md, the procedures
    "sync-mipv4": ("DRR", ("HA", "oAR", "MN")),
    "sync-mipv4-ro": ("DBA", ("CN", "oAR", "MN")),
    "sync-hmipv4": ("DRR", ("GFA", "oAR", "MN")),
    "sync-mipv6": ("DBA", ("HA", "oAR", "MN")),
    "sync-mipv6-ro": ("DBA", ("CN", "oAR", "MN")),
    "sync-hmipv6": ("DBA", ("MAP", "oAR", "MN")),
    "sync-hmipv6-ro": ("DBA", ("MAP", "oAR", "MN")),
}


@pytest.mark.parametrize("name", MARKERS)
def test_the_anchor_sends_the_marker_over_the_old_router(name):
    procedure = PROCEDURES[name]
    marker, path = MARKERS[name]
    assert procedure.marker == marker
    assert procedure.anchor == path[0]
    assert [s.path for s in procedure.signalling if s.message == marker] == [path]


@pytest.mark.parametrize("name", MARKERS)
def test_synchronized_procedures_register_before_the_move_and_rescue_at_the_warning(name):
    procedure = PROCEDURES[name]
    assert procedure.predictive
    update, after_move, acknowledgement = procedure.rescue
    assert (update.on, update.path, update.effect) == ("going-down", ("MN", "oAR"), "forward")
    assert (after_move.on, after_move.path, after_move.effect) == ("move", ("MN", "nAR", "oAR"), "forward")
    assert update.message == after_move.message == acknowledgement.on
    assert acknowledgement.path == ("oAR", "nAR", "MN")


def test_hierarchical_procedures_are_those_with_a_gateway_as_anchor():
    assert all(p.hierarchical == (p.anchor in ("GFA", "MAP")) for p in PROCEDURES.values())


def test_conventional_procedures_register_after_the_move_without_marker_and_rescue():
    conventional = [p for p in PROCEDURES.values() if p.family == "conventional"]
    assert len(conventional) == 5
    assert {(p.predictive, p.marker, p.rescue) for p in conventional} == {(False, "", ())}


def test_properties_are_computed_once():
    procedure = Procedure("p", "", "", "", (), 4, "HA", (Step("predict", "RQ", ("MN", "oAR", "nAR", "HA"), "bind"),))
    assert procedure.predictive
    assert not procedure.hierarchical
    assert {"predictive", "hierarchical"} <= set(vars(procedure))


def test_a_predicted_update_and_its_acknowledgement():
    assert update_steps("predict", "2", predictive_path("HA"), "simultaneous", "registered") == (
        Step("predict", "BU2", ("MN", "oAR", "nAR", "HA"), "simultaneous"),
        Step("BU2", "BA2", ("HA", "nAR", "MN"), "registered"),
    )
    assert rescue_steps("3") == (
        Step("going-down", "BU3", ("MN", "oAR"), "forward"),
        Step("move", "BU3", ("MN", "nAR", "oAR"), "forward"),
        Step("BU3", "BA3", ("oAR", "nAR", "MN")),
    )


def test_procedures_are_in_the_order_of_the_figures():
    assert list(PROCEDURES)[:3] == ["mipv4", "mipv6-ro", "mipv6"]  # figures 3, 4 and 5
    assert list(PROCEDURES)[-1] == "pmipv6", "not of the seed"


def test_names_are_split_at_commas():
    assert parse_names("mipv4, sync-mipv6") == ["mipv4", "sync-mipv6"]
    assert parse_names(" all ") == list(ALL_PROCEDURES)
    assert parse_names("mobile-ip,xn") == [*PROCEDURES, "xn"]


def test_unknown_and_repeated_names_are_reported():
    unknown, repeated = name_errors(["mipv4", "mipv9", "mipv4"])
    assert unknown == "no procedure 'mipv9'; did you mean 'mipv4' or 'mipv6' or 'mipv6-ro'?"
    assert name_errors(["???"]) == [f"no procedure '???'; there are {', '.join(ALL_PROCEDURES)}"]
    assert repeated == "procedure 'mipv4' is listed twice: name each once"
    assert name_errors(["mipv4", "mipv6"]) == []


def test_a_procedure_is_found_by_name():
    assert find_procedure("sync-mipv4").name == "sync-mipv4"
    with pytest.raises(ValueError, match="no procedure 'x'"):
        find_procedure("x")
