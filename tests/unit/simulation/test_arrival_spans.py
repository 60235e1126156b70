"""Packets of handoffs and gaps without a handoff, on random records, against the definitions packet by packet."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from engine import Fate
from handoff.simulation.arrival_spans import find_arrivals
from handoff.simulation.handoff_metrics import FlowMobiles, PacketRecords, handoff_of_packets

REACHED_PS = 200
FLOWS, MOBILES, HOME = 12, 5, 3
FATES = [Fate.DELIVERED] * 3 + [Fate.IN_FLIGHT, *list(Fate)[list(Fate).index(Fate.DUPLICATE) + 1 :][:2]]


def random_spans(rng):
    """Draw spans, some of which touch, and one of which is open at the end of the run; in random order."""
    rows = []
    for mobile in range(MOBILES - 1):  # the last mobile node has none
        times = np.sort(rng.choice(REACHED_PS, 2 * int(rng.integers(0, 8)), replace=False)).tolist()
        spans = [[mobile, open_ps, end_ps] for open_ps, end_ps in zip(times[::2], times[1::2], strict=True)]
        for before, after in pairwise(spans):
            if rng.random() < 0.3:
                before[2] = after[1]
        if spans and rng.random() < 0.5:
            spans[-1][2] = -1
        rows += spans
    rows = [rows[i] for i in rng.permutation(len(rows))]
    return dict(zip(("mobile", "open_ps", "end_ps"), np.array(rows, np.int64).reshape(-1, 3).T, strict=True))


def random_packets(rng):
    """Draw packets with one or two copies, of flows some of which are between mobile nodes."""
    rows = []
    for flow in range(FLOWS):
        for seq in range(int(rng.integers(0, 40))):
            sent_ps, fates = int(rng.integers(0, REACHED_PS)), [FATES[i] for i in rng.integers(0, len(FATES), rng.integers(1, 3))]
            for copy, fate in enumerate(fates):
                fate = Fate.DUPLICATE if fate == Fate.DELIVERED and Fate.DELIVERED in fates[:copy] else fate
                time_ps = int(rng.integers(sent_ps, REACHED_PS + 1))
                rows.append((flow, seq, copy, fate, sent_ps, time_ps, rng.integers(0, 5), rng.integers(0, 2)))
    names = ("flow", "seq", "copy", "fate", "sent_ps", "time_ps", "node", "tunnels")
    records = dict(zip(names, np.array(rows, np.int64).T, strict=True))
    records["delay_ps"] = records["time_ps"] - records["sent_ps"]
    sender = np.where(rng.random(FLOWS) < 0.5, rng.integers(0, MOBILES, FLOWS), -1)
    mobiles = FlowMobiles(rng.integers(0, MOBILES, FLOWS), sender, np.full(FLOWS, HOME))
    return PacketRecords.from_result(SimpleNamespace(packets=records, until_ps=REACHED_PS), mobiles, 0)


def span_rows(spans):
    rows = zip(*(spans[name].tolist() for name in ("mobile", "open_ps", "end_ps")), strict=True)
    return [(m, open_ps, REACHED_PS if end_ps < 0 else end_ps) for m, open_ps, end_ps in rows]


def expected_handoff(copies, mobiles, spans):
    """Return the handoff of a packet: the last begun of those open at its delivery; of a lost one, the first that overlaps."""
    flow = copies[0]["flow"]
    mobile = mobiles.mobile[flow]
    dropped = [c for c in copies if c["fate"] > Fate.DUPLICATE and c["fate"] != Fate.IN_FLIGHT]
    if dropped:
        last = dropped[-1]
        is_before_home = mobiles.sender[flow] >= 0 and last["tunnels"] == 0 and last["node"] != HOME
        mobile = mobiles.sender[flow] if is_before_home else mobile
    delivered = [c["time_ps"] for c in copies if c["fate"] == Fate.DELIVERED]
    if not delivered and len(dropped) < len(copies):
        return -1
    until_ps = delivered[0] if delivered else max(c["time_ps"] for c in dropped)
    from_ps = delivered[0] if delivered else copies[0]["sent_ps"]
    own = sorted((open_ps, i, end_ps) for i, (m, open_ps, end_ps) in enumerate(span_rows(spans)) if m == mobile)
    begun = [(i, end_ps) for open_ps, i, end_ps in own if open_ps <= from_ps]
    if begun and from_ps <= begun[-1][1]:
        return begun[-1][0]
    return next((i for open_ps, i, _ in own if from_ps < open_ps <= until_ps), -1)


@pytest.mark.parametrize("seed", range(30))
def test_each_packet_belongs_to_the_handoff_of_the_definition(seed):
    rng = np.random.default_rng(seed)
    spans, packets = random_spans(rng), random_packets(rng)
    columns = [values.tolist() for values in packets.records.values()]
    rows = [dict(zip(packets.records, row, strict=True)) for row in zip(*columns, strict=True)]
    copies = {}
    for row in rows:
        copies.setdefault((row["flow"], row["seq"]), []).append(row)
    expected = [expected_handoff(of_packet, packets.mobiles, spans) for of_packet in copies.values()]
    assert handoff_of_packets(packets, spans).tolist() == expected


@pytest.mark.parametrize("seed", range(30))
def test_the_first_arrival_after_the_begin_of_a_span_is_marked(seed):
    rng = np.random.default_rng(seed)
    spans, packets = random_spans(rng), random_packets(rng)
    arrivals, mobile = packets.table.arrivals, packets.mobiles.mobile
    marked = np.zeros(len(arrivals.packet), bool)
    marked[find_arrivals(spans, mobile, packets.table, REACHED_PS).first_arrivals()] = True
    flows = packets.table.flow[arrivals.packet].tolist()
    times = arrivals.time_ps.tolist()
    for i, (flow, time_ps) in enumerate(zip(flows, times, strict=True)):
        earlier_ps = times[i - 1] if i and flows[i - 1] == flow else -1
        begins = any(m == mobile[flow] and earlier_ps < open_ps <= time_ps for m, open_ps, _ in span_rows(spans))
        assert marked[i] == begins
