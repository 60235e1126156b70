"""JSON schema of scenario files, for editors and other programs."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from handoff.scenario.field_paths import field_kinds, field_model, field_readers, is_array
from handoff.scenario.field_types import DecimalReader, QuantityReader, read_probability
from handoff.scenario.handoff_times import parse_distance, parse_gap, parse_uniform
from handoff.scenario.scenario import Scenario

DIALECT = "http://json-schema.org/draft-07/schema#"


class _Generator(GenerateJsonSchema):
    """Generator of the schema: no titles, no null (TOML has none), and defaults as a file writes them."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Return False: a title would repeat the name of the key."""
        return False

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """Return the schema of the value: a key without a value is left out of a file."""
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Return the schema without its default, which :func:`build_schema` adds as a file writes it."""
        return self.generate_inner(schema["schema"])


@functools.cache
def build_schema() -> dict[str, Any]:
    """Return the JSON schema of a scenario file."""
    schema = Scenario.model_json_schema(schema_generator=_Generator)
    schema.pop("title", None)
    tables = {model.__name__: model for model in _models(Scenario)}
    for name, table in [("Scenario", schema), *schema["$defs"].items()]:
        table.pop("title", None)
        for key, field in tables[name].model_fields.items():
            if (default := default_text(field)) is not None:
                table["properties"][key]["default"] = default
    return {"$schema": DIALECT, "title": "Scenario of Handoff"} | schema


def default_text(field: FieldInfo) -> Any:
    """Return the default of a field as a file writes it; None if there is none."""
    value = None if field.is_required() or field.default_factory else field.default
    if value is None or isinstance(value, (BaseModel, tuple)):
        return None
    for reader in field_readers(field):
        if isinstance(reader, QuantityReader):
            return reader.quantity.format_exact(value) if value else 0
        if isinstance(reader, DecimalReader):
            return value / 10**reader.digits
    return value


class Key(NamedTuple):
    """A key of a scenario file.

    Attributes
    ----------
    path : str
        Dotted path; ``*`` stands for the tables of an array.
    kind : str
        Kind of its values.
    default : str
        Default as in a file; empty if there is none.
    is_required : bool
        True if its table needs the key.
    description : str
        What the value means.
    """

    path: str
    kind: str
    default: str
    is_required: bool
    description: str


def scenario_keys(model: type[BaseModel] = Scenario, prefix: str = "") -> Iterator[Key]:
    """Yield all keys of a scenario file, tables before the keys in them."""
    for name, field in model.model_fields.items():
        inner, path = field_model(field), f"{prefix}{name}"
        default = default_text(field)
        text = "" if default is None or inner is not None else json.dumps(default)
        yield Key(path, _kind(field), text, field.is_required(), field.description or "")
        if inner is not None:
            yield from scenario_keys(inner, f"{path}.*." if is_array(field.annotation) else f"{path}.")


def markdown_page() -> str:
    """Return the page docs/keys.md: a table of the keys of each table of a scenario file."""
    tables: dict[str, list[Key]] = {"": []}
    for key in scenario_keys():
        table, _, name = key.path.removesuffix(".*").rpartition(".")
        tables.setdefault(table, []).append(key._replace(path=name))
    lines = [
        "# Keys of a scenario file", "",
        "All keys with the kind of their values, their default and their meaning; `handoff explain KEY` prints the same.",
        "[scenario.md](scenario.md) describes how they work together. This page is the output of `handoff schema --markdown`.",
        "",
        "A `*` in the name of a table stands for each table of an array, as in `[[link]]`.",
    ]  # fmt: skip
    for table, keys in tables.items():
        lines += ["", f"## `{table}`" if table else "## Top level", "", "| key | values | default | meaning |"]
        lines.append("|---|---|---|---|")
        lines += [
            f"| `{key.path}` | {key.kind.replace('|', '/')} | {'required' if key.is_required else _code(key.default)} "
            f"| {key.description} |"
            for key in keys
        ]
    return "\n".join(lines)


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _kind(field: FieldInfo) -> str:
    """Return the kind of values of a field in words."""
    if field_model(field) is not None:
        return "array of tables" if is_array(field.annotation) else "table"
    readers = list(field_readers(field))
    for reader in readers:
        if isinstance(reader, QuantityReader):
            return reader.quantity.noun
        if isinstance(reader, DecimalReader):
            return reader.noun.partition(" ")[2]
    if read_probability in readers:
        return "probability"
    if parse_uniform in readers:
        return "duration, or two"
    if parse_gap in readers:
        return "duration, two, quantiles or a name"
    if parse_distance in readers:
        return "length or a name"
    kinds = field_kinds(field)
    if words := [word for kind in kinds if get_origin(kind) is Literal for word in get_args(kind)]:
        return " or ".join(filter(None, [", ".join(map(repr, words[:-1])), repr(words[-1])]))
    return "true or false" if bool in kinds else "whole number" if int in kinds else "text"


def _models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """Yield a model and all models of its tables."""
    yield model
    for field in model.model_fields.values():
        if (inner := field_model(field)) is not None:
            yield from _models(inner)
