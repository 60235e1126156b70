"""States of mobile nodes at a controller; docstrings are on the compiled class."""

from collections.abc import Callable
from typing import TypeVar, final

_T = TypeVar("_T")

@final
class PerMobileState(dict[int, _T]):
    def __init__(self, initial_state: Callable[[int], _T]) -> None: ...
    def __missing__(self, mobile: int) -> _T: ...
