"""Captures written from columns."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from traces import _native

WHOLE = 65_535
"""Snap length that keeps every byte."""


@dataclass(frozen=True, slots=True, eq=False)
class FlowHeaders:
    """What the packets of each flow say, one entry of each column a flow.

    Attributes
    ----------
    source, destination : ndarray of uint32, shape (n,)
        Rows of the writer's addresses.
    protocol : ndarray of uint8, shape (n,)
        6 TCP, 17 UDP, 1 ICMP, 58 ICMPv6; of others there is only the IP header, with protocol 253.
    source_port, destination_port : ndarray of uint16, shape (n,)
        Of ICMP: identifier and type.
    """

    source: NDArray[np.uint32]
    destination: NDArray[np.uint32]
    protocol: NDArray[np.uint8]
    source_port: NDArray[np.uint16]
    destination_port: NDArray[np.uint16]


@dataclass(frozen=True, slots=True, eq=False)
class Packets:
    """Packets, one entry of each column a packet, in the order in which they are to be in the file.

    Attributes
    ----------
    time_ns : ndarray of int64, shape (n,)
        Since 1970.
    interface : ndarray of uint32, shape (n,)
        Index of the interface.
    flow : ndarray of int64, shape (n,)
        Row of the flow table, or −1 − i for ``messages[i]``.
    length : ndarray of uint32, shape (n,)
        IP length without the tunnels. A packet of a flow that is too short for the header behind IP has protocol 253; one
        that is shorter than its IP header is refused.
    number : ndarray of uint32, shape (n,)
        Low half in the identification of IPv4 and the sequence number of ICMP.
    sequence, acknowledgement : ndarray of uint32, shape (n,)
        Of TCP.
    tunnels : ndarray of int32, shape (n, 4, 4)
        Up to four, innermost first: kind (``traces.wire``), then rows of addresses: source, destination. The destination is
        given by two rows: in IPv6 its first 8 bytes are those of the first row and the others those of the second.
    messages : sequence of bytes
        Whole IP packets.
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
    """Writes a pcapng capture: raw IP (link type 101), nanoseconds, several interfaces.

    The payload of a packet is zero, and its checksums are right. The file is there complete or not at all: it is written beside
    its place and takes it with ``finish``, or at the end of a ``with`` block that raised nothing.

    Parameters
    ----------
    path : path
        Where the capture shall be; what is there is replaced.
    ip : {4, 6}
        Version.
    interfaces : sequence of str
        Their names.
    addresses : ndarray of uint8, shape (m, 16)
        All addresses that packets have; IPv4 uses the first four bytes of each.
    flows : FlowHeaders
    snap_length : int
        Most bytes kept of a packet; 0 keeps all.
    comment : str
        Where the packets come from, for the section header.
    application : str
        What writes the file; default this package.
    names : mapping of bytes to str
        Names of addresses, which Wireshark shows in their place.
    kept : int or None
        Go on with the capture of an earlier writer of the same parameters, whose ``sync`` returned this: what it wrote after
        that is written again.

    Raises
    ------
    ValueError
        If there is no such capture, or less of it.
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
        kept: int | None = None,
    ) -> None:
        self.path = Path(path)
        self._partial = self.path.with_name(f"{self.path.name}.partial")
        if kept is None:
            self._partial.unlink(missing_ok=True)
        elif not self._partial.exists():
            self._take_back(kept)
        try:
            self._native = _native.PacketWriter(
                self._partial, ip, snap_length or WHOLE, comment, application, list(interfaces), list((names or {}).items()),
                addresses, flows.source, flows.destination, flows.protocol, flows.source_port, flows.destination_port, kept,
            )  # fmt: skip
        except ValueError as error:
            raise ValueError(f"{self._partial}: {error}") from None
        self.packets = 0

    def _take_back(self, kept: int) -> None:
        """The earlier writer was finished after its last ``sync``."""
        if not self.path.exists() or self.path.stat().st_size != kept:
            raise ValueError(f"{self._partial}: the capture to go on with is gone")
        self.path.replace(self._partial)

    def write(self, packets: Packets) -> None:
        """Append packets.

        Raises
        ------
        ValueError
            If columns do not fit each other or the tables, with the first packet that does not; those before it are written.
        OSError
            If the disk is full, for example.
        """
        self._native.write(
            packets.time_ns, packets.interface, packets.flow, packets.length, packets.number, packets.sequence,
            packets.acknowledgement, packets.tunnels, packets.messages,
        )  # fmt: skip
        self.packets += len(packets.time_ns)

    def sync(self) -> int:
        """Put everything so far on the disk; returns its bytes, behind which a later writer can go on."""
        return self._native.sync()

    def finish(self) -> None:
        """Give the file its name, once all of it is on the disk."""
        self.sync()
        self._partial.replace(self.path)

    def abandon(self) -> None:
        """Leave nothing."""
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
