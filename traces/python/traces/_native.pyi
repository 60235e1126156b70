from os import PathLike
from typing import Any

__all__ = ["read_associations", "read_capture"]

def read_associations(path: str | PathLike[str]) -> dict[str, Any]: ...
def read_capture(path: str | PathLike[str]) -> dict[str, Any]: ...
