"""Tables of the nodes about one mobile node, at an instant of a run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from handoff.output.ladder.view import RunView
from handoff.protocol.setup import CorrespondentTable
from handoff.simulation.observer import TABLE

_OF_VERB = {"deliver_locally": "visitor", "buffer": "holds packets"}
_Entry = dict[Any, int | None]
"""Maps each care-of node of an entry, or the word for another entry, to its end."""


def entries_at(view: RunView, time_ps: int) -> dict[int, tuple[str, ...]]:
    """Return the entry of each node about the mobile node.

    Parameters
    ----------
    view : RunView
        View of the mobile node's run.
    time_ps : int
        Actions at this time have taken effect.

    Returns
    -------
    dict of int to tuple of str
        The columns of the care-of addresses of a binding, ``visitor`` or ``holds packets``; no entry for other nodes.
    """
    entries: dict[int, _Entry] = {node: {entry: None} for node, entry in _initial(view)}
    for action in view.actions:
        if action.time_ps > time_ps or action.verb not in TABLE:
            continue
        entry, arguments = entries.get(action.node, {}), action.arguments
        if action.verb == "unbind":
            coa = arguments["coa"]
            entries[action.node] = {} if coa is None else {to: end for to, end in entry.items() if to != coa}
        elif action.verb == "bind":
            others = {to: end for to, end in entry.items() if not isinstance(to, str)} if arguments["simultaneous"] else {}
            entries[action.node] = others | {arguments["coa"]: arguments["until_ps"]}
        else:
            entries[action.node] = {_OF_VERB[action.verb]: arguments["until_ps"]}
    current = {
        node: tuple(_text(view, to) for to, end_ps in entry.items() if end_ps is None or time_ps < end_ps)
        for node, entry in entries.items()
    }
    return {node: texts for node, texts in current.items() if texts}


def _text(view: RunView, to: int | str) -> str:
    return to if isinstance(to, str) else view.columns.get(to, view.setup.network.nodes[to].name)


def _initial(view: RunView) -> Iterator[tuple[int, int | str]]:
    """Yield the entries of time 0: a mobile node whose link is up is registered with every anchor."""
    attachments, procedure = view.setup.attachments, view.observer.program.procedure
    first = int(np.flatnonzero(attachments.mobile == view.mobile)[0])
    if attachments.up_ps[first] > 0:
        return
    router = int(attachments.router[first])
    yield router, "visitor"
    if router == view.setup.home_agent:  # at home there is no binding
        return
    care_of = view.setup.gateways[router] if procedure.hierarchical else router
    yield view.setup.home_agent, care_of
    if procedure.hierarchical:
        yield care_of, router
    if procedure.route_optimization:
        for peer in CorrespondentTable(view.setup.network)[view.mobile]:
            yield peer, care_of
