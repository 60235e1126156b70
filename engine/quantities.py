"""Quantities: text with a unit, as in "20ms", read as an exact whole number of steps and formatted from it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

FOREVER = 2**63 - 1
"""The largest int64, used as a time in picoseconds that no run reaches: "no end"."""
UNLIMITED = ("unlimited", "infinite")
"""Words for no limit. In Python no limit is None; 0 never is."""

_LONGEST_TEXT = 64
_DECIMALS = 6
NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,2})?"
"""Pattern of a number before a unit."""
_TEXT = re.compile(rf"\s*({NUMBER})\s*([^\d\s.]\S*)?\s*\Z")
_PART = re.compile(r"\s*(\d+)\s*([^\d\s.+-]+)\s*")
"""Part of a compound such as "1h30min"."""
_LONG_EXPONENT = re.compile(r"[eE][+-]?[\d_]{4}")


@dataclass(frozen=True, eq=False)
class Quantity:
    """A kind of value that has a unit, such as a duration or a rate.

    Attributes
    ----------
    noun : str
        Name in error messages, as in "duration".
    example : str
        A valid text, for error messages.
    units : mapping of str to int
        Size of each unit in steps. The first unit is the step itself (size 1): every value is a whole number of it.
    signed : bool
        If true, values below 0 are allowed.
    aliases : mapping of str to int or Fraction
        Further units that are read but never written. A value in a unit that is no whole number of steps is rounded.
    ambiguous : mapping of str to str
        Units that are refused because they may mean several things, each with the units to write instead.
    compound : bool
        If true, a text may have several numbers with units, the larger ones first, as in "1h30min".
    """

    noun: str
    example: str
    units: Mapping[str, int]
    signed: bool = False
    aliases: Mapping[str, int | Fraction] = field(default_factory=dict)
    ambiguous: Mapping[str, str] = field(default_factory=dict)
    compound: bool = False

    @property
    def step(self) -> str:
        """Name of the smallest unit."""
        return next(iter(self.units))

    def parse(self, text: str) -> int:
        """Return the number of steps of a text that consists of a number and a unit.

        Raises
        ------
        ValueError
            If the text has another form, or its value is no whole number of steps, does not fit int64, or is negative though
            the quantity is not ``signed``.
        """
        parts = list(self._parts(text)) if len(text) <= _LONGEST_TEXT else []
        if not parts:
            raise ValueError(f"{text!r} is not a {self.noun}: {self._unit_hint(text)}")
        value = sum((Fraction(Decimal(number)) * self.size(unit) for number, unit in parts), Fraction(0))
        if all(isinstance(self.size(unit), Fraction) for _, unit in parts):
            value = Fraction(round(value))
        if value.denominator != 1:
            raise ValueError(f"{text!r} is finer than 1 {self.step}, the smallest {self.noun}")
        if (value < 0 and not self.signed) or abs(value) >= FOREVER:
            low = "above -2**63" if self.signed else "at least 0"
            raise ValueError(f"{text!r} is out of range: a {self.noun} is {low} and below 2**63 {self.step}")
        return int(value)

    def has_unit(self, unit: str) -> bool:
        """Return whether a text may have a unit."""
        return unit in self.units or unit in self.aliases

    def size(self, unit: str) -> int | Fraction:
        """Return the size of a unit in steps; a Fraction if values in it are rounded."""
        return self.units[unit] if unit in self.units else self.aliases[unit]

    def pattern(self) -> str:
        """Return a regular expression for texts that ``parse`` may accept (ECMA 262, for a JSON schema)."""
        units = "|".join(re.escape(unit) for unit in (*self.units, *self.aliases) if unit)
        number, one = NUMBER if self.signed else NUMBER.replace("[+-]?", r"\+?", 1), "?" if "" in self.units else ""
        return rf"^\s*(?:{number}\s*(?:{units}){one}\s*{')+' if self.compound else ')'}$"

    def _parts(self, text: str) -> Iterator[tuple[str, str]]:
        """Yield numbers and units of a text; none if it has another form."""
        match = _TEXT.match(text)
        if match and self.has_unit(match[2] or ""):
            yield match[1], match[2] or ""
        elif self.compound:
            parts = _PART.findall(text)
            sizes = [self.size(unit) if self.has_unit(unit) else 0 for _, unit in parts]
            if _PART.sub("", text) == "" and all(sizes) and sizes == sorted(set(sizes), reverse=True):
                yield from parts

    def _unit_hint(self, text: str) -> str:
        match = _TEXT.match(text)
        unit = (match[2] or "") if match else ""
        if unit in self.ambiguous:
            return f"{unit!r} is ambiguous: write {self.ambiguous[unit]}"
        same = [known for known in (*self.units, *self.aliases) if unit and known.casefold() == unit.casefold()]
        if same:
            return f"did you mean {same[0]!r} instead of {unit!r}?"
        return f"write a number and one of {', '.join(filter(None, self.units))}, as in {self.example!r}"

    def read(self, value: int | str) -> int:
        """Return the number of steps of a value: an int is that number already, text has a unit.

        Raises
        ------
        ValueError
            If ``parse`` refuses the text, or the value is neither text nor an int from 0 to 2**63 - 1.
        """
        if isinstance(value, str):
            return self.parse(value)
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise ValueError(f"{value!r} is not a {self.noun}: give an int or text with a unit, as in {self.example!r}")
        number = value.__index__()
        if not 0 <= number <= FOREVER:
            raise ValueError(f"{value!r} is out of range: a {self.noun} is at least 0 and below 2**63 {self.step}")
        return number

    def format_exact(self, number: int, unit: str = "") -> str:
        """Return the text that ``parse`` reads as exactly this number: in ``unit`` if six decimals suffice.

        Otherwise it is a whole number of the largest possible unit.
        """
        if unit and (decimal := self._decimal(number, unit)) is not None:
            return f"{decimal}{unit}"
        unit = self.step
        for name, size in self.units.items():
            if number and number % size == 0 and size > self.units[unit]:
                unit = name
        return f"{number // self.units[unit]}{unit}"

    def format_shortest(self, number: int, unit: str = "") -> str:
        """Return the exact text for a sentence: in ``unit`` if six decimals suffice, as in "1,500 ms".

        Otherwise it is the text with the fewest digits, "1.5 s". Of several units that take equally few digits, the largest is
        used. A unit larger than the value is not used.
        """
        if not unit or self._decimal(number, unit) is None:
            lengths = {
                name: len(decimal)
                for name, size in sorted(self.units.items(), key=lambda item: -item[1])
                if (abs(number) >= size or name == self.step) and (decimal := self._decimal(number, name)) is not None
            }
            unit = min(lengths, key=lengths.__getitem__)
        return f"{self._decimal(number, unit, ',')}{'' if unit.startswith('/') else ' '}{unit}"

    def unit_of(self, text: str) -> str | None:
        """Return the unit of a text that consists of a number and one of ``units``; None for another text."""
        match = _TEXT.match(text)
        return match[2] if match and match[2] in self.units else None

    def _decimal(self, number: int, unit: str, separator: str = "") -> str | None:
        """Return the exact value in a unit as text, with separators between thousands; None if it has more than six decimals."""
        scaled = Fraction(abs(number) * 10**_DECIMALS, self.units[unit])
        if scaled.denominator != 1:
            return None
        integer, fraction = divmod(int(scaled), 10**_DECIMALS)
        return f"{'-' * (number < 0)}{integer:{separator}}" + f".{fraction:0{_DECIMALS}d}".rstrip("0").removesuffix(".")


DURATION = Quantity(
    "duration", "20ms",
    {"ps": 1, "ns": 10**3, "us": 10**6, "µs": 10**6, "ms": 10**9, "s": 10**12, "min": 60 * 10**12, "h": 3600 * 10**12},
    aliases={"d": 86400 * 10**12}, ambiguous={"m": "'min' for minutes or 'ms' for milliseconds"}, compound=True,
)  # fmt: skip
RATE = Quantity(
    "rate", "10Mbit/s", {"bit/s": 1, "kbit/s": 10**3, "Mbit/s": 10**6, "Gbit/s": 10**9, "Tbit/s": 10**12},
    aliases={"bps": 1, "kbps": 10**3, "Mbps": 10**6, "Gbps": 10**9, "Tbps": 10**12},
    ambiguous={
        prefix + unit: f"'{prefix}bit/s', a rate in bits"
        for unit in ("", "B/s", "Bps", "b/s") for prefix in ("k", "M", "G", "T")
    },
)  # fmt: skip
SIZE = Quantity(
    "size", "64kB", {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30},
    ambiguous={
        prefix + unit: f"'{prefix}B' or '{prefix.upper()}iB', a size in bytes"
        for unit in ("", "b", "bit") for prefix in ("k", "M", "G")
    } | {"KB": "'kB' for 1,000 or 'KiB' for 1,024 bytes", "K": "'kB' for 1,000 or 'KiB' for 1,024 bytes"},
)  # fmt: skip


def parse_duration(value: int | str) -> int:
    """Return a duration in picoseconds (``"20ms"``; an int is picoseconds already).

    Raises
    ------
    ValueError
        If the text has no known unit, is negative, past 106 days (int64) or finer than 1 ps.
    """
    return DURATION.read(value)


def parse_size(value: int | str) -> int:
    """Return a size in bytes (``"64kB"``)."""
    return SIZE.read(value)


def is_unlimited(value: object) -> bool:
    """Return whether a value means no limit: None, or one of the words ``UNLIMITED``."""
    return value is None or (isinstance(value, str) and value.strip() in UNLIMITED)


def parse_rate(value: int | str | None) -> int | None:
    """Return a rate in bits per second (``"10Mbit/s"``), or None for ``"unlimited"``: no transmission time.

    Raises
    ------
    ValueError
        If the value is no rate, or 0.
    """
    return None if is_unlimited(value) else refuse_zero(RATE.read(value), NO_RATE)  # type: ignore[arg-type]


def parse_byte_limit(value: int | str | None) -> int | None:
    """Return the bytes that a queue holds (``"64kB"``), or None for ``"unlimited"``.

    Raises
    ------
    ValueError
        If the value is no size, or 0.
    """
    return None if is_unlimited(value) else refuse_zero(SIZE.read(value), NO_BYTES)  # type: ignore[arg-type]


NO_RATE = "0 means that nothing is sent: write 'unlimited' for no transmission time, or a rate above 0, as in '10Mbit/s'"
NO_BYTES = "0 means no packet: write 'unlimited' for no limit, or a size above 0, as in '64kB'"
NO_PLACE = "0 means no packet, not even the one in service: write 'unlimited' for no limit, or 1 for no waiting place"


def refuse_zero(number: int, reason: str) -> int:
    """Return a number above 0; raise ValueError with a ``reason`` for 0."""
    if number == 0:
        raise ValueError(reason)
    return number


def parse_fraction(text: str) -> Fraction:
    """Return the exact value of a decimal number or a ratio such as ``"1/3"``.

    Raises
    ------
    ValueError
        If the text is no number, or has an exponent of four digits or more: such a number takes minutes to expand.
    ZeroDivisionError
        If the denominator is 0.
    """
    if _LONG_EXPONENT.search(text):
        raise ValueError(f"{text!r} is not a number: write an exponent of at most three digits")
    return Fraction(text)


def loss_threshold(value: float | int | str) -> int:
    """Return ``floor(value * 2**64)`` of a loss probability: a draw below it loses the packet (docs/model.md, 9)."""
    try:
        probability = parse_fraction(str(value))
    except ZeroDivisionError:
        raise ValueError(f"{value!r} is not a number: its denominator is 0") from None
    if not 0 <= probability < 1:
        raise ValueError(f"a loss probability is at least 0 and below 1, not {value!r}")
    return int(probability * 2**64)


def format_quantity(number: float, quantity: Quantity, unit: str, decimals: int | None = None) -> str:
    """Return a rounded number in a unit, as in "37.4 ms".

    Parameters
    ----------
    number : float
        In steps of the quantity.
    quantity : Quantity
        Kind of the number.
    unit : str
        One of ``quantity.units``.
    decimals : int, optional
        Digits after the point. Default: up to six significant digits, without trailing zeros.
    """
    value = number / quantity.units[unit]
    return f"{value:.6g} {unit}" if decimals is None else f"{value:.{decimals}f} {unit}"


def format_duration(ps: int, digits: int = 6) -> str:
    """Return a duration with up to ``digits`` significant digits, in the largest unit from s to ps that it reaches ("37 ms")."""
    unit = next((name for name in ("s", "ms", "us", "ns") if abs(ps) >= DURATION.units[name]), "ps")
    return f"{ps / DURATION.units[unit]:.{digits}g} {unit}"
