"""What a movement file or an association log holds: ``handoff trace info``."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

import handoff_traces
from handoff.setup import Int

PING_PONG_PS = 5 * 10**12
"""A stay shorter than this between two at one other router is a ping-pong."""


def facts(file: Path, scenario: Path | None = None) -> dict[str, Any]:
    """Describe a movement file, or an association log; with a scenario, also the attachments that its coverage makes.

    Returns
    -------
    dict
        Plain numbers, strings, lists and dictionaries, fit for JSON: what ``of_tracks`` or ``of_associations`` give.

    Raises
    ------
    ValueError
        If a file is wrong (``handoff_traces.TraceError``, ``ScenarioError``).
    """
    if scenario is not None:
        return _under(file, scenario)
    if handoff_traces.detect_format(file) == "associations":
        return {"format": "associations"} | of_associations(handoff_traces.read_associations(file))
    return of_tracks(handoff_traces.read_movement(file))


def _under(file: Path, path: Path) -> dict[str, Any]:
    from handoff.movement import associations_of, tracks_of
    from handoff.scenario import load_scenario

    scenario, _ = load_scenario(path, (f"movement.trace={json.dumps(str(file.resolve()))}",))
    log = associations_of(scenario, path.parent, scenario.seed)
    known = of_tracks(tracks_of(scenario, path.parent, scenario.seed))
    return known | {"attachments": of_associations(log, scenario.duration)}


def of_tracks(tracks: handoff_traces.Tracks) -> dict[str, Any]:
    """Format, nodes, samples, times (s), area (m), speed (m/s) and, for files with dates, when time 0 was."""
    x, y, same = tracks.x_mm / 1e3, tracks.y_mm / 1e3, np.diff(tracks.mobile) == 0
    ways = np.hypot(np.diff(x), np.diff(y))[same]
    lasts = (np.diff(tracks.time_ps) / 1e12)[same]
    speeds = ways / lasts
    first, last = int(tracks.time_ps.min()), int(tracks.time_ps.max())
    found: dict[str, Any] = {
        "format": tracks.format,
        "nodes": len(tracks.mobile_names),
        "samples": len(tracks),
        "first_s": first / 1e12,
        "last_s": last / 1e12,
        "duration_s": (last - first) / 1e12,
        "node_hours": float(lasts.sum() / 3600),
        "x_m": [float(x.min()), float(x.max())],
        "y_m": [float(y.min()), float(y.max())],
        "distance_km": float(ways.sum() / 1e3),
        "mean_speed_m_s": float(ways.sum() / lasts.sum()) if len(lasts) else None,
        "greatest_speed_m_s": float(speeds.max()) if len(lasts) else None,
    }
    if tracks.projection is not None:
        found["origin_deg"] = [tracks.projection.latitude / 1e9, tracks.projection.longitude / 1e9]
    if tracks.epoch_ps is not None:
        epoch = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=tracks.epoch_ps // 10**6)
        found["time_0"] = epoch.isoformat()
    return found


def of_associations(log: handoff_traces.Associations, until_ps: int | None = None) -> dict[str, Any]:
    """Nodes, routers, attachments, handoffs and how often they come, residence times (s).

    A handoff is an attachment that another one of the node follows. It is announced if layer 2 predicts it, soft if the next
    link comes up before the last one goes down, and a ping-pong if it leads back, after less than 5 s, to the router before.
    A residence lasts from link up to link down; links that stay up until the end have none.

    Parameters
    ----------
    log : handoff_traces.Associations
        Any attachments.
    until_ps : int, optional
        Until when links without an end are counted as up; the last time in the log if not given.
    """
    order = np.lexsort((log.up_ps, log.mobile))
    mobile, router, up, down, predict = (
        np.asarray(c, np.int64)[order] for c in (log.mobile, log.router, log.up_ps, log.down_ps, log.predict_ps)
    )
    end = until_ps if until_ps is not None else int(max(up.max(initial=0), down.max(initial=0)))
    closed = np.where(down < 0, max(end, int(up.max(initial=0))), down)
    follows = mobile[1:] == mobile[:-1]
    stays = (closed - up) / 1e12
    back = follows[1:] & follows[:-1] & (router[2:] == router[:-2]) & (router[1:-1] != router[:-2])
    handoffs, hours = int(follows.sum()), float(_attached_ps(mobile, up, closed) / 3600e12)
    residence = stays[down >= 0]
    return {
        "nodes": len(np.unique(mobile)),
        "routers": len(np.unique(router)),
        "attachments": len(mobile),
        "handoffs": handoffs,
        "node_hours": hours,
        "handoffs_per_node_hour": handoffs / hours if hours else None,
        "announced": int((follows & (predict[:-1] >= 0)).sum()),
        "soft": int((follows & (up[1:] < closed[:-1])).sum()),
        "ping_pong": int((back & (closed - up < PING_PONG_PS)[1:-1]).sum()),
        "residence_s": {f"p{q}": float(np.quantile(residence, q / 100)) for q in (10, 50, 90)} | {"mean": float(residence.mean())}
        if len(residence)
        else None,
    }


def _attached_ps(mobile: Int, up: Int, down: Int) -> int:
    """Time that nodes have a link, each instant of a node once; rows sorted by node, then ``up``."""
    total, node, known = 0, -1, 0
    for m, u, d in zip(mobile.tolist(), up.tolist(), down.tolist(), strict=True):
        known = known if m == node else 0
        total += max(d - max(u, known), 0)
        node, known = m, max(known, d)
    return total


def lines(found: dict[str, Any], indent: str = "") -> list[str]:
    """The same for people."""
    out = []
    for name, value in found.items():
        if isinstance(value, dict) and name == "attachments":
            out += ["attachments", *lines(value, "  ")]
            continue
        if isinstance(value, dict):
            value = ", ".join(f"{k} {v:.3g}" for k, v in value.items())
        elif isinstance(value, list):
            value = " to ".join(f"{v:.10g}" for v in value)
        elif isinstance(value, float):
            value = f"{value:,.6g}"
        elif isinstance(value, int):
            value = f"{value:,}"
        out.append(f"{indent}{name.replace('_', ' '):<24} {value if value is not None else '-'}")
    return out
