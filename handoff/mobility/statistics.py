"""Statistics of movement and attachments: area, speeds, handoffs, residence times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

import handoff_traces
from engine.columns import Int

PING_PONG_PS = 5 * 10**12
"""Upper bound on the residence time of a ping-pong at the router between."""


def track_statistics(tracks: handoff_traces.Tracks) -> dict[str, Any]:
    """Return the format, nodes, samples, times (s), area (m) and speeds (m/s) of tracks; if known, also the date of time 0."""
    x, y, same_node = tracks.x_mm / 1e3, tracks.y_mm / 1e3, tracks.is_leg()
    leg_m = np.hypot(np.diff(x), np.diff(y))[same_node]
    leg_s = (np.diff(tracks.time_ps) / 1e12)[same_node]
    speeds = leg_m / leg_s
    first, last = int(tracks.time_ps.min()), int(tracks.time_ps.max())
    statistics: dict[str, Any] = {
        "format": tracks.format,
        "nodes": len(tracks.mobile_names),
        "samples": len(tracks),
        "first_s": first / 1e12,
        "last_s": last / 1e12,
        "duration_s": (last - first) / 1e12,
        "node_hours": float(leg_s.sum() / 3600),
        "x_m": [float(x.min()), float(x.max())],
        "y_m": [float(y.min()), float(y.max())],
        "distance_km": float(leg_m.sum() / 1e3),
        "mean_speed_m_s": float(leg_m.sum() / leg_s.sum()) if len(leg_s) else None,
        "greatest_speed_m_s": float(speeds.max()) if len(leg_s) else None,
    }
    if tracks.projection is not None:
        statistics["origin_deg"] = [tracks.projection.latitude / 1e9, tracks.projection.longitude / 1e9]
    if tracks.epoch_ps is not None:
        epoch = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=tracks.epoch_ps // 10**6)
        statistics["time_0"] = epoch.isoformat()
    return statistics


def attachment_statistics(log: handoff_traces.Associations, until_ps: int | None = None) -> dict[str, Any]:
    """Return the numbers of nodes, routers, attachments and handoffs, the handoff rate and the residence times (s).

    A handoff is the change from an attachment to the next one of the same node. It is announced if layer 2 predicts it, soft if
    the new link comes up before the old one goes down, and a ping-pong if it leads back to the previous router in less than 5 s.
    A residence lasts from link up to link down; a link without an end has no residence time.

    Parameters
    ----------
    log : handoff_traces.Associations
        Attachments in any order.
    until_ps : int, optional
        Time at which links without an end count as down; the last time in the log by default.
    """
    order = np.lexsort((log.up_ps, log.mobile))
    mobile, router, up, down, predict = (
        np.asarray(c, np.int64)[order] for c in (log.mobile, log.router, log.up_ps, log.down_ps, log.predict_ps)
    )
    end = until_ps if until_ps is not None else int(max(up.max(initial=0), down.max(initial=0)))
    closed = np.where(down < 0, max(end, int(up.max(initial=0))), down)
    same_node = mobile[1:] == mobile[:-1]
    returns = same_node[1:] & same_node[:-1] & (router[2:] == router[:-2]) & (router[1:-1] != router[:-2])
    handoffs, hours = int(same_node.sum()), float(_attached_ps(mobile, up, closed) / 3600e12)
    residence = ((closed - up) / 1e12)[down >= 0]
    return {
        "nodes": len(np.unique(mobile)),
        "routers": len(np.unique(router)),
        "attachments": len(mobile),
        "handoffs": handoffs,
        "node_hours": hours,
        "handoffs_per_node_hour": handoffs / hours if hours else None,
        "announced": int((same_node & (predict[:-1] >= 0)).sum()),
        "soft": int((same_node & (up[1:] < closed[:-1])).sum()),
        "ping_pong": int((returns & (closed - up < PING_PONG_PS)[1:-1]).sum()),
        "residence_s": {f"p{q}": float(np.quantile(residence, q / 100)) for q in (10, 50, 90)} | {"mean": float(residence.mean())}
        if len(residence)
        else None,
    }


def _attached_ps(mobile: Int, up: Int, down: Int) -> int:
    """Return the total time that nodes have one link or more; rows are sorted by node, then ``up``."""
    total, node, covered_until = 0, -1, 0
    for m, u, d in zip(mobile.tolist(), up.tolist(), down.tolist(), strict=True):
        covered_until = covered_until if m == node else 0
        total += max(d - max(u, covered_until), 0)
        node, covered_until = m, max(covered_until, d)
    return total
