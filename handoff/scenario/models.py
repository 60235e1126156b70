"""Pydantic models of restarts, temporary home agents, control nodes and options (``network``: of nodes and links)."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

from pydantic import BaseModel, Field, StrictBool, create_model, model_validator

from engine.quantities import DURATION
from handoff.protocol.options import CHOICES, Options
from handoff.scenario.field_types import Count, CountLimit, Duration, Name, Names, SizeLimit, StrictModel

_SECOND = DURATION.units["s"]


class TemporaryHomeAgent(StrictModel):
    """A node of a sub-network that is the temporary home agent of its routers in Mobile IPv6 (seed, figures 4 and 5)."""

    node: Name = Field(description="Name of the [[node]] that is the temporary home agent.")
    routers: Names = Field(description="Names of its routers, or patterns such as 'ar{0..3}'.")


class ControlNodes(StrictModel):
    """Nodes of the control functions that carry no data. Without a name, the home agent's node has the function."""

    amf: Name | None = Field(default=None, description="Node of access and mobility management: AMF in 5G, MME in LTE.")
    smf: Name | None = Field(default=None, description="Node of session management: SMF in 5G.")
    database: Name | None = Field(default=None, description="Node of the central mobility database of RFC 8885.")

    def nodes(self) -> dict[str, str]:
        """Return the node of each role that has one of its own."""
        named = {"AMF": self.amf, "SMF": self.smf, "CMD": self.database}
        return {role: node for role, node in named.items() if node is not None}


class Restart(StrictModel):
    """Restart of an agent, which loses its bindings, visitors and forwarding entries."""

    node: Name = Field(description="Name of the node that loses its bindings, visitors and forwarding entries.")
    at: Duration = Field(description="Time of the restart.")


def _option_fields() -> dict[str, Any]:
    """Return a pydantic field for each field of ``Options``, with durations and sizes as text with a unit."""
    fields: dict[str, Any] = {}
    texts = Options.descriptions()
    for field in dataclasses.fields(Options):
        name, kind, default = field.name, field.type, field.default
        annotation: Any = Count
        if name in CHOICES:
            annotation = Literal[CHOICES[name]]
        elif name == "lifetime_s":
            name, annotation, default = "lifetime", Duration, Options.lifetime_s * _SECOND
        elif name.endswith("_ps"):
            name, annotation = name.removesuffix("_ps"), Duration | None if "None" in str(kind) else Duration
        elif name.endswith("_bytes"):
            annotation = SizeLimit
        elif name.endswith("_packets"):
            annotation = CountLimit
        elif "bool" in str(kind):
            annotation = StrictBool | None if "None" in str(kind) else StrictBool
        fields[name] = (annotation, Field(default=default, description=texts.get(field.name)))
    return fields


def to_options(model: BaseModel) -> Options:
    """Return the options of a scenario as the procedures take them."""
    values = {}
    for field in dataclasses.fields(Options):
        if field.name == "lifetime_s":
            values["lifetime_s"] = model.lifetime // _SECOND  # type: ignore[attr-defined]
        else:
            values[field.name] = getattr(model, field.name.removesuffix("_ps"))
    return Options(**values)


def _check_options(model: Any) -> Any:
    problems = to_options(model).problems()
    if model.lifetime % _SECOND:
        problems.append("lifetime: give whole seconds (RFC 5944, 3.3)")
    if problems:
        raise ValueError("; ".join(problems))
    return model


StudyOptions: Any = create_model(
    "StudyOptions",
    __base__=StrictModel,
    __doc__="Options of the procedures (docs/procedures.md).",
    __validators__={"check": model_validator(mode="after")(_check_options)},  # type: ignore[dict-item]
    **_option_fields(),
)
