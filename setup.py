"""Build of the compiled engine; all metadata is in pyproject.toml.

Environment
-----------
HANDOFF_CHECKS=1    bounds, None and overflow checks on (slow; for hunting bugs)
HANDOFF_ANNOTATE=1  write an annotated listing beside the generated source
HANDOFF_NATIVE=1    use every instruction of this machine's processor
"""

import os
import shutil
import sysconfig

from setuptools import Extension, setup


def compiler_found() -> bool:
    named = (os.environ.get("CXX") or sysconfig.get_config_var("CXX") or "").split()
    return any(shutil.which(c) for c in [*named[:1], "c++", "g++", "clang++"]) or os.name == "nt"


def extensions() -> list[Extension]:
    from Cython.Build import cythonize

    checks = os.environ.get("HANDOFF_CHECKS") == "1"
    flags = ["-O3", "-std=c++17", "-Wno-unused-function"] if os.name != "nt" else []
    flags += ["-march=native"] if os.environ.get("HANDOFF_NATIVE") == "1" else []
    return cythonize(
        [
            Extension(f"engine.{name}", [f"engine/{name}.pyx"], language="c++", extra_compile_args=flags)
            for name in ("_control", "_core")
        ],
        build_dir="build/cython",
        annotate=os.environ.get("HANDOFF_ANNOTATE") == "1",
        force=checks,
        compiler_directives={
            "language_level": 3,
            "boundscheck": checks,
            "wraparound": checks,
            "initializedcheck": checks,
            "nonecheck": checks,
            "cdivision": True,
        },
    )


if not compiler_found():
    raise SystemExit("handoff needs a C++ compiler: install g++ (Debian: apt-get install g++) or clang, then try again.")

setup(ext_modules=extensions())
