"""States of mobile nodes at a controller; docstrings are on the compiled class."""

from collections.abc import Callable
from typing import TypeVar, final

T = TypeVar("T")

@final
class PerMobileState(dict[int, T]):
    def __init__(self, initial_state: Callable[[int], T]) -> None: ...
