"""Errors in the rows of a procedure that somebody has written: unknown events, messages, roles and effects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.similar_names import name_hint
from handoff.protocol.message_formats import FORMATS
from handoff.protocol.messages import known_kinds, message_kind
from handoff.protocol.procedures.steps import EFFECTS, EVENTS, FIRST_ACTIONS, ROLES, Procedure


def procedure_errors(definition: Procedure) -> list[str]:
    """Return an error message for each word in the rows of a procedure that nothing would handle.

    A controller class of the procedure may have effects of its own.
    """
    steps = (*definition.signalling, *definition.between, *definition.rescue)
    messages = {step.message for step in steps}
    errors = [*_unknown("anchor", (definition.anchor,), ROLES)]
    if definition.marker:
        errors += _unknown("marker", (definition.marker,), messages)
    has_own_controller = definition.agent is not None or definition.mobile_node is not None
    for step in steps:
        words = [*_unknown("event or message before it", (step.on,), (*EVENTS, *messages))]
        if step.format:
            words += _unknown("format", (step.format,), FORMATS)
        else:
            words += _unknown("message", (message_kind(step.message),), known_kinds(definition.ip))
        words += _unknown("role", step.path, ROLES)
        if len(step.path) < 2:
            words.append(f"its path is {step.path}: name sender and receiver")
        if not has_own_controller:
            words += _unknown("effect", step.effect.split(), EFFECTS)
            words += _unknown("first action", filter(None, (step.first,)), FIRST_ACTIONS)
        errors += [f"step {step.on!r}, {step.message!r}: {word}" for word in words]
    return [f"{definition.name}: {error}" for error in dict.fromkeys(errors)]


def _unknown(what: str, names: Iterable[str], known: Iterable[str]) -> Iterator[str]:
    valid = tuple(known)
    return (f"no {what} {name!r}; {name_hint(name, valid)}" for name in names if name not in valid)
