"""Build backend: maturin, after a look for cargo, so that its absence is one sentence and not a traceback.

The hooks are those of PEP 517 and PEP 660.
"""

import shutil
from typing import Any

import maturin

_NO_CARGO = (
    "handoff-traces is compiled from Rust and needs cargo 1.85 or newer: install it from https://rustup.rs "
    "(Debian: apt-get install rustup && rustup default stable), then try again."
)


def _need_cargo() -> None:
    if shutil.which("cargo") is None:
        raise SystemExit(_NO_CARGO)


def get_requires_for_build_wheel(config_settings: Any = None) -> list[str]:
    """Say what building a wheel needs beyond maturin: nothing, where cargo is found."""
    _need_cargo()
    return []


def get_requires_for_build_editable(config_settings: Any = None) -> list[str]:
    """Say what an editable build needs beyond maturin: nothing, where cargo is found."""
    _need_cargo()
    return []


def get_requires_for_build_sdist(config_settings: Any = None) -> list[str]:
    """Say what a source archive needs beyond maturin: nothing, where cargo is found."""
    _need_cargo()
    return []


def prepare_metadata_for_build_wheel(metadata_directory: str, config_settings: Any = None) -> str:
    """Write the metadata of the wheel; return the name of its folder."""
    _need_cargo()
    return maturin.prepare_metadata_for_build_wheel(metadata_directory, config_settings)


def prepare_metadata_for_build_editable(metadata_directory: str, config_settings: Any = None) -> str:
    """Write the metadata of the editable wheel; return the name of its folder."""
    _need_cargo()
    return maturin.prepare_metadata_for_build_editable(metadata_directory, config_settings)


def build_wheel(wheel_directory: str, config_settings: Any = None, metadata_directory: str | None = None) -> str:
    """Build the wheel; return its name."""
    _need_cargo()
    return maturin.build_wheel(wheel_directory, config_settings, metadata_directory)


def build_editable(wheel_directory: str, config_settings: Any = None, metadata_directory: str | None = None) -> str:
    """Build the editable wheel; return its name."""
    _need_cargo()
    return maturin.build_editable(wheel_directory, config_settings, metadata_directory)


def build_sdist(sdist_directory: str, config_settings: Any = None) -> str:
    """Build the source archive; return its name."""
    _need_cargo()
    return maturin.build_sdist(sdist_directory, config_settings)
