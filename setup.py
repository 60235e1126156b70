"""Build the engine, the loops of metrics and coverage, and the compiled copies of controllers; all metadata is in pyproject.toml.

Only ``build_ext`` needs a compiler: a source archive and metadata are made without one.

Environment
-----------
HANDOFF_CHECKS=1    check the indices of views and vectors (slow; for debugging)
HANDOFF_SANITIZE=1  build with the address sanitizer (.ci/sanitize)
HANDOFF_ANNOTATE=1  write an annotated HTML listing next to each generated C++ file
HANDOFF_NATIVE=1    use all instructions of this machine's processor
HANDOFF_COMPILED_PROTOCOL=0  leave out the compiled copies of controllers (handoff/protocol/compiled.py)
"""

import hashlib
import os
import runpy
import shutil
import sysconfig
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ENGINE = ("_checkpoint", "_context", "_core", "_interval_rows", "_loop", "_mobile_states")
COVERAGE = ("_decisions", "_received_levels")
METRICS = ("_group_loops", "_packet_loops")
FOLDERS = {"engine": ENGINE, "handoff/metrics": METRICS, "handoff/mobility/coverage": COVERAGE}
MODULES = [f"{folder}/{name}.pyx" for folder, names in FOLDERS.items() for name in names]
BUILD = Path("build")
PROTOCOL = Path("handoff/protocol")
ENGINE_TYPES = ("__init__.py", "_context.pyi", "_mobile_states.pyi")
"""Files with the types of the engine that controllers use."""

# Without these limits GCC does not inline the whole path of a packet into one loop, which costs a tenth of the run time.
INLINING = [
    f"--param={name}"
    for name in (
        "max-inline-insns-single=2000",
        "large-function-growth=3000",
        "large-function-insns=20000",
        "inline-unit-growth=400",
    )
]


def has_compiler() -> bool:
    command = (os.environ.get("CXX") or sysconfig.get_config_var("CXX") or "").split()
    return any(shutil.which(c) for c in [*command[:1], "c++", "g++", "clang++"])


def is_enabled(switch: str) -> bool:
    return os.environ.get(switch) == "1"


def compiler_flags() -> list[str]:
    flags = ["-O3", "-std=c++17", "-Wno-unused-function", "-Wno-sign-compare", *INLINING]
    if is_enabled("HANDOFF_SANITIZE"):
        flags = ["-O1", "-std=c++17", "-Wno-unused-function", "-Wno-sign-compare"]
        flags += ["-fsanitize=address", "-fno-omit-frame-pointer"]
    flags += ["-D_GLIBCXX_ASSERTIONS", "-g"] if is_enabled("HANDOFF_CHECKS") else ["-g0"]
    return flags + (["-march=native"] if is_enabled("HANDOFF_NATIVE") else [])


