"""Compiled copies of modules of this package: which modules have one, and where the copies of the present sources are.

``setup.py`` translates the modules to C with mypyc, from the same sources that run without it. The folder of the copies carries
the digest of the sources, so that a copy of other sources is never imported: after an edit the sources run until the next build.
The environment variable ``HANDOFF_COMPILED_PROTOCOL=0`` switches the copies off, at the build and at run time.

Classes with state are marked ``mypyc_attr(allow_interpreted_subclasses=True)``. Subclasses in Python are then possible, and
``__new__`` does not call ``__init__``, so that checkpoints can create an object and set its state.
"""

from __future__ import annotations

import hashlib
import os
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

MODULES = (
    "agent",
    "binding_cache",
    "context_table",
    "home_link",
    "layer2_triggers",
    "message_routing",
    "mixture",
    "mobile_node",
    "mobile_node_state",
    "movement_detection",
    "prepared_agent",
    "prepared_mobile_node",
    "registration",
    "roles",
    "visitor_list",
)
"""Modules that handle the events of controllers."""

LIBRARY = "native__mypyc"
"""Module with the code of all copies, which the others import."""


def is_enabled() -> bool:
    """Return whether the environment admits compiled copies."""
    return os.environ.get("HANDOFF_COMPILED_PROTOCOL") != "0"


def folder_of_copies(package: Path) -> Path:
    """Return the folder for compiled copies of the present sources of a package, whether it exists or not.

    All sources count, also those without a copy: compiled code relies on the types of what it imports.

    Parameters
    ----------
    package : Path
        Folder of the package.
    """
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return package / "_compiled" / f"of_{digest.hexdigest()[:16]}"


def compiled_path(package: Path) -> list[str]:
    """Return what the import path of a package has to begin with: the folder of its compiled copies, if there are any."""
    if not is_enabled():
        return []
    folder = folder_of_copies(package)
    return [str(folder)] if any((folder / (LIBRARY + suffix)).exists() for suffix in EXTENSION_SUFFIXES) else []
