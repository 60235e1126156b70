"""Types of the values in a scenario file: text with a unit, names, probabilities, prefixes."""

from __future__ import annotations

import ipaddress
import math
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import core_schema

from engine.quantities import (
    DURATION,
    NO_BYTES,
    NO_PLACE,
    NO_RATE,
    NUMBER,
    RATE,
    SIZE,
    UNLIMITED,
    Quantity,
    is_unlimited,
    loss_threshold,
    parse_fraction,
    refuse_zero,
)
from handoff.scenario.units import parse_percent

OnBadRecord = Literal["refuse", "skip", "keep-first"]
"""Treatment of a bad record, with the names of ``handoff_traces.OnBadRecord``."""
Prefix = ipaddress.IPv4Network | ipaddress.IPv6Network

NO_GAP = "0 means absent between any two samples: write 'unlimited' for never, or a duration above 0, as in '20s'"
MAX_NAMES = 2**16
"""Names that one list of patterns may expand to."""

_LISTED_NAMES = 20
_NUMBERED = re.compile(r"(.*?)\{(\d+)\.\.(\d+)\}(.*)", re.S)
_SLOWEST_PACE, _FASTEST_PACE = Fraction(1, 1000), 1000
_LONGEST_PACE = 32


class ValueReader(BeforeValidator):
    """Validator ``func`` that takes the value alone; pydantic inspects a ``BeforeValidator`` in each field to learn that."""

    __slots__ = ()

    def __get_pydantic_core_schema__(self, source_type: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """Return the schema of the field."""
        return core_schema.no_info_before_validator_function(self.func, schema=handler(source_type))  # type: ignore[arg-type]

    def __get_pydantic_json_schema__(self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Return the JSON schema of the values that ``func`` takes."""
        if isinstance(self.func, (QuantityReader, DecimalReader)):
            return self.func.json_schema()
        json_schema = handler(schema)
        if self.func is as_list:
            return one_or_more(json_schema["items"])
        if self.func in (read_limit, read_places):
            return {"anyOf": [json_schema | ({"minimum": 1} if self.func is read_places else {}), {"enum": list(UNLIMITED)}]}
        return json_schema


@dataclass(frozen=True)
class QuantityReader:
    """Validator of a field that takes text with a unit; only 0 needs no unit."""

    quantity: Quantity

    def __call__(self, value: Any) -> int:
        """Return the number of steps of a value.

        Raises
        ------
        ValueError
            If the value has no unit, or is out of range.
        """
        if isinstance(value, str) or (value == 0 and not isinstance(value, bool)):
            return self.quantity.read(value)
        raise ValueError(f"{value!r} has no unit: write text with one, as in {self.quantity.example!r}")

    def json_schema(self) -> JsonSchemaValue:
        """Return the JSON schema of the values: text with a unit, or 0."""
        text = {"type": "string", "pattern": self.quantity.pattern(), "examples": [self.quantity.example]}
        return {"anyOf": [text, {"const": 0}]}


def read_limit(value: Any) -> Any:
    """Return None for a word that means no limit, and any other number unchanged; other words and infinity are refused."""
    if is_unlimited(value):
        return None
    if isinstance(value, str) or value in (math.inf, -math.inf):
        raise ValueError(f"{value!r} is neither an integer nor 'unlimited'")
    return value


def read_places(value: Any) -> Any:
    """Return the largest number of packets in a queue and its server as ``read_limit`` does; 0 is refused."""
    if value == 0 and not isinstance(value, bool):
        raise ValueError(NO_PLACE)
    return read_limit(value)


def read_all(value: Any) -> Any:
    """Return None for the word ``all``, and any other value unchanged."""
    return None if value == "all" else value


@dataclass(frozen=True)
class LimitReader(QuantityReader):
    """Validator of a limit with a unit: a quantity, or a word that means no limit, which becomes None.

    Attributes
    ----------
    no_zero : str or None
        Message for a limit of 0. None: 0 is allowed, and leaves no room.
    """

    no_zero: str | None = None

    def __call__(self, value: Any) -> int | None:  # type: ignore[override]
        """Return the number of steps of a value, or None for no limit."""
        if is_unlimited(value):
            return None
        number = super().__call__(value)
        return number if self.no_zero is None else refuse_zero(number, self.no_zero)

    def json_schema(self) -> JsonSchemaValue:
        """Return the JSON schema of the values: those of a quantity, and words."""
        text, zero = super().json_schema()["anyOf"]
        return {"anyOf": [text, *([zero] if self.no_zero is None else []), {"enum": list(UNLIMITED)}]}


@dataclass(frozen=True)
class DecimalReader:
    """Validator of a field that takes a plain number, read as a whole number of ``10**-digits``.

    Attributes
    ----------
    noun : str
        Name in error messages, with its article.
    low, high : int
        Limits of the number; both are allowed.
    digits : int
        Decimals that are kept.
    is_share : bool
        If true, text with a percent sign is a value too.
    """

    noun: str
    low: int
    high: int
    digits: int
    is_share: bool = False

    def __call__(self, value: Any) -> int:
        """Return a number in units of ``10**-digits``, rounded.

        Raises
        ------
        ValueError
            If the value is no finite number, or out of range.
        """
        text = repr(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else ""
        if self.is_share and isinstance(value, str) and value.strip().endswith("%"):
            text = parse_percent(value)
        try:
            number = Fraction(text)
        except ValueError:  # no number, nan, inf
            number = None
        if number is None or not self.low <= number <= self.high:
            percent = ", or a percentage as in '5%'" if self.is_share else ""
            raise ValueError(f"{value!r} is not {self.noun}: give a number from {self.low} to {self.high}{percent}")
        return round(number * Fraction(10**self.digits))

    def json_schema(self) -> JsonSchemaValue:
        """Return the JSON schema of the values: a number, and for a share a percentage."""
        number = {"type": "number", "minimum": self.low, "maximum": self.high}
        return {"anyOf": [number, PERCENTAGE]} if self.is_share else number


read_duration = QuantityReader(DURATION)


def read_probability(value: Any) -> str:
    """Return the text of a probability, a number from 0 to below 1, without rounding it.

    Raises
    ------
    ValueError
        If the value is no number, or out of range.
    """
    problem = ValueError(f"{value!r} is not a probability: give a number from 0 to below 1, or a percentage as in '0.1%'")
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise problem
    text = parse_percent(str(value))
    try:
        loss_threshold(text)
    except (ValueError, ZeroDivisionError):
        raise problem from None
    return text


def _read_pace(value: Any) -> str:
    try:
        pace = parse_fraction(str(value)) if not isinstance(value, bool) and len(str(value)) <= _LONGEST_PACE else Fraction(0)
    except (ValueError, ZeroDivisionError):
        pace = Fraction(0)
    if not _SLOWEST_PACE <= pace <= _FASTEST_PACE:
        raise ValueError(f"{value!r} is not a pace: give a factor of time from 0.001 to 1000, as in 2 or '1/3'")
    if max(1000 * pace.numerator, pace.denominator) >= 2**63:  # the engine scales times in int64
        raise ValueError(f"{value!r} has too many digits for a pace: give 15 at most")
    return str(value)


def as_list(value: Any) -> Any:
    """Return a list as it is, and any other value as the only element of a list."""
    return value if isinstance(value, list) else [value]


def _read_name(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[^\s>|*<]{1,64}", value):
        raise ValueError(f"{value!r} is not a name: write 1 to 64 characters, none of them a space or one of > | * <")
    return value


def join_names(names: list[str]) -> str:
    """Return names as a text for messages: all names if they are few, else the first nine, their number and the last."""
    return ", ".join(names if len(names) <= _LISTED_NAMES else [*names[:9], f"… ({len(names)} in all)", names[-1]])


def _read_patterns(value: Any) -> Any:
    """Return a list of patterns, also for a single one; raise ValueError if one of them is no text."""
    patterns = as_list(value)
    if bad := [pattern for pattern in patterns if not isinstance(pattern, str) or not pattern]:
        raise ValueError(f"{bad[0]!r} is not a name or pattern: write text, as in 'mn7' or 'mn7*'")
    return patterns


def _read_names(value: Any) -> Any:
    """Expand patterns: ``ar{0..63}`` stands for 64 names, and ``ar{00..63}`` for 64 names with two digits."""
    names: list[Any] = []
    for pattern in as_list(value):
        expanded = _expand_pattern(pattern, MAX_NAMES - len(names)) if isinstance(pattern, str) else [pattern]
        if len(expanded) > 1:
            _read_name(expanded[0])  # one message for a bad pattern, not one for each of its names
        names += expanded
    return names


def _expand_pattern(pattern: str, limit: int) -> list[str]:
    match = _NUMBERED.fullmatch(pattern)
    if not match:
        return [pattern]
    head, first, last, rest = match.groups()
    tails = _expand_pattern(rest, limit)
    numbers = range(int(first), int(last) + 1)
    if not numbers:
        raise ValueError(f"{pattern!r} counts down: write the smaller number first, as in 'ar{{0..63}}'")
    if len(numbers) * len(tails) > limit:
        raise ValueError(f"{pattern!r} makes more than {MAX_NAMES} names: write a smaller range")
    width = len(first) if first.startswith("0") else 0
    return [f"{head}{number:0{width}}{tail}" for number in numbers for tail in tails]


def parse_prefix(value: Any) -> Prefix:
    """Return the prefix of a text; an address is a prefix of its full length.

    Raises
    ------
    ValueError
        If the value is neither; the message proposes the prefix without host bits if that is the mistake.
    """
    try:
        return ipaddress.ip_network(value if isinstance(value, str) else "")
    except ValueError:
        pass
    try:
        hint = f"; did you mean {str(ipaddress.ip_network(value, strict=False))!r}?" if isinstance(value, str) else ""
    except ValueError:
        hint = ", as in '10.0.0.7', '10.0.0.0/8' or '2001:db8::/32'"
    raise ValueError(f"{value!r} is not an address or prefix{hint}")


def one_or_more(element: JsonSchemaValue) -> JsonSchemaValue:
    """Return the JSON schema of a value or an array of values."""
    return {"anyOf": [element, {"type": "array", "items": element, "minItems": 1}]}


PERCENTAGE: JsonSchemaValue = {"type": "string", "pattern": rf"^\s*{NUMBER}\s*%\s*$", "examples": ["1%"]}
TEXT: JsonSchemaValue = {"type": "string", "minLength": 1}
_NAME: JsonSchemaValue = {"type": "string", "pattern": r"^[^\s>|*<]{1,64}$"}
_FRACTION: JsonSchemaValue = {"type": "string", "pattern": rf"^\s*(?:{NUMBER}|\d+/\d+)\s*$"}
_PACE: JsonSchemaValue = {"anyOf": [{"type": "number", "minimum": float(_SLOWEST_PACE), "maximum": _FASTEST_PACE}, _FRACTION]}
_LOSS: JsonSchemaValue = {"anyOf": [{"type": "number", "minimum": 0, "exclusiveMaximum": 1}, PERCENTAGE, _FRACTION]}
PREFIX: JsonSchemaValue = {"type": "string", "examples": ["10.0.0.7", "10.0.0.0/8", "2001:db8::/32"]}

Duration = Annotated[int, ValueReader(read_duration)]
Size = Annotated[int, ValueReader(QuantityReader(SIZE))]
Pace = Annotated[str, ValueReader(_read_pace), WithJsonSchema(_PACE)]
Loss = Annotated[str, ValueReader(read_probability), WithJsonSchema(_LOSS)]
Name = Annotated[str, ValueReader(_read_name), WithJsonSchema(_NAME)]
Names = Annotated[list[Name], Field(min_length=1), ValueReader(_read_names), WithJsonSchema(one_or_more(_NAME))]
NamePatterns = Annotated[list[str], ValueReader(_read_patterns), Field(min_length=1), WithJsonSchema(one_or_more(TEXT))]
"""Names of mobile nodes, with ``*``, ``?`` and ``[…]`` as in a shell."""
MAX_COUNT = 10**15
"""Largest number of packets, nodes and the like: far above anything that a run could have, and far below the end of int64."""
Count = Annotated[int, Field(ge=0, le=MAX_COUNT, strict=True)]
CountLimit = Annotated[Count | None, ValueReader(read_limit)]
SizeLimit = Annotated[int | None, ValueReader(LimitReader(SIZE))]
Rate = Annotated[int | None, ValueReader(LimitReader(RATE, NO_RATE))]
Places = Annotated[Count | None, ValueReader(read_places)]
"""Packets in a queue and its server together: at least 1."""
QueueBytes = Annotated[int | None, ValueReader(LimitReader(SIZE, NO_BYTES))]
Gap = Annotated[int | None, ValueReader(LimitReader(DURATION, NO_GAP))]
MAX_MOBILE_NODES = 2**31 - 1
"""The engine numbers mobile nodes in 32 bits."""
MobileCount = Annotated[int, Field(ge=1, le=MAX_MOBILE_NODES, strict=True)]
Positive = Annotated[int, Field(ge=1, le=MAX_COUNT, strict=True)]


class StrictModel(BaseModel):
    """Immutable pydantic model that refuses unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)
