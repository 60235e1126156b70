"""Fields of the scenario model by path: keys of a table, types and validators of a value."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, BeforeValidator
from pydantic.fields import FieldInfo

from handoff.scenario.field_types import (
    DecimalReader,
    QuantityReader,
    as_list,
    read_all,
    read_limit,
    read_places,
    read_probability,
)
from handoff.scenario.scenario import Scenario


def keys_at(path: Sequence[str | int]) -> list[str]:
    """Return the keys that the table at a path may have; none if there is no such table.

    Parameters
    ----------
    path : sequence of str or int
        Keys from the root on. Numbers, also as text, select an element of an array.
    """
    model = _find_model(annotation_at(path)) if path else Scenario
    return list(model.model_fields) if model is not None else []


def leaf_paths(data: Mapping[str, Any], model: type[BaseModel] = Scenario, prefix: str = "") -> Iterator[str]:
    """Yield the dotted path of every key of a scenario that is no table.

    Parameters
    ----------
    data : mapping of str to Any
        Tables of a scenario file: an array of tables has the paths of each of its elements.
    model : type of BaseModel
        Model of the table to begin with.
    prefix : str
        Path of that table with a dot behind it.
    """
    for name, field in model.model_fields.items():
        inner = _find_model(field.annotation)
        if inner is None:
            yield f"{prefix}{name}"
        elif not is_array(field.annotation):
            yield from leaf_paths(_as_table(data.get(name)), inner, f"{prefix}{name}.")
        else:
            for i, table in enumerate(as_list(data.get(name, []))):
                yield from leaf_paths(_as_table(table), inner, f"{prefix}{name}.{i}.")


def description_at(path: Sequence[str | int]) -> str:
    """Return the description of the key at a path; an empty text if there is no such key."""
    keys = [part for part in path if isinstance(part, str) and not part.isdecimal()]
    field = field_at(keys) if keys else None
    return (field.description or "") if field is not None else ""


def neutral_value(path: Sequence[str | int]) -> Any:
    """Return a valid value of a field that no other table refers to: a quantity, a number, a word, true or false; else None."""
    readers = list(validators_at(path))
    if any(isinstance(reader, QuantityReader) for reader in readers):
        return 0
    decimal = next((reader for reader in readers if isinstance(reader, DecimalReader)), None)
    if decimal is not None:
        return decimal.low
    if read_probability in readers:
        return "0"
    if is_count(path):
        return 1
    kinds = [kind for kind, _ in _alternatives(annotation_at(path), ())]
    words = [value for kind in kinds if typing.get_origin(kind) is Literal for value in typing.get_args(kind)]
    return words[0] if words else False if bool in kinds else None


def field_model(field: FieldInfo) -> type[BaseModel] | None:
    """Return the model of a field that is a table or an array of tables."""
    return _find_model(field.annotation)


def field_readers(field: FieldInfo) -> Iterator[Any]:
    """Return the functions that read a value of a field, as :func:`validators_at` does."""
    for _, metadata in _alternatives(typing.Annotated[(field.annotation, *field.metadata, None)], ()):
        yield from (entry.func for entry in metadata if isinstance(entry, BeforeValidator))


def field_kinds(field: FieldInfo) -> list[Any]:
    """Return the types of a field: those of a union, without their metadata."""
    return [kind for kind, _ in _alternatives(field.annotation, ())]


def field_at(path: Sequence[str | int]) -> FieldInfo | None:
    """Return the field of a model at a path; None if there is none."""
    model = _find_model(annotation_at(path[:-1])) if len(path) > 1 else Scenario
    return model.model_fields.get(str(path[-1])) if model is not None else None


def validators_at(path: Sequence[str | int]) -> Iterator[Any]:
    """Return the functions that read a value at a path before pydantic checks its type, such as a ``QuantityReader``."""
    metadata = (entry for _, entries in _alternatives(annotation_at(path), ()) for entry in entries)
    yield from dict.fromkeys(entry.func for entry in metadata if isinstance(entry, BeforeValidator))


def is_count(path: Sequence[str | int]) -> bool:
    """Return whether the value at a path may be a plain whole number."""
    readers = {reader for reader in validators_at(path) if reader not in (read_all, read_limit, read_places)}
    return not readers and any(kind is int for kind, _ in _alternatives(annotation_at(path), ()))


def annotation_at(path: Sequence[str | int]) -> Any:
    """Return the annotation of a field with its pydantic metadata; None if there is no such field."""
    annotation: Any = Scenario
    for part in path:
        if isinstance(part, int) or part.isdecimal():
            continue  # the annotation of an array also leads to the model of its elements
        model = _find_model(annotation)
        if model is None or part not in model.model_fields:
            return None
        field = model.model_fields[part]
        annotation = typing.Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
    return annotation


def _find_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if typing.get_origin(annotation) in (list, typing.Union, types.UnionType, typing.Annotated):
        return next((model for inner in typing.get_args(annotation) if (model := _find_model(inner)) is not None), None)
    return None


def _as_table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def is_array(annotation: Any) -> bool:
    """Return whether a field is an array of tables."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType, typing.Annotated):
        return any(map(is_array, typing.get_args(annotation)))
    return typing.get_origin(annotation) is list


def _alternatives(annotation: Any, metadata: tuple[Any, ...]) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """Yield each type of a union with its pydantic metadata."""
    inner = typing.get_args(annotation)
    if typing.get_origin(annotation) is typing.Annotated:
        yield from _alternatives(inner[0], (*metadata, *inner[1:]))
    elif typing.get_origin(annotation) in (typing.Union, types.UnionType):
        for alternative in inner:
            yield from _alternatives(alternative, metadata)
    else:
        yield annotation, metadata
