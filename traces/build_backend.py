"""Build backend (PEP 517, PEP 660): maturin, preceded by a check that cargo is installed.

Without the check, a missing cargo would end in a traceback; with it, in one sentence.
"""

import shutil
from typing import Any

import maturin

_CARGO_MISSING = (
    "handoff-traces is compiled from Rust and needs cargo 1.85 or newer: install it from https://rustup.rs "
    "(Debian: apt-get install rustup && rustup default stable), then try again."
)


def _require_cargo() -> None:
    if shutil.which("cargo") is None:
        raise SystemExit(_CARGO_MISSING)


def get_requires_for_build_wheel(config_settings: Any = None) -> list[str]:
    """Return the requirements of a wheel beyond maturin: none."""
    _require_cargo()
    return []


def get_requires_for_build_editable(config_settings: Any = None) -> list[str]:
    """Return the requirements of an editable build beyond maturin: none."""
    _require_cargo()
    return []


def get_requires_for_build_sdist(config_settings: Any = None) -> list[str]:
    """Return the requirements of a source archive beyond maturin: none."""
    _require_cargo()
    return []


def prepare_metadata_for_build_wheel(metadata_directory: str, config_settings: Any = None) -> str:
    """Write the metadata of the wheel and return the name of its folder."""
    _require_cargo()
    return maturin.prepare_metadata_for_build_wheel(metadata_directory, config_settings)


def prepare_metadata_for_build_editable(metadata_directory: str, config_settings: Any = None) -> str:
    """Write the metadata of the editable wheel and return the name of its folder."""
    _require_cargo()
    return maturin.prepare_metadata_for_build_editable(metadata_directory, config_settings)


def build_wheel(wheel_directory: str, config_settings: Any = None, metadata_directory: str | None = None) -> str:
    """Build the wheel and return its name."""
    _require_cargo()
    return maturin.build_wheel(wheel_directory, config_settings, metadata_directory)


def build_editable(wheel_directory: str, config_settings: Any = None, metadata_directory: str | None = None) -> str:
    """Build the editable wheel and return its name."""
    _require_cargo()
    return maturin.build_editable(wheel_directory, config_settings, metadata_directory)


def build_sdist(sdist_directory: str, config_settings: Any = None) -> str:
    """Build the source archive and return its name."""
    _require_cargo()
    return maturin.build_sdist(sdist_directory, config_settings)
