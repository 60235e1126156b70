"""Mobile nodes by the names that users give."""

from __future__ import annotations

from engine import NetworkError
from handoff.protocol.setup import Setup
from handoff.scenario.errors import ScenarioError


def find_mobile(setup: Setup, text: str, argument: str) -> int:
    """Return the index of a mobile node from its name or number.

    Parameters
    ----------
    setup : Setup
        Setup with the mobile nodes.
    text : str
        Name, or number from 0.
    argument : str
        What the user calls the value, for the message.

    Raises
    ------
    ScenarioError
        If there is no such mobile node.
    """
    try:
        return setup.network.mobile_index(text)
    except NetworkError:
        count = setup.network.mobile_count
        if text.isdecimal() and int(text) < count:
            return int(text)
        first, last = setup.network.mobile_name(0), setup.network.mobile_name(count - 1)
        raise ScenarioError(
            [f"{argument}: no mobile node {text!r}: give a name ({first} to {last}) or 0 to {count - 1}"]
        ) from None
