"""Writer of captures from columns."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from handoff_traces import _native

FULL_SNAP_LENGTH = 65_535
"""Snap length that keeps every byte of a packet."""


@dataclass(frozen=True, slots=True, eq=False)
class FlowHeaders:
    """Header fields that the packets of a flow share. Each entry is a flow.

    Attributes
    ----------
    source, destination : ndarray of uint32, shape (n,)
        Rows of the writer's addresses.
    protocol : ndarray of uint8, shape (n,)
        6 (TCP), 17 (UDP), 1 (ICMP) or 58 (ICMPv6). Packets of another protocol get only an IP header, with protocol 253.
    source_port, destination_port : ndarray of uint16, shape (n,)
        Ports; for ICMP, identifier and type.
    """

    source: NDArray[np.uint32]
    destination: NDArray[np.uint32]
    protocol: NDArray[np.uint8]
    source_port: NDArray[np.uint16]
    destination_port: NDArray[np.uint16]


@dataclass(frozen=True, slots=True, eq=False)
class Packets:
    """Columns of packets. Each entry is a packet, in the order of the file.

    Attributes
    ----------
    time_ns : ndarray of int64, shape (n,)
        Nanoseconds since 1970.
    interface : ndarray of uint32, shape (n,)
        Index of the interface.
    flow : ndarray of int64, shape (n,)
        Row of the flow table, or −1 − i for ``messages[i]``.
    length : ndarray of uint32, shape (n,)
        IP total length in bytes without the tunnels. A packet too short for its transport header gets protocol 253; a packet
        shorter than its IP header is refused.
    number : ndarray of uint32, shape (n,)
        Number of the packet, whose low half is the identification in IPv4 and the sequence number in ICMP.
    sequence, acknowledgement : ndarray of uint32, shape (n,)
        Sequence and acknowledgement number of TCP.
    tunnels : ndarray of int32, shape (n, 4, 4)
        Up to four tunnels, innermost first. Each has a kind (see ``handoff_traces.wire``) and three rows of addresses: the source
        and two for the destination. In IPv6 the first 8 bytes of the destination are those of its first row, the other 8 those
        of its second row.
    messages : sequence of bytes
        IP packets that are written as they are.
    """

    time_ns: NDArray[np.int64]
    interface: NDArray[np.uint32]
    flow: NDArray[np.int64]
    length: NDArray[np.uint32]
    number: NDArray[np.uint32]
    sequence: NDArray[np.uint32]
    acknowledgement: NDArray[np.uint32]
    tunnels: NDArray[np.int32]
    messages: Sequence[bytes] = ()


class CaptureWriter:
    """Writer of a pcapng capture of raw IP (link type 101) with times in nanoseconds and several interfaces.

    The payload of every packet is zero, and its checksums are valid. The file appears complete or not at all: it is written to a
    file beside it, which ``finish``, or the end of a ``with`` block without an exception, renames.

    Parameters
    ----------
    path : path
        The capture. An existing file is replaced.
    ip : {4, 6}
        IP version.
    interfaces : sequence of str
        Names of the interfaces.
    addresses : ndarray of uint8, shape (m, 16)
        All addresses of the packets. IPv4 uses the first four bytes of each.
    flows : FlowHeaders
        The flow table.
    snap_length : int
        Maximum number of bytes written of each packet; 0 writes all.
    comment : str
        Origin of the packets, for the section header.
    application : str
        Name of the program that writes the file; by default this package.
    names : mapping of bytes to str
        Names of addresses, which Wireshark shows in place of the addresses.
    resume_at : int or None
        Resume the capture of an earlier writer with the same parameters, whose ``sync`` returned this number. Packets that it
        wrote after that call have to be written again.

    Raises
    ------
    ValueError
        If there is no capture to resume, or it is shorter.
    OSError
        If the file cannot be written.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        ip: int,
        interfaces: Sequence[str],
        addresses: NDArray[np.uint8],
        flows: FlowHeaders,
        snap_length: int = 128,
        comment: str = "",
        application: str = f"handoff-traces {version('handoff-traces')}",
        names: Mapping[bytes, str] | None = None,
        resume_at: int | None = None,
    ) -> None:
        self.path = Path(path)
        self._partial = self.path.with_name(f"{self.path.name}.partial")
        if resume_at is None:
            self._partial.unlink(missing_ok=True)
        elif not self._partial.exists():
            self._reopen(resume_at)
        try:
            self._native = _native.PacketWriter(
                self._partial, ip, snap_length or FULL_SNAP_LENGTH, comment, application, list(interfaces),
                list((names or {}).items()), addresses, flows.source, flows.destination, flows.protocol,
                flows.source_port, flows.destination_port, resume_at,
            )  # fmt: skip
        except ValueError as error:
            raise ValueError(f"{self._partial}: {error}") from None
        self.packets = 0

    def _reopen(self, length: int) -> None:
        """Give a capture that was finished after its last ``sync`` its temporary name again."""
        if not self.path.exists() or self.path.stat().st_size != length:
            raise ValueError(f"{self._partial}: the capture to resume is missing")
        self.path.replace(self._partial)

    def write(self, packets: Packets) -> None:
        """Append packets.

        Raises
        ------
        ValueError
            If the columns do not fit each other or the tables. The message states the first such packet; those before it are
            written.
        OSError
            If the file cannot be written.
        """
        self._native.write(
            packets.time_ns, packets.interface, packets.flow, packets.length, packets.number, packets.sequence,
            packets.acknowledgement, packets.tunnels, packets.messages,
        )  # fmt: skip
        self.packets += len(packets.time_ns)

    def sync(self) -> int:
        """Write all packets so far to the disk and return the length of the file, at which a later writer can resume."""
        return self._native.sync()

    def finish(self) -> None:
        """Write the rest to the disk and give the file its final name."""
        self.sync()
        self._partial.replace(self.path)

    def abandon(self) -> None:
        """Delete the unfinished file."""
        self._partial.unlink(missing_ok=True)

    def __enter__(self) -> "CaptureWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.finish()
        else:
            self.abandon()
