"""What a path of a scenario file is: which keys a table has, and what a key's value is."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel, BeforeValidator

from handoff.scenario.models import Scenario


def keys_at(path: Sequence[str | int]) -> list[str]:
    """Keys that the table at a path may have; none if there is no such table."""
    model = _model_of(_annotation_at(path)) if path else Scenario
    return list(model.model_fields) if model is not None else []


def kinds_at(path: Sequence[str | int]) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """Types that the value at a path may have, each with what pydantic does with it; numbers count the tables of an array."""
    yield from _kinds(_annotation_at(path), ())


def readers_at(path: Sequence[str | int]) -> Iterator[Any]:
    """What reads the text of a value at a path (``Quantity``, ``Decimals`` or a function)."""
    for _, metadata in kinds_at(path):
        yield from (m.func for m in metadata if isinstance(m, BeforeValidator))


def is_count(path: Sequence[str | int]) -> bool:
    """Whether the value at a path is a plain whole number."""
    found = (kind is int and not any(isinstance(m, BeforeValidator) for m in metadata) for kind, metadata in kinds_at(path))
    return any(found)


def _annotation_at(path: Sequence[str | int]) -> Any:
    here: Any = Scenario
    for part in path:
        if isinstance(part, int) or part.isdecimal():
            continue  # an element is what its list is of
        model = _model_of(here)
        if model is None or part not in model.model_fields:
            return None
        field = model.model_fields[part]
        here = typing.Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
    return here


def _model_of(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if typing.get_origin(annotation) in (list, typing.Union, types.UnionType, typing.Annotated):
        return next((m for a in typing.get_args(annotation) if (m := _model_of(a)) is not None), None)
    return None


def _kinds(annotation: Any, metadata: tuple[Any, ...]) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    inner = typing.get_args(annotation)
    if typing.get_origin(annotation) is typing.Annotated:
        yield from _kinds(inner[0], (*metadata, *inner[1:]))
    elif typing.get_origin(annotation) in (typing.Union, types.UnionType):
        for each in inner:
            yield from _kinds(each, metadata)
    else:
        yield annotation, metadata
