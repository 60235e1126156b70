"""Writer of captures from columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO

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
        of its second row. In IPv4 the second row has no meaning; GTP-U has its tunnel endpoint identifier there, as int32.
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

    The payload of every packet is zero, and its checksums are valid. The end of a ``with`` block without an exception writes the
    rest of the packets.

    Parameters
    ----------
    file : binary file
        The capture: a file that is open for writing and has a descriptor. The writer neither closes nor renames it.
    ip : {4, 6}
        IP version.
    interfaces : sequence of str
        Names of the interfaces.
    addresses : ndarray of uint8, shape (m, 16)
        All addresses of the packets. IPv4 uses the first four bytes of each.
    flows : FlowHeaders
        The flow table.
    snap_length : int or None
        Maximum number of bytes written of each packet, at least 1; None writes all.
    comment : str
        Origin of the packets, for the section header.
    application : str or None
        Name of the program that writes the file; None names this package.
    names : mapping of bytes to str
        Names of addresses, which Wireshark shows in place of the addresses.
    resume_at : int or None
        Resume the capture of an earlier writer with the same parameters, whose ``sync`` returned this number. Packets that it
        wrote after that call have to be written again. Without it, the file must be empty.

    Raises
    ------
    ValueError
        If the capture to resume is shorter, or the snap length below 1.
    OSError
        If the file cannot be written.
    """

    def __init__(
        self,
        file: BinaryIO,
        *,
        ip: int,
        interfaces: Sequence[str],
        addresses: NDArray[np.uint8],
        flows: FlowHeaders,
        snap_length: int | None = 128,
        comment: str = "",
        application: str | None = None,
        names: Mapping[bytes, str] | None = None,
        resume_at: int | None = None,
    ) -> None:
        if snap_length is not None and snap_length < 1:
            raise ValueError(f"a snap length of {snap_length} writes nothing of a packet: give None for whole packets")
        if application is None:
            from importlib.metadata import version  # slow to import, and most programs write no capture

            application = f"handoff-traces {version('handoff-traces')}"
        self._native = _native.PacketWriter(
            file.fileno(), ip, FULL_SNAP_LENGTH if snap_length is None else snap_length, comment, application, list(interfaces),
            list((names or {}).items()), addresses, flows.source, flows.destination, flows.protocol,
            flows.source_port, flows.destination_port, resume_at,
        )  # fmt: skip
        self.packets = 0

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

    def __enter__(self) -> "CaptureWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.sync()
