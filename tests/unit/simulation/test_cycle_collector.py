"""The cyclic garbage collector during a run."""

import gc

import pytest

from handoff.protocol.procedures import PROCEDURES
from handoff.simulation.baseline import ZERO_BYTES
from handoff.simulation.cycle_collector import pause_cycle_collector
from handoff.simulation.run import run_procedure
from tests.analytic.one_handoff import one_handoff_setup


@pytest.fixture
def collector():
    gc.collect()
    gc.freeze()  # the objects of a whole session of tests are not searched at each event
    yield gc
    gc.unfreeze()
    gc.enable()


def test_a_pause_ends_with_its_block_even_after_an_exception(collector):
    @pause_cycle_collector()
    def fail():
        assert not collector.isenabled()
        raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fail()
    assert collector.isenabled()


def test_a_collector_that_was_disabled_stays_so(collector):
    collector.disable()
    with pause_cycle_collector():
        pass
    assert not collector.isenabled()


class Watched:
    """Controller that records whether the collector is enabled at its events."""

    def __init__(self, controller, enabled):
        self.controller, self.enabled = controller, enabled

    def on_event(self, ctx, event):
        self.enabled.add(gc.isenabled())
        self.controller.on_event(ctx, event)


def test_controllers_run_while_the_collector_pauses_and_progress_does_not(collector):
    in_events, in_progress = set(), set()

    def progress(_):
        in_progress.add(gc.isenabled())
        return True

    setup = one_handoff_setup("mipv4", old_down=50, new_up=60, until_ms=200)
    run_procedure(setup, "mipv4", reference=ZERO_BYTES, wrap=lambda _, c: Watched(c, in_events), progress=progress)
    assert (in_events, in_progress) == ({False}, {True})


@pytest.mark.parametrize("procedure", PROCEDURES)
def test_controllers_make_no_reference_cycles(procedure, collector):
    """Objects that only the collector could free would stay until the end of a slice."""
    unreachable = []

    class Counted:
        def __init__(self, controller):
            self.controller = controller

        def on_event(self, ctx, event):
            collector.collect()
            self.controller.on_event(ctx, event)
            unreachable.append(collector.collect())

    setup = one_handoff_setup(procedure, predict=30, warn=40, old_down=50, new_up=60, until_ms=200)
    run_procedure(setup, procedure, reference=ZERO_BYTES, wrap=lambda _, c: Counted(c))
    assert set(unreachable) == {0}
