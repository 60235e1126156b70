"""Only regular files are opened, and nothing waits for a pipe."""

import os
import socket

import pytest

from engine.regular_file import open_regular, read_regular


def test_a_regular_file_is_read(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"content")
    assert read_regular(path) == b"content"
    link = tmp_path / "link"
    link.symlink_to(path)
    with open_regular(str(link)) as file:
        assert file.read(3) == b"con"


def test_other_kinds_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        for path, kind in (
            (tmp_path / "pipe", "is a pipe, not a regular file; save its output in a file first"),
            ("/dev/zero", "is a device, not a regular file"),
            (tmp_path, "is a folder, not a regular file"),
        ):
            with pytest.raises(OSError, match="not a regular file") as refused:
                read_regular(path)
            assert (refused.value.strerror, refused.value.filename) == (kind, str(path))
        with pytest.raises(OSError, match="No such device or address"):
            read_regular(tmp_path / "socket")


def test_a_missing_file_keeps_its_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_regular(tmp_path / "missing")
