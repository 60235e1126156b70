"""Registration queue that answers when it is full: the controller learns of each drop at once, in oracle and engine."""

import pytest

from engine import Engine, Fate, Network
from tests.differential.oracle import Oracle

MS = 10**9
ASK, DENY, LATER = 10, 11, 1
both = pytest.mark.parametrize("kind", [Engine, Oracle])


class Asker:
    """Controller that sends a numbered burst of requests at each event and records the replies."""

    def __init__(self, burst):
        self.burst, self.sent, self.got = burst, 0, []

    def on_event(self, ctx, event):
        if event.kind == 2:
            self.got.append((event.time_ps, event.code, event.args[0]))
            return
        for _ in range(self.burst):
            ctx.send(ASK, 1, size_bytes=50, args=[self.sent, 7])
            self.sent += 1


class Agent:
    """Controller that denies refused requests and records its events."""

    def __init__(self, act=None):
        self.got, self.events, self.act = [], [], act

    def on_event(self, ctx, event):
        self.events.append(event)
        self.got.append((event.time_ps, event.kind, event.args[0]))
        if event.kind == 0:
            ctx.timer(event.time_ps, 5)
        if self.act:
            self.act(ctx, event)
        elif event.kind == 3:
            ctx.send(DENY, 0, size_bytes=40, args=[event.args[0]])


def run(kind, *, answers=True, burst=4, queue=2, times=(0,), agent=True, until="20ms", **options):
    """Send ``burst`` requests at each of ``times`` over 1 ms to an agent with a service time of 1 ms and a queue of ``queue``."""
    net = Network()
    net.node("asker")
    net.node("agent", registration="1ms", registration_queue=queue, registration_answers=answers)
    net.link("asker", "agent", delay="1ms", both=True)
    phone = net.mobile("phone", home="agent")
    net.schedule_event([t * MS for t in times], phone, LATER, node="asker")
    net.schedule_event(2 * MS, phone, LATER, -1, node="agent")
    engine, asker = kind(net, **options), Asker(burst)
    engine.attach("asker", asker)
    if agent:
        agent = Agent() if agent is True else agent
        engine.attach("agent", agent)
    return engine.run(until), asker, agent


@both
def test_a_denial_leaves_at_the_instant_of_the_refusal(kind):
    result, asker, agent = run(kind)
    assert [g for g in agent.got if g[1] == 3] == [(1 * MS, 3, 2), (1 * MS, 3, 3)]
    assert asker.got == [(2 * MS, DENY, 2), (2 * MS, DENY, 3)]
    assert result.fate_counts(control=True) == {"delivered": 4, "registration overload": 2}
    assert result.nodes["messages"].tolist() == [2, 2]
    assert (result.nodes["registration_dropped"][1], result.nodes["registration_peak"][1]) == (2, 2)


@both
def test_a_refused_message_keeps_its_content(kind):
    _, _, agent = run(kind)
    refused = next(e for e in agent.events if e.kind == 3)
    assert (refused.time_ps, refused.node, refused.mobile, refused.code) == (1 * MS, 1, 0, ASK)
    assert (refused.source, refused.via, refused.args) == (0, -1, (2, 7, 0, 0, 0, 0))
    if kind is Engine:
        assert repr(refused).startswith("Event(refused message 10 at")


@both
def test_scheduled_then_timers_then_messages_then_refusals(kind):
    """At 2 ms the first message is served; one of the second burst fits into the queue and two do not."""
    _, _, agent = run(kind, burst=3, times=(0, 1))
    assert [g[1:] for g in agent.got if g[0] == 2 * MS] == [(0, -1), (1, 0), (2, 0), (3, 4), (3, 5)]


@both
@pytest.mark.parametrize("how", [{"answers": False}, {"agent": None}])
def test_a_drop_is_silent_without_answers_or_controller(kind, how):
    result, asker, agent = run(kind, **how)
    assert asker.got == []
    assert agent is None or {g[1] for g in agent.got} == {0, 1, 2}
    assert result.fate_counts(control=True) == {"delivered": 2, "registration overload": 2}


@pytest.mark.parametrize("fate", [Fate.REPLAYED, Fate.AUTHENTICATION_FAILED])
def test_a_refused_message_cannot_be_rejected(fate):
    with pytest.raises(ValueError, match="only a message is rejected"):
        run(Engine, agent=Agent(lambda ctx, event: ctx.reject(fate) if event.kind == 3 else None))


@pytest.mark.parametrize("options", [{"scheduling": "heap"}, {"window_ps": 12_345_678}])
def test_scheduling_has_no_effect(options):
    plain, denied, agent = run(Engine, times=(0, 1, 3))
    other, denied_too, agent_too = run(Engine, times=(0, 1, 3), **options)
    assert (other.fingerprint, denied_too.got, agent_too.got) == (plain.fingerprint, denied.got, agent.got)


@both
def test_a_refusal_is_not_in_flight_when_the_run_ends_with_it(kind):
    result, _, agent = run(kind, until=1 * MS + 1)
    assert [g[1] for g in agent.got] == [3, 3]
    assert result.fate_counts(control=True) == {"registration overload": 2, "in flight": 4}
