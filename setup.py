"""Build of the compiled engine; all metadata is in pyproject.toml.

Environment
-----------
HANDOFF_CHECKS=1    indices of views and vectors checked (slow; for hunting bugs)
HANDOFF_ANNOTATE=1  write an annotated listing beside the generated source
HANDOFF_NATIVE=1    use every instruction of this machine's processor
"""

import hashlib
import os
import shutil
import sysconfig
from pathlib import Path

from setuptools import Extension, setup

# the path of a packet is one loop only if all that it calls is put into it: a tenth of the time
INLINING = [
    f"--param={name}"
    for name in (
        "max-inline-insns-single=2000",
        "large-function-growth=3000",
        "large-function-insns=20000",
        "inline-unit-growth=400",
    )
]


def compiler_found() -> bool:
    named = (os.environ.get("CXX") or sysconfig.get_config_var("CXX") or "").split()
    return any(shutil.which(c) for c in [*named[:1], "c++", "g++", "clang++"]) or os.name == "nt"


def asked(switch: str) -> bool:
    return os.environ.get(switch) == "1"


def compiler_flags() -> list[str]:
    if os.name == "nt":
        return []
    flags = ["-O3", "-std=c++17", "-Wno-unused-function", "-Wno-sign-compare", *INLINING]
    flags += ["-D_GLIBCXX_ASSERTIONS", "-g"] if asked("HANDOFF_CHECKS") else ["-g0"]
    return flags + (["-march=native"] if asked("HANDOFF_NATIVE") else [])


def digest_of_sources() -> str:
    """Tells builds apart by what they were made from: every .pyx and .pxd of the engine, by name and content."""
    found = hashlib.sha256()
    for path in sorted([*Path("engine").glob("*.pxd"), *Path("engine").glob("*.pyx")]):
        found.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


def changes_with(name: str, text: str) -> Path:
    """A file that is written when ``text`` is another: Cython and setuptools compare times alone."""
    path = Path("build") / name
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return path


def extensions() -> list[Extension]:
    from Cython.Build import cythonize

    checks, annotate, flags = asked("HANDOFF_CHECKS"), asked("HANDOFF_ANNOTATE"), compiler_flags()
    # what was made under other switches looks up to date to Cython and to setuptools, but is not
    stamp, switches = Path("build/switches"), f"checks={checks} annotate={annotate} {' '.join(flags)}\n"
    same, digest = stamp.exists() and stamp.read_text() == switches, digest_of_sources()
    made = cythonize(
        [
            Extension(
                f"engine.{name}", [f"engine/{name}.pyx"], language="c++",
                define_macros=[("HANDOFF_SOURCES", f'"{digest}"')] if name == "_core" else [],
                extra_compile_args=flags, extra_link_args=[] if os.name == "nt" else ["-pthread"],
            )
            for name in ("_checkpoint", "_control", "_core", "_loop")
        ],
        build_dir="build/cython",
        annotate=annotate,
        force=not same,
        compiler_directives={
            "language_level": 3,
            "boundscheck": checks,
            "wraparound": False,
            "initializedcheck": checks,
            "cdivision": True,
        },
    )
    changes_with("switches", switches)  # now that all has been made under them
    for extension in made:
        extension.depends.append(str(stamp))
        if extension.define_macros:
            extension.depends.append(str(changes_with("sources", digest)))
    return made


if not compiler_found():
    raise SystemExit("handoff needs a C++ compiler: install g++ (Debian: apt-get install g++) or clang, then try again.")

setup(ext_modules=extensions(), options={"build_ext": {"parallel": os.cpu_count() or 1}})
