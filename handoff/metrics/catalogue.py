"""Catalogue of measures: every scalar of a run that can be a target, with unit, definition and samples (docs/measures.md)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from engine.histogram import RESOLUTION
from engine.similar_names import similar_names
from handoff.metrics.bursts import count_events
from handoff.metrics.event_interval import EventCount

Table = Mapping[str, Sequence[Any]]
Tables = Mapping[str, Table]
"""Tables of one procedure by name: ``runs`` with one row, ``nodes``, ``links``, ``batches``."""
Row = Mapping[str, Any]

PS_PER_S = 1e12
"""Measures are in ps, columns of tables in seconds."""
MIN_TAIL_SAMPLES = 10
"""Samples that a quantile needs on either side."""
MAX_SUGGESTIONS, SUGGESTION_CUTOFF = 3, 0.4
"""Number of names that an error message suggests, and how similar they have to be."""
MAX_LISTED = 40
"""Number of names that an error message lists if none is similar."""


@dataclass(frozen=True)
class Value:
    """Value of a measure in a run.

    Attributes
    ----------
    value : float or None
        Value in the unit of the measure; None if there was nothing to measure.
    samples : int
        Number of packets, handoffs or messages behind the value.
    where : str
        Node or link of a maximum; empty for other measures.
    events : EventCount or None
        Events behind the value, if it is a number or a ratio of events.
    resolution : float
        Largest distance of the value from the true one, as a share of it; 0 for an exact value.
    """

    value: float | None
    samples: int
    where: str = ""
    events: EventCount | None = field(default=None, compare=False)
    resolution: float = 0.0


@dataclass(frozen=True)
class Measure:
    """A scalar of a run.

    Attributes
    ----------
    unit : str
        ``ps``, ``ratio``, ``packets``, ``bytes``, ``1/s``; empty for a plain count.
    about : str
        Definition.
    source : str
        Document that defines the measure, or an empty string.
    of : callable
        Computes the value from the tables of one procedure.
    quantile : float or None
        Which quantile the measure is; None if it is none.
    detail : bool
        True if the measure needs the record of every packet.
    baseline : bool
        True if the measure counts bytes beyond those of the baseline run, so that it may be below 0. No other measure may.
    """

    unit: str
    about: str
    source: str
    of: Callable[[Tables], Value]
    quantile: float | None = None
    detail: bool = False
    baseline: bool = False


@dataclass(frozen=True)
class ElementMeasure:
    """A scalar of each node, or of each link and cell, computed from its row in the table."""

    unit: str
    about: str
    of: Callable[[Row], Value]


# -- measures of a run ------------------------------------------------------------------------------------------------------


def _number(value: Any, samples: int) -> Value:
    missing = value is None or not math.isfinite(value) or samples == 0
    return Value(None if missing else float(value), int(samples))


def _duration(seconds: Any, samples: int) -> Value:
    """Return a time in ps. A column of seconds is the nearest float to a whole number of ps: return that number."""
    measured = _number(seconds, samples)
    if measured.value is None:
        return measured
    ps = measured.value * PS_PER_S
    whole = float(round(ps))
    return replace(measured, value=whole if abs(ps - whole) <= 2 * math.ulp(ps) else ps)


def _share(events: float, of: int) -> Value:
    return Value(float(events / of) if of else None, int(of))


def _share_of_trials(events: float, trials: int) -> Value:
    return replace(_share(events, trials), events=EventCount(events, trials))  # independent trials


def _number_of_events(events: int, samples: int) -> Value:
    return Value(float(events), int(samples), events=EventCount(events, 1, is_share=False))


def _independent_events(about: str, column: str, samples: str) -> Measure:
    # Runs of an older version have no figures of attacks.
    return _of_run(
        "packets", about, "", lambda r: Value(None, 0) if r[column] is None else _number_of_events(r[column], r[samples])
    )


def _legitimate_dropped_ratio(r: Row) -> Value:
    dropped, served = r["legitimate_dropped"], r["legitimate_served"]
    return Value(None, 0) if dropped is None or served is None else _share_of_trials(dropped, dropped + served)


def _row(table: Table, i: int = 0) -> dict[str, Any]:
    return {name: values[i] for name, values in table.items()}


def _of_run(
    unit: str, about: str, source: str, of: Callable[[Row], Value], q: float | None = None, detail: bool = False
) -> Measure:
    return Measure(unit, about, source, lambda tables: of(_row(tables["runs"])), q, detail)


def _duration_column(about: str, column: str, samples: str, source: str = "", q: float | None = None) -> Measure:
    return _of_run("ps", about, source, lambda r: _duration(r[column], r[samples]), q)


def _count(about: str, column: str, unit: str = "packets", samples: str = "sent", source: str = "", kind: str = "") -> Measure:
    # A count has a value even if there are no samples. ``kind`` as in ``count_events``.
    def compute(r: Row) -> Value:
        value = None if r[column] is None else float(r[column])
        return Value(value, int(r[samples] or 0), events=count_events(r, column, 1, kind) if kind else None)

    return _of_run(unit, about, source, compute)


def _ratio(about: str, events: str, of: str, source: str = "", unit: str = "ratio", kind: str = "") -> Measure:
    def compute(r: Row) -> Value:
        share = Value(None, 0) if r[events] is None else _share(r[events], r[of])
        return replace(share, events=count_events(r, events, r[of], kind) if kind else None)

    return _of_run(unit, about, source, compute)


def _share_of_handoffs(about: str, events: str) -> Measure:
    return _of_run("ratio", about, "", lambda r: _share_of_trials(r[events], r["handoffs"]))


def _loss_ratio(r: Row) -> Value:
    trials = r["lost"] + r["delivered"]
    return replace(_number(r["loss_ratio"], trials), events=count_events(r, "lost", trials, "dropped", is_share=True))


def _delay_quantile(about: str, name: str, source: str, q: float) -> Measure:
    # Runs of an older version have no resolution: their quantiles come from histograms.
    def compute(r: Row) -> Value:
        resolution = r.get("delay_resolution")
        resolution = RESOLUTION if resolution is None else resolution
        return replace(_duration(r[f"{name}_s"], r["delivered"]), resolution=resolution)

    return _of_run("ps", about, source, compute, q)


def _detailed(unit: str, about: str, column: str, source: str, q: float | None = None) -> Measure:
    read = _duration if unit == "ps" else _number
    return _of_run(unit, about, source, lambda r: read(r[column], r["delivered"]), q, detail=True)


def _spread(name: str, about: str, source: str = "") -> dict[str, Measure]:
    return {
        f"{name}_{short}": _duration_column(f"{long} of {about}", f"{name}_{short}_s", f"{name}_samples", source, q)
        for short, long, q in (("mean", "mean", None), ("p50", "median", 0.5), ("p99", "99th percentile", 0.99))
    }


def _seamless() -> dict[str, Measure]:
    def share(name: str, of: str) -> Measure:
        def compute(r: Row) -> Value:
            share = _number(r[f"{name}_ratio"], r[f"{name}_samples"])
            return _share_of_trials(round(share.value * share.samples), share.samples) if share.value is not None else share

        about = f"handoffs with no packet lost, out of order or late / handoffs with packets{of}"
        return _of_run("ratio", about, "", compute, detail=True)

    scenarios = {"seamless": "", **{f"seamless_{n}": f", in scenario {n}" for n in (1, 2, 3)}}
    return {name: share(name, of) for name, of in scenarios.items()}


def _extra_bytes() -> dict[str, Measure]:
    about = {"": "bytes", "_air": "bytes on the radio", "_core": "bytes in the fixed network"}
    measures = {
        f"extra{part}_bytes": _count(
            f"{what} beyond those under handoffs that cost nothing", f"extra{part}_bytes", "bytes", "handoffs"
        )
        for part, what in about.items()
    }
    measures["extra_bytes_per_handoff"] = _ratio("extra_bytes / handoffs", "extra_bytes", "handoffs", unit="bytes")
    return {name: replace(measure, baseline=True) for name, measure in measures.items()}


_DELAY = "one-way delay of delivered packets"
_RUN: dict[str, Measure] = {
    "sent": _count("data packets sent", "sent"),
    "delivered": _count("data packets delivered at least once", "delivered"),
    "lost": _count("data packets of which no copy was or can be delivered", "lost", source="RFC 7680", kind="dropped"),
    "loss_ratio": _of_run("ratio", "lost / (lost + delivered)", "RFC 7680", _loss_ratio),
    "lost_per_handoff": _ratio("lost packets of the run for each handoff", "lost", "handoffs", unit="packets", kind="dropped"),
    **_spread("disruption", "the longest interruption of a downstream flow in a handoff"),
    **_seamless(),
    "duplicate": _count("copies delivered after the first", "duplicate", source="RFC 5560", kind="duplicate"),
    "duplicate_ratio": _ratio("duplicate / delivered", "duplicate", "delivered", "RFC 5560", kind="duplicate"),
    "reordered": _count(
        "delivered with a number below the next expected one", "reordered", source="RFC 4737, 3.3", kind="reordered"
    ),
    "reordered_ratio": _ratio("reordered / delivered", "reordered", "delivered", "RFC 4737, 4.1", kind="reordered"),
    "after_marker": _count("delivered through the old link after its marker", "after_marker", kind="after_marker"),
    "delay_mean": _duration_column(f"mean {_DELAY}", "delay_mean_s", "delivered", "RFC 7679, 5.2"),
    "delay_p50": _delay_quantile(f"median {_DELAY}", "delay_p50", "RFC 7679, 5.3", 0.5),
    "delay_p95": _delay_quantile(f"95th percentile of the {_DELAY}", "delay_p95", "RFC 7679, 5.1", 0.95),
    "delay_p99": _delay_quantile(f"99th percentile of the {_DELAY}", "delay_p99", "RFC 7679, 5.1", 0.99),
    "handoffs": _count("handoffs that began", "handoffs", "", "handoffs"),
    "completed_ratio": _share_of_handoffs("completed / handoffs", "completed"),
    "unfinished_ratio": _share_of_handoffs("handoffs that never completed / handoffs", "unfinished_handoffs"),
    **{f"scenario_{n}_ratio": _share_of_handoffs(f"handoffs of scenario {n} / handoffs", f"scenario_{n}") for n in (1, 2, 3)},
    **_spread("latency", "the time from the end of the old link until the new one is up and registered"),
    **_spread("registration_delay", "the time from a handoff's registration request to its reply, at the mobile node"),
    "retransmissions": _count("requests that mobile nodes sent again in handoffs", "retransmissions", "", "handoffs"),
    "retransmissions_per_handoff": _ratio("retransmissions / handoffs", "retransmissions", "handoffs", unit=""),
    "simultaneous_bindings": _count("bindings that an anchor made beside another one", "simultaneous_bindings", "", "handoffs"),
    **_extra_bytes(),
    "signalling_messages": _count("messages on all links and cells, once a hop", "signalling_messages", "packets", "handoffs"),
    "signalling_bytes": _count("their bytes", "signalling_bytes", "bytes", "handoffs"),
    "tunnel_bytes": _count("bytes of tunnel headers on all links and cells", "tunnel_bytes", "bytes"),
    "binding_seconds": _count("care-of nodes in the binding caches of all anchors x s", "binding_seconds", "", "handoffs"),
    "held_byte_seconds": _count("bytes in the hold buffers of all nodes x s", "held_byte_seconds", "", "handoffs"),
    "attack_messages": _count("messages that attackers sent", "attack_messages", samples="attack_messages"),
    "attack_bytes": _count("their bytes", "attack_bytes", "bytes", "attack_messages"),
    "attack_accepted": _count("requests of attackers that agents carried out", "attack_accepted", samples="attack_messages"),
    "attack_refused": _count("requests of attackers that agents refused", "attack_refused", samples="attack_messages"),
    "attack_dropped": _independent_events(
        "messages because of attackers that found a registration queue full", "attack_dropped", "attack_messages"
    ),
    "attack_service_seconds": _count(
        "time that registration servers spent on messages because of attackers", "attack_service_seconds", "", "attack_messages"
    ),
    "amplification": _ratio(
        "bytes of the answers to attackers / bytes of attackers", "attack_answer_bytes", "attack_bytes", unit=""
    ),
    "diverted": _count("data packets that agents sent into bindings of attackers", "diverted"),
    "diverted_bytes": _count("their bytes", "diverted_bytes", "bytes"),
    "diverted_ratio": _ratio("diverted / sent", "diverted", "sent"),
    "legitimate_dropped": _independent_events(
        "messages of legitimate nodes that found a registration queue full", "legitimate_dropped", "legitimate_served"
    ),
    "legitimate_dropped_ratio": _of_run(
        "ratio", "their share of all messages of legitimate nodes at registration servers", "", _legitimate_dropped_ratio
    ),
    "legitimate_refused": _independent_events(
        "refusals of their own requests that mobile nodes received", "legitimate_refused", "legitimate_served"
    ),
    "loss_periods": _detailed("", "runs of lost packets with consecutive numbers", "loss_periods", "RFC 3357"),
    "loss_period_max": _detailed("packets", "the longest of them", "loss_period_max_packets", "RFC 3357"),
    "ipdv_abs_mean": _detailed(
        "ps", "mean absolute difference of the delays of successive packets", "ipdv_abs_mean_s", "RFC 3393"
    ),
    "pdv_p99": _detailed("ps", "99th percentile of the delay less the flow's smallest", "pdv_p99_s", "RFC 5481, 4.2", 0.99),
    "reordering_extent_max": _detailed(
        "packets", "most arrivals since the earliest of a larger number", "reordering_extent_max_packets", "RFC 4737, 4.2"
    ),
    "reordering_n_max": _detailed("packets", "largest n of n-reordering", "reordering_n_max_packets", "RFC 4737, 5.3"),
    "jitter_max": _detailed("ps", "largest interarrival jitter", "jitter_max_s", "RFC 3550, 6.4.1"),
    "forwarded": _detailed("packets", "delivered by way of an old router's tunnel", "forwarded", ""),
    "mos": _detailed("", "mean opinion score of flows as if they were G.711 calls", "mos", "ITU-T G.107"),
}

DELAY_QUANTILES = ("delay_p50", "delay_p95", "delay_p99")
"""Measures that are exact with the record of every packet, and otherwise within ``engine.histogram.RESOLUTION``."""

# -- measures of nodes and links --------------------------------------------------------------------------------------------


def _wait(server: str, accepted: str, who: str) -> dict[str, ElementMeasure]:
    return {
        f"{server}_wait_mean": ElementMeasure(
            "ps", f"mean wait of {who} for the {server} server", lambda r: _duration(r[f"{server}_wait_mean_s"], r[accepted])
        ),
        f"{server}_wait_max": ElementMeasure(
            "ps", f"longest wait of {who} since the run began", lambda r: _duration(r[f"{server}_wait_max_s"], r[accepted])
        ),
        f"{server}_dropped": ElementMeasure(
            "packets", f"{who} that found the {server} queue full",
            lambda r: _number_of_events(r[f"{server}_dropped"], r[accepted]),
        ),
        f"{server}_dropped_ratio": ElementMeasure(
            "ratio", f"their share of all {who}",
            lambda r: _share_of_trials(r[f"{server}_dropped"], r[accepted] + r[f"{server}_dropped"]),
        ),
        f"{server}_peak": ElementMeasure(
            "packets", f"most {who} in the {server} server and queue since the run began",
            lambda r: Value(float(r[f"{server}_peak"]), int(r[accepted])),
        ),
        f"{server}_utilisation": ElementMeasure(
            "ratio", f"share of the time that the {server} server works",
            lambda r: _number(r[f"{server}_utilisation"], r[accepted] or 1),
        ),
    }  # fmt: skip


def _plain(unit: str, about: str, column: str, samples: str) -> ElementMeasure:
    return ElementMeasure(unit, about, lambda r: Value(float(r[column]), int(r[samples])))


NODE_PARTS: dict[str, ElementMeasure] = {
    **_wait("registration", "registered", "messages"),
    **_wait("forwarding", "forwarded", "packets"),
    "registrations_per_s": _plain("1/s", "messages that the registration server served", "registrations_per_s", "registered"),
    "entries_peak": _plain("", "most table entries (bindings, visitors) since the run began", "entries_peak", "entries_peak"),
    "bindings_peak": _plain("", "most care-of nodes in the table at once since the run began", "bindings_peak", "entries_peak"),
    "binding_seconds": _plain("", "care-of nodes in the table x s", "binding_seconds", "entries_peak"),
    "visitors_peak": _plain(
        "", "most local entries and hold buffers at once since the run began", "visitors_peak", "entries_peak"
    ),
    "visitor_seconds": _plain("", "local entries and hold buffers x s", "visitor_seconds", "entries_peak"),
    "held_peak_packets": _plain(
        "packets", "most that one buffer held since the run began", "held_peak_packets", "held_peak_packets"
    ),
    "held_peak_bytes": _plain("bytes", "the same in bytes", "held_peak_bytes", "held_peak_packets"),
    "held_byte_seconds": _plain("", "bytes in all hold buffers x s", "held_byte_seconds", "held_peak_packets"),
}
LINK_PARTS: dict[str, ElementMeasure] = {
    "utilisation": _plain("ratio", "busy time as a share of all; where queues are pooled, their sum", "utilisation", "packets"),
    "packets": _plain("packets", "accepted", "packets", "packets"),
    "bytes": _plain("bytes", "accepted, tunnel headers included", "bytes", "packets"),
    "control_bytes": _plain("bytes", "of signalling", "control_bytes", "packets"),
    "dropped": ElementMeasure("packets", "that found the queue full", lambda r: _number_of_events(r["dropped"], r["packets"])),
    "dropped_ratio": ElementMeasure(
        "ratio", "their share of all that came", lambda r: _share_of_trials(r["dropped"], r["packets"] + r["dropped"])
    ),
    "error_ratio": ElementMeasure(
        "ratio", "sent and lost on the link, of those accepted", lambda r: _share_of_trials(r["lost"], r["packets"])
    ),
    "detached": ElementMeasure(
        "packets", "sent when the mobile node was not there", lambda r: _number_of_events(r["detached"], r["packets"])
    ),
    "peak_packets": _plain("packets", "most in one queue since the run began", "peak_packets", "packets"),
    "peak_bytes": _plain("bytes", "the same in bytes", "peak_bytes", "packets"),
}


def _largest(table: str, key: str, part: ElementMeasure) -> Callable[[Tables], Value]:
    def of(tables: Tables) -> Value:
        rows = tables[table]
        values = [
            Value(v.value, v.samples, str(name))
            for i, name in enumerate(rows[key])
            if not (key == "link" and part.unit == "ratio" and rows["pooled"][i])
            if (v := part.of(_row(rows, i))).value is not None
        ]
        return max(values, key=lambda v: v.value if v.value is not None else -1.0, default=Value(None, 0))

    return of


def _maxima(table: str, key: str, parts: Mapping[str, ElementMeasure]) -> dict[str, Measure]:
    """Return the measures of the maximum over all nodes or links. The name of a maximum gets no second ``_max``."""
    return {
        name if name.endswith("_max") else f"{name}_max": Measure(
            part.unit, f"the largest of all {table}: {part.about}", "", _largest(table, key, part)
        )
        for name, part in parts.items()
    }


MEASURES: dict[str, Measure] = {**_RUN, **_maxima("nodes", "node", NODE_PARTS), **_maxima("links", "link", LINK_PARTS)}
"""Measures of a whole run. Names with a node or link, such as ``ha.registration_wait_mean`` or ``ha>gw0.utilisation``, end in one
of ``NODE_PARTS`` or ``LINK_PARTS``."""


def get_measure(name: str, nodes: Iterable[str] | None = None, links: Iterable[str] | None = None) -> Measure:
    """Return the measure of a name.

    Parameters
    ----------
    name : str
        One of ``MEASURES``, or a node or link (``ha``, ``ha>gw0``, ``ar3>*``), a dot, and one of ``NODE_PARTS`` or
        ``LINK_PARTS``.
    nodes, links : iterable of str or None
        Names of the network, if they are known.

    Raises
    ------
    ValueError
        If there is no such measure; the message has the nearest names.
    """
    where, _, part = name.rpartition(".")
    if not where:
        if name not in MEASURES:
            names = [*MEASURES, *(f"ha.{part}" for part in (*NODE_PARTS, *LINK_PARTS))]
            raise ValueError(f"no measure {name!r}; {_suggest(name, names)}")
        return MEASURES[name]
    link = bool(re.search("[<>]", where)) if links is None else where in (links := list(links))
    parts, table, key = (LINK_PARTS, "links", "link") if link else (NODE_PARTS, "nodes", "node")
    if not link and nodes is not None and where not in (known := list(nodes)):
        raise ValueError(f"{name}: no node or link {where!r}; {_suggest(where, [*known, *(links or ())])}")
    if part not in parts:
        raise ValueError(f"{name}: a {key} has no {part!r}; {_suggest(part, parts)}")
    chosen = parts[part]

    def of(tables: Tables) -> Value:
        rows = tables[table]
        if where not in rows[key]:
            names = [*tables["nodes"]["node"], *tables["links"]["link"]]
            raise ValueError(f"{name}: no {key} {where!r}; {_suggest(where, names)}")
        return chosen.of(_row(rows, list(rows[key]).index(where)))

    return Measure(chosen.unit, f"{where}: {chosen.about}", "", of)


def can_be_negative(name: str) -> bool:
    """Return whether a measure may be below 0. Those of nodes and links never are."""
    return name in MEASURES and MEASURES[name].baseline


def possible_values(name: str, unit: str) -> tuple[float, float]:
    """Return the smallest and largest value that a measure with this unit may have."""
    return -math.inf if can_be_negative(name) else 0.0, 1.0 if unit == "ratio" else math.inf


def evaluate(tables: Tables, name: str) -> Value:
    """Return the value of a measure in the tables of one run.

    Raises
    ------
    ValueError
        If there is no such measure, node or link; the message has the nearest names.
    """
    return get_measure(name, tables["nodes"]["node"], tables["links"]["link"]).of(tables)


def batch_values(tables: Tables, name: str) -> list[Value]:
    """Return the values of a measure in each batch of a run, for ``batch_means``; empty if the run has no batches.

    Raises
    ------
    ValueError
        If the measure is one of nodes or links: batches have no tables of these.
    """
    if name not in _RUN:
        raise ValueError(f"{name}: batches have the measures of a whole run, no nodes and links; {_suggest(name, _RUN)}")
    batches = tables["batches"]
    rows = (_row(batches, i) for i in range(len(batches["batch"])))
    return [_RUN[name].of({"runs": {column: [value] for column, value in row.items()}}) for row in rows]


def has_enough_samples(name: str, samples: int) -> bool:
    """Return True if a measure has enough samples: ``MIN_TAIL_SAMPLES`` on either side of a quantile, otherwise one."""
    q = get_measure(name).quantile
    return samples >= (1 if q is None else math.ceil(MIN_TAIL_SAMPLES / min(q, 1 - q) - 1e-9))


def _suggest(name: str, names: Iterable[str]) -> str:
    names = list(names)
    close = similar_names(name, names, MAX_SUGGESTIONS, SUGGESTION_CUTOFF)
    return f"did you mean {' or '.join(close)}?" if close else f"there are {', '.join(names[:MAX_LISTED])}"
