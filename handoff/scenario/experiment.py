"""Tables ``[sweep]`` and ``[slo]`` of a scenario file (docs/sweeps.md, docs/planning.md)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field, StrictBool, WithJsonSchema, model_validator
from pydantic.json_schema import JsonSchemaValue

from handoff.protocol.procedures import ALL_PROCEDURES, MIXTURE, SETS, name_errors, parse_names
from handoff.scenario.field_types import TEXT, Duration, Positive, StrictModel, ValueReader, as_list, one_or_more
from handoff.scenario.value_ranges import expand_values, toml_literal

NOT_OF_A_POINT = ("sweep", "slo", "seed")
"""Keys of a scenario file that do not change a run: the other points, their targets, and the seed, which each run has its own."""


def _read_values(value: Any) -> tuple[str, ...]:
    if isinstance(value, list) and not value:
        raise ValueError("there is no value: give some, or leave the field out")
    parts = (expand_values(part) if isinstance(part, str) else [toml_literal(part)] for part in as_list(value))
    return tuple(dict.fromkeys(text for part in parts for text in part))


def _read_procedures(value: Any) -> Any:
    names = as_list(value)
    if not all(isinstance(name, str) for name in names):
        return names  # pydantic reports the element that is no text
    names = [name for word in names for name in parse_names(word)]
    if problems := name_errors(names):
        raise ValueError("; ".join(problems))
    return names


def _flatten(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Replace nested tables by dotted names: ``options.bicast = …`` and ``"options.bicast" = …`` are the same field."""
    flat: dict[str, Any] = {}
    for name, value in table.items():
        flat |= _flatten(value, f"{prefix}{name}.") if isinstance(value, dict) and value else {f"{prefix}{name}": value}
    return flat


_VALUES = one_or_more({"type": ["string", "number", "boolean"]})
_VALUES["anyOf"].append({"type": "object"})  # a path without quotes: options.bicast = […]
_NAMES: JsonSchemaValue = one_or_more({"enum": [*ALL_PROCEDURES, MIXTURE, *SETS]})
Values = Annotated[tuple[str, ...], ValueReader(_read_values), WithJsonSchema(_VALUES)]
Procedures = Annotated[list[str], ValueReader(_read_procedures), Field(min_length=1), WithJsonSchema(_NAMES)]


class Sweep(StrictModel):
    """Fields and their values; every key other than those below is the name of a field."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Values] = Field(init=False)

    zip: list[Annotated[list[str], Field(min_length=2)]] = Field(
        default_factory=list,
        description="Groups of fields that take their values in step; all other fields vary in every combination.",
    )
    procedures: Procedures | None = Field(
        default=None, description="Names of the procedures, or 'mobile-ip', 'lte', '5g', 'fast' or 'all'."
    )
    runs: Positive = Field(default=10, description="Replications of each point, with consecutive seeds from 'seed' on.")
    warmup: Duration = Field(default=0, description="Time at the start of a run that the measures leave out.")
    batches: Positive = Field(default=1, description="Batches into which the time after the warm-up is divided.")
    where: str | None = Field(
        default=None, description="Condition of the points to run: SQL over the fields and 'procedure'. Default: all points."
    )
    detail: StrictBool = Field(default=False, description="If true, record every packet and compute all measures.")

    @property
    def fields(self) -> dict[str, tuple[str, ...]]:
        """Values of each field, in the order of the file."""
        return dict(self.__pydantic_extra__ or {})

    @model_validator(mode="before")
    @classmethod
    def _flatten_fields(cls, table: Any) -> Any:
        return _flatten(table) if isinstance(table, dict) else table

    @model_validator(mode="after")
    def _check_zip(self) -> Sweep:
        if problems := zip_problems(self.fields, self.zip):
            raise ValueError("; ".join(problems))
        return self


def zip_problems(fields: dict[str, tuple[str, ...]], groups: list[list[str]]) -> list[str]:
    """Return the problems of groups of fields that take their values in step.

    Parameters
    ----------
    fields : dict of str to tuple of str
        Values by name of the field.
    groups : list of list of str
        Names of the fields of each group.
    """
    names = [name for group in groups for name in group]
    known = ", ".join(map(repr, fields)) or "none"
    problems = [f"zip: no field {name!r} varies; there are {known}" for name in dict.fromkeys(names) if name not in fields]
    problems += [f"zip: {name!r} is listed twice: name each once" for name in dict.fromkeys(names) if names.count(name) > 1]
    problems += [f"zip: {', '.join(map(repr, group))}: name at least two fields" for group in groups if len(group) < 2]
    for group in groups:
        lengths = {name: len(fields[name]) for name in group if name in fields}
        if len(set(lengths.values())) > 1:
            counts = ", ".join(f"{name!r} has {length}" for name, length in lengths.items())
            problems.append(f"zip: fields of a group need equally many values: {counts}")
    return problems


def _read_targets(value: Any) -> Any:
    for text in as_list(value):
        if not isinstance(text, str) or not any(relation in text for relation in "<>"):
            raise ValueError(f"{text!r} is not a target: write a measure and its limit, as in 'loss_ratio<=1e-4'")
    return as_list(value)


class Slo(StrictModel):
    """Service-level objectives: limits of measures, as in ``loss_ratio<=1e-4``."""

    targets: Annotated[list[str], ValueReader(_read_targets), Field(min_length=1), WithJsonSchema(one_or_more(TEXT))] = Field(
        description="Limits of measures, as in 'loss_ratio<=1e-4' or 'registration_delay_p99<=50ms'."
    )


__all__ = ["NOT_OF_A_POINT", "Slo", "Sweep", "zip_problems"]
