"""Files of one result that are replaced as a set: at every instant a folder has all files of the old set, or all of the new one.

No file system replaces several files in one step, but every POSIX file system replaces one symbolic link. While a set is
replaced, the names in the folder are links through the link ``.tables``, which leads to the folder of the old set, and then to
that of the new one::

    runs.parquet -> .tables/runs.parquet        .tables -> .tables.old   becomes   .tables -> .tables.new

Before and after that step each name in turn becomes a link, or the file itself, with the content that it had. A killed process
leaves links that read as one set; the next replacement makes them files.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import BinaryIO

from engine.output_file import OutputError, place_problem, sync_folder, write_new

_CURRENT, _OLD, _NEW, _LINK = ".tables", ".tables.old", ".tables.new", ".tables.link"
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)
"""Errors of file systems without links, such as exFAT. Their files are replaced one by one."""


def replace_set(folder: Path, contents: Mapping[str, Callable[[BinaryIO], None]], names: Collection[str]) -> list[Path]:
    """Replace the files of a result. The caller holds the lock of the folder (``engine.output_file.lock_folder``).

    Parameters
    ----------
    folder : Path
        Folder of the result.
    contents : mapping of str to callable
        Name of each new file, and a function that writes its content.
    names : collection of str
        Names of all files that a result may have; those without a new content are removed.

    Returns
    -------
    list of Path
        The new files.

    Raises
    ------
    OutputError
        If a link, folder or device has the name of a file.
    OSError
        If a file cannot be written. The folder has the old set.
    """
    check_set(folder, names)
    try:
        (folder / _NEW).mkdir()
        for name, write in contents.items():
            write_new(folder / _NEW / name, write, folder / name)
        sync_folder(folder / _NEW)
        try:
            _show_links(folder, names)
            _link(folder, _NEW, _CURRENT)  # the step from the old set to the new one
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            _replace_each(folder, contents, names)
        sync_folder(folder)
    finally:
        _settle(folder, names)
    return [folder / name for name in contents]


def check_set(folder: Path, names: Collection[str]) -> None:
    """Settle a folder, and check that each file of a set can be written there.

    Raises
    ------
    OutputError
        If a link, folder or device has the name of a file.
    """
    _settle(folder, names)
    if problems := [problem for name in names if (problem := place_problem(folder / name))]:
        raise OutputError("\n".join(problems))


def _settle(folder: Path, names: Collection[str]) -> None:
    """Make files of links that this module left, and remove its folders. The set that can be read stays the same."""
    _check_own_names(folder)
    current = folder / _CURRENT
    if current.is_symlink():
        target = folder / os.readlink(current)
        if target.name not in (_OLD, _NEW) or target.parent != folder:
            raise OutputError(f"{current}: a symbolic link in the place of one of this program: remove it")
        for name in names:
            if _leads_to_set(folder / name):
                if (target / name).exists():
                    (target / name).replace(folder / name)
                else:
                    (folder / name).unlink()
        sync_folder(folder)
        current.unlink()
    (folder / _LINK).unlink(missing_ok=True)
    for name in (_OLD, _NEW):
        if (folder / name).exists():
            shutil.rmtree(folder / name)


def _check_own_names(folder: Path) -> None:
    """Check that links have the names of this module's links, and folders those of its folders, before anything is moved."""
    for name in (_CURRENT, _LINK):
        if os.path.lexists(folder / name) and not (folder / name).is_symlink():
            raise OutputError(f"{folder / name}: a file or folder in the place of a link of this program: remove it")
    for name in (_OLD, _NEW):
        if (folder / name).is_symlink():
            raise OutputError(f"{folder / name}: a symbolic link in the place of a folder of this program: remove it")
        if (folder / name).exists() and not (folder / name).is_dir():
            raise OutputError(f"{folder / name}: a file in the place of a folder of this program: remove it")


def _show_links(folder: Path, names: Collection[str]) -> None:
    # Gives the files of the old set a second name in a folder of their own, and replaces each by a link to it.
    (folder / _OLD).mkdir()
    for name in names:
        if (folder / name).exists():
            os.link(folder / name, folder / _OLD / name)
    sync_folder(folder / _OLD)
    _link(folder, _OLD, _CURRENT)
    for name in names:
        _link(folder, f"{_CURRENT}/{name}", name)
    sync_folder(folder)


def _replace_each(folder: Path, contents: Collection[str], names: Collection[str]) -> None:
    for name in names:
        if name in contents:
            (folder / _NEW / name).replace(folder / name)
        else:
            (folder / name).unlink(missing_ok=True)


def _link(folder: Path, target: str, name: str) -> None:
    os.symlink(target, folder / _LINK)
    os.replace(folder / _LINK, folder / name)


def _leads_to_set(path: Path) -> bool:
    return path.is_symlink() and os.readlink(path) == f"{_CURRENT}/{path.name}"
