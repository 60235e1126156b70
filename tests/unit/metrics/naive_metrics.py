"""Slow metrics straight from the definitions, with lists, loops and fractions. They share nothing with handoff.metrics."""

import itertools
import math
from dataclasses import dataclass, field
from fractions import Fraction

DELIVERED, DUPLICATE, IN_FLIGHT = 0, 1, 14


@dataclass
class Packet:
    """A packet with the fate, the time and the delay of each copy."""

    seq: int
    group: int
    fates: list[int]
    times: list[int]
    delays: list[int]
    time: int | None = field(init=False)
    delay: int | None = field(init=False)

    def __post_init__(self):
        at = self.fates.index(DELIVERED) if DELIVERED in self.fates else None
        self.time = None if at is None else self.times[at]
        self.delay = None if at is None else self.delays[at]

    @property
    def delivered(self):
        return self.time is not None

    @property
    def unfinished(self):
        return not self.delivered and IN_FLIGHT in self.fates

    @property
    def lost(self):
        return all(2 <= fate <= 13 for fate in self.fates)


def nearest_rank(values, percent):
    q = Fraction(percent, 100)
    if len(values) < math.ceil(1 / (1 - q)):
        return -1
    for value in sorted(values):
        if Fraction(sum(v <= value for v in values), len(values)) >= q:
            return value
    raise AssertionError


def arrival_order(flow):
    return sorted((p for p in flow if p.delivered), key=lambda p: (p.time, p.seq))


def type_p_reordered(s):
    """Return True for each arrival with a number below NextExp (RFC 4737, 3.3)."""
    next_expected, result = 0, []
    for number in s:
        if number >= next_expected:
            next_expected = number + 1
            result.append(False)
        else:
            result.append(True)
    return result


def extent_index(s, i):
    """Return the smallest j < i with s[j] > s[i] (RFC 4737, 4.2); the extent is i - j."""
    return min(j for j in range(i) if s[j] > s[i])


def is_n_reordered(s, i, n):
    """Return True if the n arrivals right before i (from 0) exist and all have larger numbers (RFC 4737, 5.3)."""
    return n <= i and all(s[j] > s[i] for j in range(i - n, i))


def degree(s, i):
    return max(n for n in range(i + 1) if n == 0 or is_n_reordered(s, i, n))


def free_runs(s):
    """Return the length of the run that each reordered arrival ends (RFC 4737, 4.6)."""
    run, result = 0, []
    for late in type_p_reordered(s):
        if late:
            result.append(run)
            run = 0
        else:
            run += 1
    return result


def rtp_jitter(order):
    """Return the jitter after each arrival in exact fractions (RFC 3550, 6.4.1)."""
    j, result = Fraction(0), []
    for i, packet in enumerate(order):
        if i:
            d = packet.delay - order[i - 1].delay
            j += (abs(d) - j) / 16
        result.append(j)
    return result


def periods(flow, group, missing):
    """Return the lengths of the runs of missing packets of a group, consecutive by number (RFC 3357)."""
    numbers = [p.seq for p in flow if p.group == group and missing(p)]
    lengths = []
    for number in numbers:
        if number - 1 in numbers:
            lengths[-1] += 1
        else:
            lengths.append(1)
    return lengths


def distances(flow, group):
    numbers = [p.seq for p in flow if p.group == group and p.lost]
    return [b - a for a, b in itertools.pairwise(numbers)]


