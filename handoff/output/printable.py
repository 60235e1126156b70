"""Text without characters that control a terminal, hide, or change the direction of other text, and that XML forbids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

T = TypeVar("T")


def printable(text: str, keep: str = "") -> str:
    r"""Return a text in which every unprintable character is an escape, such as ``\x1b``, ``\u202e`` or ``\n``.

    Unprintable are control characters, direction overrides, invisible characters, line separators, and bytes of a file name that
    are not UTF-8: everything for which ``str.isprintable`` is false.

    Parameters
    ----------
    text : str
        Text that may contain names out of a file of another person.
    keep : str
        Characters that are not escaped.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else ascii(c)[1:-1] for c in text)


def printable_copy(value: T) -> T:
    """Return a copy of nested dataclasses, sequences and mappings in which every text is :func:`printable`."""
    return _copy(value)  # type: ignore[no-any-return]


def _copy(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, tuple | list):
        return type(value)(map(_copy, value))
    if isinstance(value, Mapping):
        return {_copy(name): _copy(item) for name, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: _copy(getattr(value, field.name)) for field in fields(value)})
    return value
