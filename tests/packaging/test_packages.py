"""Source archive and wheel: the archive can be built, the wheel has the modules and nothing else."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from handoff.protocol.compiled import LIBRARY, MODULES, folder_of_copies, is_enabled

pytestmark = pytest.mark.long  # Cython and the compiler take minutes

ROOT = Path(__file__).parents[2]
PARTS = ("engine", "handoff")
DATA = (".toml", ".lua", ".css", ".js", ".j2", "LICENSES.txt", "py.typed")
EXAMPLES = {
    f"handoff/examples/{p.relative_to(ROOT / 'examples').as_posix()}"
    for p in (ROOT / "examples").rglob("*") if p.suffix in (".toml", ".csv", ".pcap")
} | {"handoff/cli/glossary.md"}  # fmt: skip
ALONE = ("setup.py", "pyproject.toml", "MANIFEST.in", "LICENSE", "README.md", "CHANGELOG.md")


def build(kind: str, place: Path, out: Path, **environment: str) -> Path:
    """Run the PEP 517 hook in a folder, with the setuptools and Cython of this environment, and return the archive."""
    hook = f"from setuptools import build_meta; build_meta.build_{kind}({str(out)!r})"
    env = {**os.environ, **environment}
    done = subprocess.run([sys.executable, "-c", hook], cwd=place, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    (archive,) = out.glob("*.tar.gz" if kind == "sdist" else "*.whl")
    return archive


def sources(*endings: str) -> set[str]:
    return {p.relative_to(ROOT).as_posix() for part in PARTS for p in (ROOT / part).rglob("*") if p.name.endswith(endings)}


@pytest.fixture(scope="module")
def source_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the source archive in a tree that holds the output of an earlier build, as a developer's tree does."""
    place = tmp_path_factory.mktemp("tree")
    for part in PARTS:
        shutil.copytree(ROOT / part, place / part, ignore=shutil.ignore_patterns("__pycache__", "*.so", "*.pyd"))
    for name in ALONE:
        shutil.copy(ROOT / name, place)
    (place / "engine" / "_core.cpp").write_text("// generated")
    (place / "engine" / "_core.so").write_bytes(b"\x7fELF")
    nothing = tmp_path_factory.mktemp("nothing")  # no compiler is needed
    return build("sdist", place, tmp_path_factory.mktemp("sdist"), PATH=str(nothing), CXX="no-such-compiler")


@pytest.fixture(scope="module")
def unpacked(source_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(source_archive) as archive:
        archive.extractall(place, filter="data")
    (top,) = place.iterdir()
    return top


@pytest.fixture(scope="module")
def wheel(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Build the wheel from the source archive alone and return its file names. It is not optimized, to be fast."""
    script = unpacked / "setup.py"
    text = script.read_text()
    assert text.count('"-O3"') == 1
    script.write_text(text.replace('"-O3"', '"-O0"'))
    with zipfile.ZipFile(build("wheel", unpacked, tmp_path_factory.mktemp("wheel"))) as archive:
        return set(archive.namelist())


def test_the_source_archive_has_every_source_and_no_build_product(unpacked: Path) -> None:
    names = {p.relative_to(unpacked).as_posix() for p in unpacked.rglob("*") if p.is_file()}
    assert (sources(".py", ".pyx", ".pxd", ".pyi", *DATA) | EXAMPLES) - names == set()
    assert set(ALONE) - names == set()
    assert {n for n in names if n.endswith((".c", ".cpp", ".so", ".pyd", ".pyc")) or n.startswith("build/")} == set()


def test_the_wheel_has_modules_and_types_but_no_sources_of_extensions(wheel: set[str]) -> None:
    compiled = {n.split(".")[0] for n in wheel if n.endswith((".so", ".pyd"))}
    copies = folder_of_copies(ROOT / "handoff/protocol").relative_to(ROOT).as_posix()
    assert compiled == {n.removesuffix(".pyx") for n in sources(".pyx")} | {
        f"{copies}/{name}" for name in (LIBRARY, *MODULES) if is_enabled()
    }
    code = {n for n in wheel if ".dist-info/" not in n and not n.endswith((".so", ".pyd"))}
    assert code == sources(".py", ".pyi", *DATA) | EXAMPLES


def test_the_wheel_carries_the_licence_and_the_command(wheel: set[str]) -> None:
    info = {n.split(".dist-info/")[1] for n in wheel if ".dist-info/" in n}
    assert {"entry_points.txt", "licenses/LICENSE", "METADATA"} <= info


def test_a_build_with_checks_does_not_reuse_one_without(unpacked: Path, wheel: set[str]) -> None:
    """Cython and setuptools compare modification times only. Translation is enough to see the directives."""
    generated = unpacked / "build/cython/engine/_core.cpp"
    nothing = dict.fromkeys(("CC", "CXX", "LDSHARED", "LDCXXSHARED"), "true")  # a compiler that does nothing
    for checks in ("1", "0"):
        done = subprocess.run(
            [sys.executable, "setup.py", "-q", "build_ext"],
            cwd=unpacked,
            env={**os.environ, **nothing, "HANDOFF_CHECKS": checks},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        assert ("__Pyx_RaiseBufferIndexError" in generated.read_text()) is (checks == "1")
