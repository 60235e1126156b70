"""Records of packets: from lists of packets, from orders of arrival, and from hypothesis."""

import numpy as np
from hypothesis import strategies as st

from handoff.metrics import group_metrics

from .naive_metrics import DELIVERED, DUPLICATE, IN_FLIGHT, Packet

NAMES = ("flow", "seq", "copy", "fate", "time_ps", "sent_ps", "delay_ps")


def build_records(flows):
    """Return the records of the packets as columns, and the group of each record."""
    rows, group = [], []
    for flow, packets in enumerate(flows):
        for p in packets:
            for copy, (fate, time, delay) in enumerate(zip(p.fates, p.times, p.delays, strict=True)):
                rows.append((flow, p.seq, copy, fate, time, p.seq, delay))
                group.append(p.group)
    table = np.array(rows, np.int64).reshape(-1, len(NAMES))
    return {name: table[:, i].copy() for i, name in enumerate(NAMES)}, np.array(group, np.int64)


def arriving_in_order(order, group=0, time_of=lambda i: 1000 * i):
    """Return a flow whose packets 0..max arrive in this order, the i-th at ``time_of(i)``; packets not named are lost.

    Packet ``seq`` is sent at ``10 * seq``.
    """
    place = {seq: i for i, seq in enumerate(order)}
    flow = []
    for seq in range(max(order) + 1):
        if seq in place:
            time = time_of(place[seq])
            flow.append(Packet(seq, group, [DELIVERED], [time], [time - 10 * seq]))
        else:
            flow.append(Packet(seq, group, [5], [0], [-1]))
    return flow


def packet(seq, delay, sent, group=0, fate=DELIVERED, duplicates=0):
    if delay is None:
        return Packet(seq, group, [fate], [-1 if fate == IN_FLIGHT else sent], [-1])
    fates = [DELIVERED] + [DUPLICATE] * duplicates
    return Packet(seq, group, fates, [sent + delay + i for i in range(len(fates))], [delay + i for i in range(len(fates))])


def flow_metrics(records, flows):
    """Return the metrics of each flow: the group of a packet is its flow."""
    return group_metrics(records, records["flow"], flows)


def single_flow_metrics(flow):
    """Return the metrics of one flow as Python numbers."""
    return {name: column[0].item() for name, column in flow_metrics(build_records([flow])[0], 1).items()}


def pick(result, *names):
    return tuple(result[name] for name in names)


@st.composite
def flow_lists(draw, groups=3, most=30, flows=3):
    """Draw flows of packets with copies of any legal mixture of fates, and few distinct delays for many ties and runs."""
    result = []
    delay = st.integers(0, draw(st.sampled_from([0, 5, 60, 10**13])))
    others = st.lists(st.sampled_from([DUPLICATE, 2, 5, 13, IN_FLIGHT]), max_size=2)
    for _ in range(draw(st.integers(0, flows))):
        flow, sent = [], 0
        for seq in range(draw(st.integers(0, most))):
            sent += draw(st.integers(0, 10))
            main = draw(st.sampled_from([DELIVERED] * 6 + [5, 5, IN_FLIGHT]))
            rest = [f for f in draw(others) if f != DUPLICATE or main == DELIVERED]
            fates = draw(st.permutations([main, *rest]))
            delays = [draw(delay) if fate in (DELIVERED, DUPLICATE) else -1 for fate in fates]
            times = [-1 if f == IN_FLIGHT else sent + max(d, 0) for f, d in zip(fates, delays, strict=True)]
            flow.append(Packet(seq, draw(st.integers(-1, groups - 1)), fates, times, delays))
        result.append(flow)
    return result