def source_digest() -> str:
    """Return the SHA-256 of the path and content of every .pyx and .pxd file of the engine; it identifies a build."""
    digest = hashlib.sha256()
    for path in sorted(p for p in Path("engine").rglob("*") if p.suffix in (".pyx", ".pxd")):
        digest.update(path.as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def write_if_changed(path: Path, text: str) -> None:
    """Write a file only when its content differs: Cython and setuptools decide by modification time what to rebuild."""
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


class BuildExtensions(build_ext):
    """Translate Cython modules to C++ and controllers to C, and compile all."""

    def run(self) -> None:
        if not has_compiler():
            raise SystemExit("handoff needs a C++ compiler: install g++ (Debian: apt-get install g++) or clang, then try again.")
        controllers = [extension for extension in self.extensions if not extension.sources]
        translate_cython([extension for extension in self.extensions if extension.sources])
        if controllers:
            translate_controllers(controllers)
            folder = Path(*controllers[0].name.split(".")[:-1])
            for root in (Path(), Path(self.build_lib)):
                remove_other_folders(root / folder)
            if self.inplace or self.editable_mode:
                folder.mkdir(parents=True, exist_ok=True)
        super().run()


def remove_other_folders(folder: Path) -> None:
    """Remove all folders beside a folder: they hold copies of earlier sources."""
    for other in folder.parent.glob("*/"):
        if other != folder:
            shutil.rmtree(other)


def cython_extensions() -> list[Extension]:
    """Return an extension for each Cython module. A copy of the engine alone has no others."""
    return [
        Extension(module[: -len(".pyx")].replace("/", "."), [module], language="c++", extra_link_args=["-pthread"])
        for module in MODULES
        if Path(module).exists()
    ]


def controller_extensions() -> list[Extension]:
    """Return an extension for each compiled copy, without sources: only a build translates them."""
    if not PROTOCOL.exists():
        return []  # the engine alone
    compiled = runpy.run_path(str(PROTOCOL / "compiled.py"))
    if not compiled["is_enabled"]():
        return []
    package = ".".join(compiled["folder_of_copies"](PROTOCOL).parts)
    return [Extension(f"{package}.{name}", []) for name in (compiled["LIBRARY"], *compiled["MODULES"])]


def translate_controllers(extensions: list[Extension]) -> None:
    """Translate the controllers with mypyc, and set the C sources of their extensions."""
    from mypyc.build import mypycify

    typed = [*PROTOCOL.rglob("*.py"), *(Path("engine", name) for name in ENGINE_TYPES)]
    by_name = {extension.name.rpartition(".")[2]: extension for extension in extensions}
    # All other packages are left out, so that the code does not depend on what is installed, and takes seconds to translate.
    options = ["--config-file=", "--no-site-packages", "--ignore-missing-imports", "--follow-imports=skip"]
    for translated in mypycify(
        [*options, *sorted(map(str, typed))],
        only_compile_paths=[str(path) for path in typed if path.parent == PROTOCOL and path.stem in by_name],
        opt_level="2",
        debug_level="0",
        target_dir=str(BUILD / "mypyc"),
        group_name="handoff.protocol.native",
    ):
        extension = by_name[translated.name.rpartition(".")[2]]
        extension.sources, extension.depends = translated.sources, translated.depends
        extension.include_dirs = translated.include_dirs
        extension.extra_compile_args = [flag for flag in translated.extra_compile_args if flag != "-Werror"]


def translate_cython(extensions: list[Extension]) -> None:
    """Replace the Cython sources of extensions by C++ sources, and set the flags of the compiler."""
    from Cython.Build import cythonize

    checks, annotate, flags = is_enabled("HANDOFF_CHECKS"), is_enabled("HANDOFF_ANNOTATE"), compiler_flags()
    # Files built with other switches look up to date to Cython and setuptools, so the switches are kept in a file of their own.
    switches_file, digest_file = BUILD / "switches", BUILD / "sources"
    switches, digest = f"checks={checks} annotate={annotate} {' '.join(flags)}\n", source_digest()
    same_switches = switches_file.exists() and switches_file.read_text() == switches
    translated = cythonize(
        extensions,
        build_dir=str(BUILD / "cython"),
        annotate=annotate,
        force=not same_switches,
        compiler_directives={
            "language_level": 3,
            "boundscheck": checks,
            "wraparound": False,
            "initializedcheck": checks,
            "cdivision": True,
        },
    )
    # Written only after Cython has succeeded: an interrupted translation must run again.
    write_if_changed(switches_file, switches)
    write_if_changed(digest_file, digest)
    by_name = {extension.name: extension for extension in translated}
    for extension in extensions:  # setuptools has prepared these objects; Cython returns others
        extension.sources, extension.depends = by_name[extension.name].sources, by_name[extension.name].depends
        extension.depends.append(str(switches_file))
        extension.extra_compile_args = flags
        if extension.name == "engine._core":
            extension.define_macros = [("HANDOFF_SOURCE_DIGEST", f'"{digest}"')]
            extension.depends.append(str(digest_file))


setup(
    ext_modules=[*cython_extensions(), *controller_extensions()],
    cmdclass={"build_ext": BuildExtensions},
    options={"build_ext": {"parallel": os.cpu_count() or 1}},
)
