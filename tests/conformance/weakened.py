"""Procedures whose agents lack one rule, to show what the rule prevents."""

from dataclasses import replace

from handoff.protocol.agent import Agent
from handoff.protocol.binding_cache import BindingCache
from handoff.protocol.procedures import Procedure, find_procedure
from handoff.protocol.visitor_list import VisitorList


class _CredulousCache(BindingCache):
    def is_newer(self, *_, **__):
        return True


class _CredulousAgent(Agent):
    def __init__(self, program, roles, message_hops, node):
        super().__init__(program, roles, message_hops, node)
        self.binding_cache = _CredulousCache(program, roles, None)


class _DeafVisitorList(VisitorList):
    def on_acknowledgement(self, ctx):
        pass


class _DeafAgent(Agent):
    def __init__(self, program, roles, message_hops, node):
        super().__init__(program, roles, message_hops, node)
        self.visitor_list = _DeafVisitorList(program, roles, node)


def without_identifications(procedure: str) -> Procedure:
    """Return a procedure whose anchors accept requests with an old identification (RFC 5944 5.7)."""
    return replace(find_procedure(procedure), agent=_CredulousAgent)


def without_acknowledgements(procedure: str) -> Procedure:
    """Return a procedure whose routers ignore the acknowledgement of the mobile node."""
    return replace(find_procedure(procedure), agent=_DeafAgent)
