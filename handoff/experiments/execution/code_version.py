"""The version of the code that produced a result."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("engine", "handoff", "handoff_traces")


@lru_cache(maxsize=1)
def code_version() -> str:
    """Return the version of the package and a digest of its code, as in ``0.1.0+3f2a9c41d07b``.

    The digest covers every Python source of the three packages, the sources of the compiled engine
    (``engine._core.SOURCE_DIGEST``) and the version of the compiled part of ``handoff_traces``. Code with the same version text
    produces the same results.
    """
    from engine._core import SOURCE_DIGEST

    digest = hashlib.sha256(f"{SOURCE_DIGEST} {version('handoff-traces')}".encode())
    for package in PACKAGES:
        spec = find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        folder = Path(spec.origin).parent
        for path in sorted(folder.rglob("*.py"), key=lambda path: path.relative_to(folder).as_posix()):
            name = f"{package}/{path.relative_to(folder).as_posix()}"
            digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return f"{version('handoff-sim')}+{digest.hexdigest()[:12]}"
