"""What a scenario file may say about many runs of it: ``[sweep]`` and ``[slo]`` (docs/sweeps.md)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, StrictBool, model_validator

from handoff.protocol.procedures import name_errors, parse_names
from handoff.scenario.field_types import Duration, Positive, StrictModel, as_list
from handoff.scenario.value_ranges import expand_values, toml_literal

NOT_OF_A_POINT = ("sweep", "slo", "seed")
"""Tables and keys that change no run: which others there are, what is asked of them, and the seed, which is the run's."""


def _values(given: Any) -> tuple[str, ...]:
    """What a field takes: one text, or an array of values and texts."""
    if isinstance(given, list) and not given:
        raise ValueError("there is no value: give some, or leave the field out")
    parts = (expand_values(part) if isinstance(part, str) else [toml_literal(part)] for part in as_list(given))
    return tuple(dict.fromkeys(value for part in parts for value in part))


def _procedures(given: Any) -> Any:
    names = as_list(given)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return names
    names = parse_names("all") if names == ["all"] else names
    if wrong := name_errors(names):
        raise ValueError("; ".join(wrong))
    return names


def _flat(table: dict[str, Any], stem: str = "") -> dict[str, Any]:
    """Tables in a table as dotted names: ``options.bicast = …`` and ``"options.bicast" = …`` say the same."""
    found: dict[str, Any] = {}
    for name, value in table.items():
        found |= _flat(value, f"{stem}{name}.") if isinstance(value, dict) and value else {f"{stem}{name}": value}
    return found


Values = Annotated[tuple[str, ...], BeforeValidator(_values)]
Procedures = Annotated[list[str], BeforeValidator(_procedures), Field(min_length=1)]


class Sweep(StrictModel):
    """Fields and the values that they take; every other key is one of these.

    Attributes
    ----------
    zip : list of list of str
        Fields of each list take their values side by side; all others in every combination.
    procedures : list of str
        Names, or ``all``.
    runs : int
        Replications of each point: seeds ``seed``, ``seed + 1`` …
    warmup : duration
        Figures are about what comes after it.
    batches : int
        Into which the time after the warm-up is cut.
    where : str or None
        Only the points for which this is true (SQL over the fields and ``procedure``).
    detail : bool
        Whether a record of every packet is kept.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Values] = Field(init=False)

    zip: list[Annotated[list[str], Field(min_length=2)]] = Field(default_factory=list)
    procedures: Procedures | None = None
    runs: Positive = 10
    warmup: Duration = 0
    batches: Positive = 1
    where: str | None = None
    detail: StrictBool = False

    @property
    def fields(self) -> dict[str, tuple[str, ...]]:
        """Values of each field, in the order of the file."""
        return dict(self.__pydantic_extra__ or {})

    @model_validator(mode="before")
    @classmethod
    def _dotted(cls, table: Any) -> Any:
        return _flat(table) if isinstance(table, dict) else table

    @model_validator(mode="after")
    def _zipped(self) -> Sweep:
        if found := zip_problems(self.fields, self.zip):
            raise ValueError("; ".join(found))
        return self


def zip_problems(fields: dict[str, tuple[str, ...]], groups: list[list[str]]) -> list[str]:
    """What is wrong with fields that go side by side."""
    zipped = [name for group in groups for name in group]
    known = ", ".join(map(repr, fields)) or "none"
    found = [f"zip: no field {name!r} varies; there are {known}" for name in dict.fromkeys(zipped) if name not in fields]
    found += [f"zip: {name!r} stands twice" for name in dict.fromkeys(zipped) if zipped.count(name) > 1]
    found += [f"zip: {', '.join(map(repr, group))}: at least two fields go side by side" for group in groups if len(group) < 2]
    for group in groups:
        lengths = {name: len(fields[name]) for name in group if name in fields}
        if len(set(lengths.values())) > 1:
            told = ", ".join(f"{name!r} has {count}" for name, count in lengths.items())
            found.append(f"zip: fields that go side by side have equally many values: {told}")
    return found


def _targets(given: Any) -> Any:
    for text in as_list(given):
        if not isinstance(text, str) or not any(sense in text for sense in "<>"):
            raise ValueError(f"{text!r} is not a target: write a measure and its limit, as in 'loss_ratio<=1e-4'")
    return as_list(given)


class Slo(StrictModel):
    """What a network has to keep: measures and their limits."""

    targets: Annotated[list[str], BeforeValidator(_targets), Field(min_length=1)]


__all__ = ["Slo", "Sweep", "zip_problems"]
