"""Types of the compiled module; its docstrings explain them."""

from typing import BinaryIO

from engine._core import Engine

def save(engine: Engine, file: BinaryIO) -> None: ...
def restore(engine: Engine, file: BinaryIO) -> None: ...
