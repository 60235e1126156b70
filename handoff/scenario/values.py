"""The values of a scenario file: text with a unit, names, probabilities."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from engine import quantities

Prefix = ipaddress.IPv4Network | ipaddress.IPv6Network


def reader(parse: Callable[[int | str], int], example: str) -> Callable[[Any], int]:
    """Numbers in a scenario carry their unit; only 0 needs none."""

    def read(value: Any) -> int:
        if isinstance(value, str) or (value == 0 and not isinstance(value, bool)):
            return parse(value)
        raise ValueError(f"{value!r} has no unit: write text with one, as in {example!r}")

    return read


def text(parse: Callable[[int | str], int], example: str) -> BeforeValidator:
    """As a field of a model."""
    return BeforeValidator(reader(parse, example))


duration = reader(quantities.duration, "20ms")


def _probability(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError(f"{value!r} is not a probability: give a number from 0 to below 1")
    try:
        quantities.loss_threshold(value)
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"{value!r} is not a probability: give a number from 0 to below 1") from None
    return str(value)


def _pace(value: Any) -> str:
    try:
        factor = Fraction(str(value)) if not isinstance(value, bool) and len(str(value)) <= 32 else Fraction(0)
    except (ValueError, ZeroDivisionError):
        factor = Fraction(0)
    if not Fraction(1, 1000) <= factor <= 1000:
        raise ValueError(f"{value!r} is not a pace: give a factor of time from 0.001 to 1000, as in 2 or '1/3'")
    if max(1000 * factor.numerator, factor.denominator) >= 2**63:
        raise ValueError(f"{value!r} has too many digits for a pace: give 15 at most")
    return str(value)


def one_or_more(value: Any) -> Any:
    """One thing, or an array of them."""
    return value if isinstance(value, list) else [value]


def _name(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[^\s>|*<]{1,64}", value):
        raise ValueError(f"{value!r} is not a name: write 1 to 64 characters, none of them a space or one of > | * <")
    return value


def prefix(value: Any) -> Prefix:
    """An address, or a prefix of addresses."""
    try:
        return ipaddress.ip_network(value if isinstance(value, str) else "")
    except ValueError:
        pass
    try:
        near = f"; did you mean {str(ipaddress.ip_network(value, strict=False))!r}?" if isinstance(value, str) else ""
    except ValueError:
        near = ", as in '10.0.0.7', '10.0.0.0/8' or '2001:db8::/32'"
    raise ValueError(f"{value!r} is not an address or prefix{near}")


Duration = Annotated[int, BeforeValidator(duration)]
Rate = Annotated[int, text(quantities.rate, "10Mbit/s")]
Size = Annotated[int, text(quantities.size, "64kB")]
Pace = Annotated[str, BeforeValidator(_pace)]
Loss = Annotated[str, BeforeValidator(_probability)]
Name = Annotated[str, BeforeValidator(_name)]
Count = Annotated[int, Field(ge=0, strict=True)]
Positive = Annotated[int, Field(ge=1, strict=True)]


class Model(BaseModel):
    """No key that is not understood is let through."""

    model_config = ConfigDict(extra="forbid", frozen=True)
