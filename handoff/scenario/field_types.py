"""The values of a scenario file: text with a unit, names, probabilities."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from engine import quantities

Prefix = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Quantity:
    """Text with one of ``units``, read as an integer count of the smallest; only 0 needs none."""

    parse: Callable[[int | str], int]
    example: str
    units: dict[str, int] = field(hash=False)

    def __call__(self, value: Any) -> int:
        """The count that ``value`` says."""
        if isinstance(value, str) or (value == 0 and not isinstance(value, bool)):
            return self.parse(value)
        raise ValueError(f"{value!r} has no unit: write text with one, as in {self.example!r}")


@dataclass(frozen=True)
class Decimals:
    """A plain number within limits, read as an integer count of 10**-digits."""

    what: str
    low: int
    high: int
    digits: int

    def __call__(self, value: Any) -> int:
        """The count nearest to ``value``."""
        known = isinstance(value, (int, float)) and not isinstance(value, bool)
        try:
            number = Fraction(repr(value)) if known else None
        except ValueError:  # nan, inf
            number = None
        if number is None or not self.low <= number <= self.high:
            raise ValueError(f"{value!r} is not {self.what}: give a number from {self.low} to {self.high}")
        return round(number * Fraction(10**self.digits))


duration = Quantity(quantities.parse_duration, "20ms", quantities.TIME)


COUNTS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}


def count(text: str) -> int:
    """A whole number of text as in ``"10k"``, ``"1.5M"`` or ``"2G"``."""
    try:
        return quantities.parse_quantity(text, COUNTS, "count", "10k")
    except ValueError:
        raise ValueError(f"{text!r} is not a count: give a whole number from 0, as in 10000, '10k' or '1.5M'") from None


def probability(value: Any) -> str:
    """A number from 0 to below 1, as it was written."""
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


def join_names(names: list[str]) -> str:
    """Names for people: all of a few, the first and the last of many."""
    return ", ".join(names if len(names) <= 20 else [*names[:9], f"… ({len(names)} in all)", names[-1]])


_RANGE = re.compile(r"(.*?)\{(\d+)\.\.(\d+)\}(.*)", re.S)
MOST_NAMES = 2**16


def _names(value: Any) -> Any:
    """Names; ``ar{0..63}`` stands for 64 of them, ``ar{00..63}`` for those with two digits."""
    found: list[Any] = []
    for pattern in one_or_more(value):
        names = _spelt_out(pattern, MOST_NAMES - len(found)) if isinstance(pattern, str) else [pattern]
        if len(names) > 1:
            _name(names[0])  # said once, not of each
        found += names
    return found


def _spelt_out(pattern: str, most: int) -> list[str]:
    match = _RANGE.fullmatch(pattern)
    if not match:
        return [pattern]
    head, first, last, rest = match.groups()
    tails = _spelt_out(rest, most)
    numbers = range(int(first), int(last) + 1)
    if not numbers:
        raise ValueError(f"{pattern!r} counts down: write the smaller number first, as in 'ar{{0..63}}'")
    if len(numbers) * len(tails) > most:
        raise ValueError(f"{pattern!r} makes more than {MOST_NAMES} names")
    width = len(first) if first.startswith("0") else 0
    return [f"{head}{number:0{width}}{tail}" for number in numbers for tail in tails]


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
Rate = Annotated[int, BeforeValidator(Quantity(quantities.parse_rate, "10Mbit/s", quantities.RATE))]
Size = Annotated[int, BeforeValidator(Quantity(quantities.parse_size, "64kB", quantities.SIZE))]
Pace = Annotated[str, BeforeValidator(_pace)]
Loss = Annotated[str, BeforeValidator(probability)]
Name = Annotated[str, BeforeValidator(_name)]
Names = Annotated[list[Name], Field(min_length=1), BeforeValidator(_names)]
Count = Annotated[int, Field(ge=0, strict=True)]
Positive = Annotated[int, Field(ge=1, strict=True)]


class StrictModel(BaseModel):
    """No key that is not understood is let through."""

    model_config = ConfigDict(extra="forbid", frozen=True)
