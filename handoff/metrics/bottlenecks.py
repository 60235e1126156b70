"""Bottlenecks of a run: its servers, links and cells, by losses and utilisation."""

from __future__ import annotations

from dataclasses import dataclass

from handoff.metrics.catalogue import Tables


@dataclass(frozen=True)
class Bottleneck:
    """Utilisation and losses of a server or link.

    Attributes
    ----------
    what : str
        ``ha registration``, ``ha forwarding``, ``ha>gw0``, ``ar3>*``.
    utilisation : float or None
        None for a row that stands for many queues.
    dropped : int
    dropped_ratio : float
        Dropped packets as a share of all arrivals.
    """

    what: str
    utilisation: float | None
    dropped: int
    dropped_ratio: float


def bottlenecks(tables: Tables) -> list[Bottleneck]:
    """Return servers, links and cells, sorted by the share that they drop, then by utilisation.

    Those without arrivals are left out.
    """
    elements = []
    nodes, links = tables["nodes"], tables["links"]
    for i, node in enumerate(nodes["node"]):
        row = {name: values[i] for name, values in nodes.items()}
        for server, accepted in (("registration", "registered"), ("forwarding", "forwarded")):
            utilisation, dropped = row[f"{server}_utilisation"], row[f"{server}_dropped"]
            elements.append(_bottleneck(f"{node} {server}", utilisation, dropped, row[accepted]))
    for i, link in enumerate(links["link"]):
        row = {name: values[i] for name, values in links.items()}
        utilisation = None if row["pooled"] else row["utilisation"]
        elements.append(_bottleneck(str(link), utilisation, row["dropped"], row["packets"]))
    used = [b for b in elements if b.dropped or b.utilisation]
    return sorted(used, key=lambda b: (-b.dropped_ratio, -(b.utilisation or 0), b.what))


def _bottleneck(what: str, utilisation: float | None, dropped: int, accepted: int) -> Bottleneck:
    arrivals = int(accepted + dropped)
    ratio = int(dropped) / arrivals if arrivals else 0.0
    return Bottleneck(what, None if utilisation is None else float(utilisation), int(dropped), ratio)

