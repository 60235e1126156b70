"""Files written completely or not at all, their locks, and what is in their places before."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.output_file import NewFile, OutputError, lock_file, lock_folder, make_folder, partial_path

HOLD = (
    "import sys; from pathlib import Path; from engine.output_file import lock_file, lock_folder\n"
    "with lock_folder(Path(sys.argv[1])), lock_file(Path(sys.argv[1]) / 'file', '-o'):\n"
    "    print('held', flush=True); sys.stdin.read()"
)


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with NewFile(path) as file:
        file.write(b"new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    with pytest.raises(AttributeError), NewFile(path) as file:
        file.write_half()  # type: ignore[attr-defined]
    assert [p.read_text() for p in tmp_path.iterdir()] == ["new"]


def test_a_file_that_ends_in_partial_is_another_file(tmp_path: Path) -> None:
    (tmp_path / "file.partial").write_text("a stranger's")
    with NewFile(tmp_path / "file") as file:
        file.write(b"new")
    assert (tmp_path / "file.partial").read_text() == "a stranger's"


def test_what_a_killed_process_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "file"
    partial_path(path).write_text("half")
    with NewFile(path) as file:
        file.write(b"new")
    assert [p.read_text() for p in tmp_path.iterdir()] == ["new"]


@pytest.mark.parametrize("place", ["file", ".file.handoff-partial"])
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path.symlink_to(path.with_name("target")), "a symbolic link, which is not followed"),
        (lambda path: path.symlink_to("nowhere"), "a symbolic link, which is not followed"),
        (os.mkfifo, "a device or pipe, which is not replaced"),
        (lambda path: path.mkdir(), "a folder: give the path of a file"),
    ],
)
def test_only_regular_files_are_replaced(tmp_path: Path, place: str, make, words: str) -> None:
    (tmp_path / "target").write_text("a stranger's")
    make(tmp_path / place)
    with pytest.raises(OutputError, match=f"{place}: {words}"):
        NewFile(tmp_path / "file")
    assert (tmp_path / "target").read_text() == "a stranger's"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([place, "target"])


def test_unfinished_content_with_a_second_name_is_not_continued(tmp_path: Path) -> None:
    (tmp_path / "stranger").write_text("a stranger's")
    os.link(tmp_path / "stranger", partial_path(tmp_path / "file"))
    with pytest.raises(OutputError, match="it has another name, too"):
        NewFile(tmp_path / "file", resume_at=3)
    assert (tmp_path / "stranger").read_text() == "a stranger's"


def test_a_lock_excludes_other_programs_until_its_process_dies(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        for lock, place in ((lock_folder(tmp_path), tmp_path), (lock_file(tmp_path / "file", "-o"), tmp_path / "file")):
            message = rf"{place}: another program \(process {other.pid}\) is writing there: wait for its end, or give another -o"
            with pytest.raises(OutputError, match=message), lock:
                pass
        other.kill()
    with lock_folder(tmp_path), lock_file(tmp_path / "file", "-o"):
        assert len(list(tmp_path.iterdir())) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_lock_excludes_the_same_program(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    message = "this program is writing there"
    with lock_folder(tmp_path), pytest.raises(OutputError, match=message), lock_folder(tmp_path / "link"):
        pass
    with lock_folder(tmp_path):
        pass


@pytest.mark.parametrize(
    "make",
    [
        lambda lock, stranger: lock.symlink_to(stranger),
        lambda lock, stranger: os.link(stranger, lock),
        lambda lock, stranger: lock.write_text("a stranger's"),
        lambda lock, stranger: os.mkfifo(lock),
    ],
    ids=["symbolic link", "second name", "other content", "pipe"],
)
def test_a_lock_takes_no_file_of_others(tmp_path: Path, make) -> None:
    stranger, folder = tmp_path / "stranger", tmp_path / "out"
    stranger.write_text("17\n")
    folder.mkdir()
    make(folder / ".lock", stranger)
    before = (folder / ".lock").lstat()
    with pytest.raises(OutputError, match=r"\.lock: .*: (remove it|move it away)"), lock_folder(folder):
        pass
    assert stranger.read_text() == "17\n"
    assert (folder / ".lock").lstat().st_size == before.st_size


def test_a_system_without_record_locks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)  # an import of it fails, as on Windows
    message = r"this system has no record locks \(POSIX fcntl\): use Linux, macOS or WSL"
    with pytest.raises(OutputError, match=message), lock_folder(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_link_is_no_folder_of_results(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(OutputError, match="link: a link or file in the place of a folder"):
        make_folder(tmp_path / "link")
    assert make_folder(tmp_path / "new")
    assert not make_folder(tmp_path / "new")
