"""A writer of captures that shares no code with the package, and a fixture that saves input files."""

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

Record = tuple[int, int, int, bytes]


class FileBuilder:
    """Builder of pcap and pcapng files in the byte order "<" or ">"."""

    def __init__(self, order: str = "<") -> None:
        self.order = order

    def pack(self, fields: str, *values: int) -> bytes:
        return struct.pack(self.order + fields, *values)

    def pcap(self, link_type: int, records: list[Record], magic: int = 0xA1B2C3D4) -> bytes:
        """Build a pcap file of records (seconds, fraction, wire length, captured bytes)."""
        header = self.pack("IHHiIII", magic, 2, 4, 0, 0, 65535, link_type)
        blocks = (self.pack("IIII", seconds, fraction, len(frame), wire) + frame for seconds, fraction, wire, frame in records)
        return header + b"".join(blocks)

    def block(self, kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        length = len(body) + 12
        return self.pack("II", kind, length) + body + self.pack("I", length)

    def section(self) -> bytes:
        return self.block(0x0A0D0D0A, self.pack("IHHq", 0x1A2B3C4D, 1, 0, -1))

    def option(self, code: int, value: bytes) -> bytes:
        return self.pack("HH", code, len(value)) + value + bytes(-len(value) % 4)

    def interface(self, link_type: int, options: bytes = b"", snap_length: int = 0) -> bytes:
        end = self.pack("HH", 0, 0) if options else b""
        return self.block(1, self.pack("HHI", link_type, 0, snap_length) + options + end)

    def enhanced(self, interface: int, ticks: int, wire: int, frame: bytes) -> bytes:
        head = self.pack("IIIII", interface, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), wire)
        return self.block(6, head + frame + bytes(-len(frame) % 4))

    def obsolete(self, interface: int, ticks: int, wire: int, frame: bytes) -> bytes:
        head = self.pack("HHIIII", interface, 0, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), wire)
        return self.block(2, head + frame + bytes(-len(frame) % 4))

    def simple(self, wire: int, frame: bytes) -> bytes:
        return self.block(3, self.pack("I", wire) + frame)


@pytest.fixture(params=["<", ">"], ids=["little", "big"])
def either(request: pytest.FixtureRequest) -> FileBuilder:
    return FileBuilder(request.param)


@pytest.fixture
def little() -> FileBuilder:
    return FileBuilder("<")


@pytest.fixture
def big() -> FileBuilder:
    return FileBuilder(">")


@pytest.fixture
def save(tmp_path: Path) -> Callable[[bytes], Path]:
    path = tmp_path / "input"

    def write(content: bytes) -> Path:
        # overwriting a file waits for the disk on some file systems
        path.unlink(missing_ok=True)
        path.write_bytes(content)
        return path

    return write
