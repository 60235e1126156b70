"""The digest of the code."""

import hashlib
import re
from importlib.metadata import version

from engine._core import SOURCE_DIGEST
from handoff.experiments.execution.code_version import code_version
from tests.unit.experiments.execution.short_tasks import ROOT


def test_the_compiled_engine_contains_the_digest_of_its_sources():
    expected = hashlib.sha256()
    for path in sorted(p for p in (ROOT / "engine").rglob("*") if p.suffix in (".pyx", ".pxd")):
        name = path.relative_to(ROOT).as_posix()
        expected.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    assert expected.hexdigest() == SOURCE_DIGEST, "a source has changed since the build: uv sync"


def test_the_version_changes_with_any_source(tmp_path, monkeypatch):
    assert re.fullmatch(re.escape(version("handoff-sim")) + r"\+[0-9a-f]{12}", code_version())
    package = tmp_path / "onepackage"
    package.mkdir()
    versions = []
    monkeypatch.setattr("handoff.experiments.execution.code_version.PACKAGES", ("onepackage",))
    monkeypatch.syspath_prepend(tmp_path)
    for name, text in (("__init__.py", ""), ("one.py", "x = 1\n"), ("one.py", "x = 2\n"), ("two.py", "x = 2\n")):
        (package / name).write_text(text)
        versions.append(code_version.__wrapped__())
        assert code_version.__wrapped__() == versions[-1]
    assert len(set(versions)) == 4
