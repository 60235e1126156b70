"""Tests of handoff.protocol.program."""

from dataclasses import replace

import pytest

from handoff.protocol.agent import Agent
from handoff.protocol.options import Options
from handoff.protocol.procedure_errors import procedure_errors
from handoff.protocol.procedures import ALL_PROCEDURES, PROCEDURES, Step
from handoff.protocol.program import HOME, REGIONAL, Program, compile_program
from tests.unit.protocol.parts import SECOND, build_parts, step_number


def compile_with(procedure, **options):
    return Program.compile(PROCEDURES[procedure], Options(**options))


def messages_on(program, event, variant=HOME):
    return [program.steps[i].step.message for i in program.steps_on(variant, event)]


def only_step(program, message, on):
    (step,) = [s for s in program.steps if s.step.message == message and s.step.on == on]
    return step


def test_a_predicted_request_goes_over_the_old_link_and_has_a_fallback_over_the_new_one():
    program = compile_with("sync-mipv4")
    request = only_step(program, "RQ", "known")
    assert (request.step.path, request.over_old_link) == (("MN", "oAR", "nAR", "HA"), True)
    fallback = program.steps[request.fallback_step]
    assert (fallback.step.on, fallback.step.path, fallback.over_old_link) == ("move", ("MN", "nAR", "HA"), False)
    assert fallback.fallback_step == -1


@pytest.mark.parametrize(
    ("procedure", "request_option", "reacts"),
    [
        ("mipv6", "going-down", False),  # it sends nothing before the move
        ("mipv4-bicast", "auto", False),
        ("mipv4-bicast", "going-down", True),
        ("sync-mipv4", "predict", True),  # the update to the old router
    ],
)
def test_a_program_reacts_to_the_warning_with_a_request_or_an_update(procedure, request_option, reacts):
    assert compile_with(procedure, request=request_option).reacts_to_warning == reacts


def test_the_fallback_of_a_simultaneous_binding_is_a_plain_one():
    program = compile_with("mipv4-bicast")
    request = only_step(program, "RQ", "known")
    assert request.step.effect == "simultaneous"
    assert program.steps[request.fallback_step].step.effect == "bind"


def test_a_deregistration_has_no_fallback_over_the_new_link():
    assert only_step(compile_with("sync-mipv6"), "DBU", "known").fallback_step == -1


def test_layer_2_relay_removes_the_old_router_from_the_path():
    program = compile_with("sync-mipv6", relay="l2")
    assert only_step(program, "BU", "known").step.path == ("MN", "nAR", "HA")
    assert only_step(program, "DBU", "known").step.path == ("MN", "oAR", "HA"), "the old router is its only router"


def test_replies_are_found_through_other_nodes():
    """pmipv6: the solicitation starts the proxy update, its acknowledgement the advertisement, which registers."""
    program = compile_with("pmipv6")
    solicitation = only_step(program, "AS", "move")
    assert [program.steps[i].step.message for i in solicitation.replies] == ["AA"]
    assert solicitation.registers
    assert solicitation.needs_reply


def test_the_request_of_sync_mipv4_has_two_replies_of_which_one_registers():
    program = compile_with("sync-mipv4")
    request = only_step(program, "RQ", "known")
    assert {program.steps[i].step.message for i in request.replies} == {"RR", "DRR"}
    assert request.registers
    assert only_step(program, "DRR", "RQ").needs_old_router
    assert not only_step(program, "RR", "RQ").needs_old_router


@pytest.mark.parametrize(("procedure", "message"), [("sync-mipv4", "BU"), ("sync-mipv6-ro", "BU3"), ("sync-hmipv6", "BU2")])
def test_an_update_at_the_warning_is_repeated_over_the_new_link(procedure, message):
    """Decision 30: until its acknowledgement arrives. Over the new link it is the update of a move without a warning."""
    program = compile_with(procedure)
    update, after_move = (program.steps[step_number(program, message, on)] for on in ("going-down", "move"))
    assert (update.over_old_link, after_move.over_old_link) == (True, False)
    assert update.needs_reply
    assert after_move.needs_reply
    assert update.replies == after_move.replies
    assert [program.steps[i].step.path for i in update.replies] == [("oAR", "nAR", "MN")]
    assert program.steps[update.fallback_step] is after_move
    assert after_move.needs_old_router, "a refresh sends none"


def test_the_home_agent_starts_reply_and_marker_on_a_request():
    program = compile_with("sync-mipv4")
    starts = only_step(program, "RQ", "known").starts
    assert starts[:3] == ((), (), ())
    assert [program.steps[i].step.message for i in starts[3]] == ["RR", "DRR"]


def test_a_message_to_correspondents_is_sent_for_each():
    program = compile_with("sync-mipv6-ro")
    assert {s.step.message for s in program.steps if s.per_peer and s.step.path[0] == "MN"} == {"BU2", "DBU"}


def test_a_hierarchical_procedure_has_a_variant_for_each_anchor():
    program = compile_with("sync-hmipv6")
    assert messages_on(program, "known", REGIONAL) == ["BU", "DBU"]
    assert messages_on(program, "known", HOME) == ["BU", "BU3", "DBU"]
    assert {program.steps[i].step.path[-1] for i in program.steps_on(REGIONAL, "known")} == {"MAP"}
    assert messages_on(program, "move", REGIONAL) == ["BU", "BU2"]  # BU2 makes the old router forward (decision 30)