def metrics(flows, group):
    """Return all columns of one group as Python numbers; None stands for NaN."""
    every = [p for flow in flows for p in flow if p.group == group]
    delays = [p.delay for p in every if p.delivered]
    runs = [n for flow in flows for n in periods(flow, group, lambda p: p.lost)]
    between = [d for flow in flows for d in distances(flow, group)]
    ipdv, pdv, extents, late, degrees, ended, jitters, gaps = [], [], [], [], [], [], [], []
    for flow in flows:
        base = min((p.delay for p in flow if p.delivered), default=None)
        by_seq = {p.seq: p for p in flow}
        for p in flow:
            before = by_seq.get(p.seq - 1)
            if p.group == group and p.delivered:
                pdv.append(p.delay - base)
                if before is not None and before.delivered:
                    ipdv.append(abs(p.delay - before.delay))
        order = arrival_order(flow)
        s = [p.seq for p in order]
        run = iter(free_runs(s))
        jitter = rtp_jitter(order)
        for i, reordered in enumerate(type_p_reordered(s)):
            length = next(run) if reordered else None
            if order[i].group != group:
                continue
            jitters.append(jitter[i])
            if i:
                gaps.append((order[i].time - order[i - 1].time, order[i - 1].time, order[i].time))
            if reordered:
                j = extent_index(s, i)
                extents.append(i - j)
                late.append(order[i].time - order[j].time)
                degrees.append(degree(s, i))
                ended.append(length)
    longest = max((g[0] for g in gaps), default=-1)
    gap = next((g for g in gaps if g[0] == longest), (-1, -1, -1))
    lost = sum(p.lost for p in every)

    def top(values):
        return max(values, default=-1)

    def mean(values):
        return sum(values) // len(values) if values else -1

    return {
        "sent": len(every),
        "delivered": len(delays),
        "lost": lost,
        "unfinished": sum(p.unfinished for p in every),
        "duplicate": sum(DUPLICATE in p.fates for p in every),
        "duplicate_copies": sum(p.fates.count(DUPLICATE) for p in every),
        "loss_ratio": lost / (lost + len(delays)) if lost + len(delays) else None,
        "loss_periods": len(runs),
        "loss_period_max_packets": max(runs, default=0),
        "loss_distance_min_packets": min(between, default=-1),
        "delay_min_ps": min(delays, default=-1),
        "delay_mean_ps": mean(delays),
        "delay_p50_ps": nearest_rank(delays, 50),
        "delay_p95_ps": nearest_rank(delays, 95),
        "delay_p99_ps": nearest_rank(delays, 99),
        "delay_max_ps": top(delays),
        "ipdv_pairs": len(ipdv),
        "ipdv_abs_mean_ps": mean(ipdv),
        "ipdv_abs_p99_ps": nearest_rank(ipdv, 99),
        "ipdv_abs_max_ps": top(ipdv),
        "pdv_p50_ps": nearest_rank(pdv, 50),
        "pdv_p99_ps": nearest_rank(pdv, 99),
        "pdv_max_ps": top(pdv),
        "reordered": len(extents),
        "reordered_ratio": len(extents) / len(delays) if delays else None,
        "reordering_extent_max_packets": top(extents),
        "late_time_max_ps": top(late),
        "reordered_3": sum(n >= 3 for n in degrees),
        "reordering_n_max_packets": top(degrees),
        "free_runs": len(ended),
        "free_run_mean_packets": sum(ended) / len(ended) if ended else None,
        "free_run_max_packets": top(ended),
        "jitter_last_ps": float(jitters[-1]) if jitters else None,
        "jitter_max_ps": float(max(jitters)) if jitters else None,
        "gap_max_ps": gap[0],
        "gap_begin_ps": gap[1],
        "gap_end_ps": gap[2],
    }


def e_model(delay_ms, loss_percent, ie, bpl, burst):
    """Return R and MOS (ITU-T G.107)."""
    h = 1 if delay_ms > 177.3 else 0
    i_d = 0.024 * delay_ms + 0.11 * (delay_ms - 177.3) * h
    r = 93.2 - i_d - (ie + (95 - ie) * loss_percent / (loss_percent / burst + bpl))
    if r <= 0:
        return r, 1.0
    return r, max(1.0, 1 + 0.035 * r + 7e-6 * r * (r - 60) * (100 - r))


def voice(flows, group, ie, bpl, playout, codec_delay):
    """Return the columns of ``voice_metrics``."""
    heard, late, runs = [], 0, []
    gone = 0
    for flow in flows:
        base = min((p.delay for p in flow if p.delivered), default=0)

        def too_late(p, base=base):
            return p.delivered and playout is not None and p.delay > base + playout

        runs += periods(flow, group, lambda p, too_late=too_late: p.lost or too_late(p))
        for p in flow:
            if p.group != group:
                continue
            late += too_late(p)
            gone += p.lost or too_late(p)
            if p.delivered and not too_late(p):
                heard.append(p.delay if playout is None else base + playout)
    delay = sum(heard) // len(heard) + codec_delay if heard else -1
    finished = gone + len(heard)
    loss = gone / finished if finished else None
    burst = max(1, sum(runs) / len(runs) * (1 - loss)) if runs else 1
    if heard:
        r, score = e_model(delay / 10**9, 100 * loss, ie, bpl, burst)
    else:
        r, score = (0, 1) if gone else (None, None)
    names = ("voice_delay_ps", "voice_late", "voice_loss_ratio", "burst_ratio", "r_factor", "mos")
    return dict(zip(names, (delay, late, loss, burst, r, score), strict=True))
