"""Files that are replaced as a set, by processes that end, or whose calls fail, at every one of their steps."""

from __future__ import annotations

import errno
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO

import pytest

from engine.output_file import OutputError
from handoff.output.file_set import check_set, replace_set
from tests.unit.faults import FAILED, KILLED, TOLERATED, act_in_child, fail, kill

NAMES = ("a.parquet", "b.parquet", "c.parquet")
OLD, NEW = {"a.parquet": "old a", "b.parquet": "old b"}, {"a.parquet": "new a", "c.parquet": "new c"}


def contents_of(files: dict[str, str]) -> dict[str, Callable[[BinaryIO], None]]:
    def write(text: str, file: BinaryIO) -> None:
        file.write(text.encode())

    return {name: partial(write, text) for name, text in files.items()}


def read_set(folder: Path) -> dict[str, str]:
    return {name: (folder / name).read_text() for name in NAMES if (folder / name).exists()}


def replace_in_child(folder: Path, step: int, end: Callable[[], None]) -> int:
    return act_in_child(lambda: replace_set(folder, contents_of(NEW), NAMES), step, end)


@pytest.mark.parametrize(
    ("end", "code"),
    [(kill, KILLED), (partial(fail, errno.EIO), FAILED)],
    ids=["killed", "failed"],
)
def test_a_folder_has_the_old_set_or_the_new_one_at_every_step(tmp_path: Path, end: Callable[[], None], code: int) -> None:
    step, done, seen = 0, code, []
    while done != 0:
        step += 1
        folder = tmp_path / str(step)
        folder.mkdir()
        for name, text in OLD.items():
            (folder / name).write_text(text)
        done = replace_in_child(folder, step, end)
        assert done in (0, code, TOLERATED)
        seen.append(read_set(folder))
        assert seen[-1] in (OLD, NEW)
        assert sorted(replace_set(folder, contents_of(NEW), NAMES)) == sorted(folder.iterdir())  # nothing is left of the first
        assert read_set(folder) == NEW
        assert not any(path.is_symlink() for path in folder.iterdir())
    assert step > 20
    assert seen == sorted(seen, key=lambda state: state == NEW)  # the change is one step


def test_a_failed_write_keeps_the_old_set(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_text("old")
    with pytest.raises(OSError, match=r"b\.parquet") as caught:
        replace_set(tmp_path, {"b.parquet": lambda file: fail(errno.ENOSPC)}, NAMES)
    assert caught.value.errno == errno.ENOSPC
    assert [path.name for path in tmp_path.iterdir()] == ["a.parquet"]


def test_a_file_system_without_links_replaces_each_file(tmp_path: Path) -> None:
    for name, text in OLD.items():
        (tmp_path / name).write_text(text)
    step = next(
        step for step in range(1, 40)
        if replace_in_child(tmp_path, step, partial(fail, errno.EPERM)) == TOLERATED and read_set(tmp_path) == NEW
    )  # fmt: skip
    assert step < 20
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(NEW)


@pytest.mark.parametrize("name", ["a.parquet", ".tables", ".tables.old", ".tables.new"])
def test_links_of_others_are_refused_and_their_targets_stay(tmp_path: Path, name: str) -> None:
    stranger, folder = tmp_path / "stranger", tmp_path / "out"
    stranger.mkdir()
    (stranger / "a.parquet").write_text("a stranger's")
    folder.mkdir()
    (folder / name).symlink_to(stranger)
    for act in (partial(check_set, folder, NAMES), partial(replace_set, folder, contents_of(NEW), NAMES)):
        with pytest.raises(OutputError, match=r"a symbolic link"):
            act()
    assert (stranger / "a.parquet").read_text() == "a stranger's"
    assert [path.name for path in folder.iterdir()] == [name]


@pytest.mark.parametrize("name", [".tables.old", ".tables.new"])
def test_a_link_in_the_place_of_a_set_moves_no_file_of_its_target(tmp_path: Path, name: str) -> None:
    """The folder looks like that of a killed process, but its set is the folder of a stranger."""
    stranger, folder = tmp_path / "stranger", tmp_path / "out"
    stranger.mkdir()
    (stranger / "a.parquet").write_text("a stranger's")
    folder.mkdir()
    (folder / name).symlink_to(stranger)
    (folder / ".tables").symlink_to(name)
    (folder / "a.parquet").symlink_to(".tables/a.parquet")
    for act in (partial(check_set, folder, NAMES), partial(replace_set, folder, contents_of(NEW), NAMES)):
        with pytest.raises(OutputError, match=r"a symbolic link"):
            act()
    assert (stranger / "a.parquet").read_text() == "a stranger's"


@pytest.mark.parametrize("name", [".tables", ".tables.link", ".tables.old", ".tables.new"])
def test_a_file_of_others_with_a_name_of_this_module_stays(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("a stranger's")
    for act in (partial(check_set, tmp_path, NAMES), partial(replace_set, tmp_path, contents_of(NEW), NAMES)):
        with pytest.raises(OutputError, match="a file"):
            act()
    assert (tmp_path / name).read_text() == "a stranger's"
    assert [path.name for path in tmp_path.iterdir()] == [name]
