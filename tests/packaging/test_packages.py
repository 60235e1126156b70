"""What users are given: the source archive can be built from, the wheel holds what runs and nothing else."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ("engine", "handoff")
ALONE = ("setup.py", "pyproject.toml", "MANIFEST.in", "LICENSE", "README.md", "CHANGELOG.md")


def built(kind: str, place: Path, out: Path) -> Path:
    """The archive that PEP 517's hook makes in ``place``, by the setuptools and Cython of this environment."""
    hook = f"from setuptools import build_meta; build_meta.build_{kind}({str(out)!r})"
    done = subprocess.run([sys.executable, "-c", hook], cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    (archive,) = out.glob("*.tar.gz" if kind == "sdist" else "*.whl")
    return archive


def sources(*endings: str) -> set[str]:
    return {p.relative_to(ROOT).as_posix() for part in PARTS for p in (ROOT / part).rglob("*") if p.name.endswith(endings)}


@pytest.fixture(scope="module")
def source_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made where an earlier build has left its output, as in a developer's tree."""
    place = tmp_path_factory.mktemp("tree")
    for part in PARTS:
        shutil.copytree(ROOT / part, place / part, ignore=shutil.ignore_patterns("__pycache__", "*.so", "*.pyd"))
    for name in ALONE:
        shutil.copy(ROOT / name, place)
    (place / "engine" / "left.cpp").write_text("// generated")
    (place / "engine" / "left.so").write_bytes(b"\x7fELF")
    return built("sdist", place, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def unpacked(source_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(source_archive) as archive:
        archive.extractall(place, filter="data")
    (top,) = place.iterdir()
    return top


@pytest.fixture(scope="module")
def wheel(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Names in the wheel built from the source archive alone; not optimized, which changes no name and is fast."""
    script = unpacked / "setup.py"
    text = script.read_text()
    assert text.count('"-O3"') == 1
    script.write_text(text.replace('"-O3"', '"-O0"'))
    with zipfile.ZipFile(built("wheel", unpacked, tmp_path_factory.mktemp("wheel"))) as archive:
        return set(archive.namelist())


def test_the_source_archive_has_every_source_and_nothing_built(unpacked: Path) -> None:
    names = {p.relative_to(unpacked).as_posix() for p in unpacked.rglob("*") if p.is_file()}
    assert sources(".py", ".pyx", ".pxd", ".pyi", ".toml", ".lua", "py.typed") - names == set()
    assert set(ALONE) - names == set()
    assert {n for n in names if n.endswith((".c", ".cpp", ".so", ".pyd", ".pyc")) or n.startswith("build/")} == set()


def test_the_wheel_has_the_modules_their_types_and_nothing_to_build_from(wheel: set[str]) -> None:
    compiled = {n.split(".")[0] for n in wheel if n.endswith((".so", ".pyd"))}
    assert compiled == {n.removesuffix(".pyx") for n in sources(".pyx")}
    code = {n for n in wheel if ".dist-info/" not in n and not n.endswith((".so", ".pyd"))}
    assert code == sources(".py", ".pyi", ".toml", ".lua", "py.typed")


def test_the_wheel_carries_the_licence_and_the_command(wheel: set[str]) -> None:
    info = {n.split(".dist-info/")[1] for n in wheel if ".dist-info/" in n}
    assert {"entry_points.txt", "licenses/LICENSE", "METADATA"} <= info


def test_a_build_with_checks_works_and_is_not_taken_for_one_without(unpacked: Path, wheel: set[str]) -> None:
    """Cython and setuptools compare times alone; translating is enough to see which directives were used."""
    generated = unpacked / "build/cython/engine/_core.cpp"
    for checks in ("1", "0"):
        done = subprocess.run(
            [sys.executable, "setup.py", "-q", "--version"],
            cwd=unpacked,
            env={**os.environ, "HANDOFF_CHECKS": checks},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        assert ("__Pyx_RaiseBufferIndexError" in generated.read_text()) is (checks == "1")