@pytest.mark.parametrize(
    ("prediction", "prelude"),
    [("layer2", []), ("solicitation", [("oAR", "nAR")]), ("piggyback", [("nAR", "oAR", "MN")])],
)
def test_the_prelude_brings_the_advertisement_before_the_move(prediction, prelude):
    program = compile_with("sync-mipv4", prediction=prediction)
    assert [program.steps[i].step.path for i in program.prelude] == prelude
    assert compile_with("mipv4", prediction=prediction).prelude == (), "not predictive"


def test_a_discovered_temporary_home_agent_is_asked_first():
    program = compile_with("mipv6", temporary_home_agent="discovery")
    assert messages_on(program, "move") == ["BU1", "HADQ"]
    assert messages_on(program, "HADR") == ["BU3"]
    assert messages_on(compile_with("mipv6"), "move") == ["BU1", "BU3"]


def test_the_new_router_can_notify_the_old_one():
    program = compile_with("mipv4-smooth", notification="router")
    assert messages_on(program, "move") == ["RQ"]
    request = only_step(program, "RQ", "move")
    assert [program.steps[i].step.message for i in request.starts[1]] == ["BU2"], "started by the router that relays the request"


def test_return_routability_adds_the_tests():
    assert compile_with("mipv6-ro").return_routability == {}
    program = compile_with("mipv6-ro", return_routability=True)
    assert set(program.return_routability) == {f"{kind}{link}" for kind in ("HoTI", "HoT", "CoTI", "CoT") for link in "12"}
    for test in ("HoTI", "CoTI"):
        assert program.steps[program.return_routability[f"{test}1"]].fallback_step == program.return_routability[f"{test}2"]


@pytest.mark.parametrize(
    ("procedure", "options", "lifetime_s", "refresh_s"),
    [
        ("mipv4", {}, 600, 300),
        ("mipv6-ro", {}, 600, 300),
        ("mipv6-ro", {"return_routability": True}, 600, 210),  # bindings of correspondents last 420 s (RFC 6275 12)
        ("mipv6-ro", {"return_routability": True}, 100, 50),
        ("mipv6", {"return_routability": True}, 600, 300),  # no bindings of correspondents
    ],
)
def test_a_registration_is_refreshed_at_half_the_shortest_lifetime(procedure, options, lifetime_s, refresh_s):
    assert compile_with(procedure, **options).refresh_ps(lifetime_s) == refresh_s * SECOND


def test_a_setup_is_compiled_by_name():
    setup = build_parts("mipv4").setup
    assert compile_program(setup, "mipv4").procedure is PROCEDURES["mipv4"]
    with pytest.raises(ValueError, match="no procedure 'mipv9'"):
        compile_program(setup, "mipv9")


def test_a_hierarchical_procedure_requires_gateways():
    setup = replace(build_parts("mipv4").setup, gateways={})
    with pytest.raises(ValueError, match="a region with a gateway, or leave this procedure out; old, new have none"):
        compile_program(setup, "sync-hmipv6")
    assert compile_program(setup, "mipv4")


@pytest.mark.parametrize(
    ("step", "error"),
    [
        (Step("move", "XX", ("MN", "nAR")), "step 'move', 'XX': no message 'XX'; there are RQ, "),
        (Step("moved", "RQ", ("MN", "nAR")), "no event or message before it 'moved'; did you mean 'move'?"),
        (Step("RR", "RQ2", ("MN", "nAR", "HAA")), "no role 'HAA'; did you mean 'HA'?"),
        (Step("move", "RQ2", ("MN", "nAR"), "bindd"), "no effect 'bindd'; did you mean 'bind'?"),
        (Step("move", "RQ2", ("MN", "nAR"), first="forwards"), "no first action 'forwards'; did you mean 'forward'?"),
        (Step("move", "RQ2", ("MN", "nAR"), format="XnAP Handover Requst"), "no format 'XnAP Handover Requst'; did you mean"),
        (Step("move", "RQ2", ("MN",)), "its path is ('MN',): name sender and receiver"),
    ],
)
def test_a_word_in_a_row_that_nothing_handles_is_an_error(step, error):
    mipv4 = ALL_PROCEDURES["mipv4"]
    (message,) = procedure_errors(replace(mipv4, name="mine", signalling=(*mipv4.signalling, step)))
    assert message.startswith(f"mine: step {step.on!r}, {step.message!r}: ")
    assert error in message


def test_the_procedures_have_no_errors():
    assert [error for procedure in ALL_PROCEDURES.values() for error in procedure_errors(procedure)] == []
    assert procedure_errors(replace(ALL_PROCEDURES["sync-mipv4"], name="mine", anchor="XA", marker="YY"))[0].startswith(
        "mine: no anchor 'XA'; "
    )


def test_a_controller_of_ones_own_may_have_effects_of_its_own():
    mipv4 = ALL_PROCEDURES["mipv4"]
    steps = (*mipv4.signalling, Step("move", "RQ2", ("MN", "nAR"), "measure"))
    assert len(procedure_errors(replace(mipv4, signalling=steps))) == 1
    assert procedure_errors(replace(mipv4, signalling=steps, agent=Agent)) == []
