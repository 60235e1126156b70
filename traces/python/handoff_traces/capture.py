"""Packet captures as columns in memory."""

import ipaddress
from dataclasses import astuple, dataclass, fields
from os import PathLike
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from handoff_traces import _native
from handoff_traces.bad_records import OnBadRecord, check_on_bad_record

TunnelLayer = Literal["inner", "outer"]
NativeOptions = tuple[bool, tuple[int, int, int], OnBadRecord]
"""If true, flows are those inside tunnels; then the three limits, in the order of ``Limits``; then the treatment of a bad
record."""

NO_FLOW = 0xFFFFFFFF
"""Flow of a packet that is not IP."""

NO_TIME_NS = -(2**63)
"""Time of a packet without one (simple packet blocks of pcapng); numpy's NaT."""


@dataclass(frozen=True, slots=True)
class Interface:
    """An interface on which packets were captured.

    Attributes
    ----------
    name : str
        Empty if the file states none; pcap never does.
    link_type : int
        LINKTYPE number of tcpdump.org/linktypes.html.
    snap_length : int or None
        Maximum number of bytes captured of each packet; None means no limit, for which the formats have 0.
    packets : int
        Number of packets of this interface in the file.
    """

    name: str
    link_type: int
    snap_length: int | None
    packets: int

    @classmethod
    def of(cls, name: str, link_type: int, snap_length: int | None, packets: int) -> "Interface":
        """Return the interface with the numbers of a file."""
        return cls(name, link_type, snap_length or None, packets)


def format_address(version: int, address: NDArray[np.uint8]) -> str:
    """Format an address of a flow table.

    Parameters
    ----------
    version : int
        4 or 6.
    address : ndarray of uint8, shape (16,)
        A row of ``Flows.src`` or ``Flows.dst``.

    Returns
    -------
    str
        Dotted decimal for IPv4, the form of RFC 5952 for IPv6.
    """
    raw = address.tobytes()
    return str(ipaddress.IPv4Address(raw[:4]) if version == 4 else ipaddress.IPv6Address(raw))


@dataclass(frozen=True, slots=True, eq=False)
class Flows:
    """Flow table. Each entry is a flow, numbered by first appearance.

    A flow consists of all packets, in both directions, of one IP version and protocol between two ends (address and port).
    Ports are 0 for protocols without ports, such as ICMP. Fragments after the first carry no ports: they belong to the flow of
    the first fragment of their datagram (RFC 791), and have ports 0 if that is not in the capture.

    Attributes
    ----------
    version, protocol : ndarray of uint8, shape (n,)
        IP version (4 or 6) and protocol number; in IPv6, of the header behind the extension headers.
    src, dst : ndarray of uint8, shape (n, 16)
        Addresses of the first packet. An IPv4 address fills the first four bytes; the others are 0.
    sport, dport : ndarray of uint16, shape (n,)
        Ports of the first packet.
    packets, bytes : ndarray of uint64, shape (n,)
        Sums over both directions. Bytes are IP total lengths.
    first_time_ns : ndarray of int64, shape (n,)
        Time of the first packet in nanoseconds since 1970.
    """

    version: NDArray[np.uint8]
    protocol: NDArray[np.uint8]
    src: NDArray[np.uint8]
    dst: NDArray[np.uint8]
    sport: NDArray[np.uint16]
    dport: NDArray[np.uint16]
    packets: NDArray[np.uint64]
    bytes: NDArray[np.uint64]
    first_time_ns: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.version)

    def src_text(self, flow: int) -> str:
        """Format the address of the sender of a flow's first packet."""
        return format_address(int(self.version[flow]), self.src[flow])

    def dst_text(self, flow: int) -> str:
        """Format the address of the receiver of a flow's first packet."""
        return format_address(int(self.version[flow]), self.dst[flow])


@dataclass(frozen=True, slots=True, eq=False)
class TunnelTable:
    """IP tunnels in a capture. Each entry is an outer header, so a tunnel has an entry for each direction.

    Nested tunnels have an entry each, and a packet counts in all of them.

    Attributes
    ----------
    version, protocol : ndarray of uint8, shape (n,)
        IP version and protocol of the outer header: 4 (IPv4 in IP, RFC 2003), 41 (IPv6 in IP, RFC 2473), 47 (GRE, RFC 2784), 55
        (minimal encapsulation, RFC 2004), 17 (a tunnel in UDP).
    port : ndarray of uint16, shape (n,)
        Port that names a tunnel in UDP: 2152 (GTP-U), 4789 and 8472 (VXLAN), 6081 (Geneve), 3544 (Teredo), 434 (Mobile IP, RFC
        3519); else 0.
    src, dst : ndarray of uint8, shape (n, 16)
        Ends of the tunnel. An IPv4 address fills the first four bytes.
    packets, bytes : ndarray of uint64, shape (n,)
        Traffic through the tunnel. Bytes are IP total lengths, the outer header included.
    """

    version: NDArray[np.uint8]
    protocol: NDArray[np.uint8]
    port: NDArray[np.uint16]
    src: NDArray[np.uint8]
    dst: NDArray[np.uint8]
    packets: NDArray[np.uint64]
    bytes: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.version)


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper limits of a capture, so that a small file cannot exhaust memory or disk. Each is from 1 to 2⁶³ − 1.

    Attributes
    ----------
    ratio : int
        Decompressed bytes for each byte of a compressed file, beyond the first MiB.
    bytes : int
        Decompressed bytes of a compressed file.
    packets : int
        Packets of any capture.
    """

    ratio: int = 100
    bytes: int = 1 << 40
    packets: int = 1 << 32

    def __post_init__(self) -> None:
        for field in fields(self):
            if not 0 < (value := getattr(self, field.name)) < 1 << 63:
                raise ValueError(f"a limit of {value} for {field.name}; it must be from 1 to {(1 << 63) - 1}")


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """Properties of a capture as a whole.

    Attributes
    ----------
    format : {"pcap", "pcapng"}
        Format of the decompressed file.
    compression : {"", "gzip", "zstd"}
        Format of the compression, "" if the file is not compressed.
    packets, bytes : int
        Number of packets, and bytes of their frames as sent, link-layer headers included.
    untimed : int
        Number of packets without a time (simple packet blocks of pcapng).
    cut : int
        Number of packets captured only in part.
    out_of_order : int
        Number of packets with a time before that of an earlier packet in the file.
    tunnelled : int
        Number of packets in an IP tunnel, if flows are those inside tunnels.
    times_ns : (int, int) or None
        Earliest and latest time in nanoseconds since 1970; None if no packet has a time.
    interfaces : tuple of Interface
        Interfaces in the order of the file.
    truncated : str or None
        If the file ends inside a packet, or a bad record ended the reading, a description of that place. All other values count
        the packets before it.
    skipped : dict of str to int
        Number of records left out (``on_bad_record``), by the reason in words. No other value counts them.
    opaque : dict of str to int
        Number of packets whose content is not looked into although IP packets may be in it, by what it is: encrypted,
        pseudowires, further packets of an aggregate.
    flows : Flows
        The flow table.
    tunnels : TunnelTable
        The tunnels, whether flows are those inside or outside them.
    """

    format: str
    compression: str
    packets: int
    bytes: int
    untimed: int
    cut: int
    out_of_order: int
    tunnelled: int
    times_ns: tuple[int, int] | None
    interfaces: tuple[Interface, ...]
    truncated: str | None
    skipped: dict[str, int]
    opaque: dict[str, int]
    flows: Flows
    tunnels: TunnelTable


FACT_FIELDS = tuple(f.name for f in fields(Facts))


@dataclass(frozen=True, slots=True, eq=False)
class Capture(Facts):
    """Columns of a packet capture, and its ``Facts``. Each entry is a packet, in the order of the file.

    Attributes
    ----------
    time_ns : ndarray of int64, shape (n,)
        Nanoseconds since 1970 (UTC), ``NO_TIME_NS`` for a packet without a time. Not sorted: recorders may write packets out of
        order.
    wire_length, captured_length : ndarray of uint32, shape (n,)
        Bytes of the frame as sent and as captured, link-layer header included.
    ip_length : ndarray of uint32, shape (n,)
        IP total length in bytes; 0 if the packet is not IP. If the header states 0 (segmentation offload or jumbogram), the
        length of the frame behind its link-layer header.
    flow : ndarray of uint32, shape (n,)
        Row in ``flows``; ``NO_FLOW`` if the packet is not IP or is cut inside its IP header.
    direction : ndarray of uint8, shape (n,)
        0 from the sender of the flow's first packet, 1 towards it.
    """

    time_ns: NDArray[np.int64]
    wire_length: NDArray[np.uint32]
    captured_length: NDArray[np.uint32]
    ip_length: NDArray[np.uint32]
    flow: NDArray[np.uint32]
    direction: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.time_ns)


def native_arguments(tunnels: TunnelLayer, limits: Limits | None, on_bad_record: OnBadRecord) -> NativeOptions:
    """Return the options that every native reader of captures takes."""
    if tunnels not in ("inner", "outer"):
        raise ValueError(f"tunnels must be 'inner' or 'outer', not {tunnels!r}")
    check_on_bad_record(on_bad_record)
    return tunnels == "inner", astuple(limits or Limits()), on_bad_record


def pop_facts(columns: dict[str, Any]) -> dict[str, Any]:
    """Remove the fields of ``Facts`` from the result of a native reader and return them."""
    columns["flows"] = Flows(**columns["flows"])
    columns["tunnels"] = TunnelTable(**columns["tunnels"])
    columns["interfaces"] = tuple(Interface.of(*interface) for interface in columns["interfaces"])
    return {name: columns.pop(name) for name in FACT_FIELDS}


def read_capture(
    path: str | PathLike[str], *, tunnels: TunnelLayer = "inner", limits: Limits | None = None,
    on_bad_record: OnBadRecord = "refuse",
) -> Capture:  # fmt: skip
    """Read a packet capture into memory.

    The file is pcap (microseconds or nanoseconds) or pcapng in either byte order, plain or compressed with gzip or Zstandard.
    Frames may be Ethernet (also with VLAN tags, MPLS labels, PPPoE or LLC), IEEE 802.11 with radiotap, PPP, raw IP, Linux
    cooked, null or loop; packets IPv4 or IPv6.

    Parameters
    ----------
    path : path
        The capture.
    tunnels : {"inner", "outer"}
        Flow and length of a packet in a tunnel (IP in IP, GRE, minimal encapsulation, GTP-U, VXLAN, Geneve, Teredo): those of
        the innermost packet whose header is complete, or of the outermost packet.
    limits : Limits, optional
        Upper limits, by default ``Limits()``.
    on_bad_record : {"refuse", "skip", "keep-first"}
        Treatment of a record that cannot be read: the file is refused, the record is left out, or only the records before the
        first bad one are kept. ``skipped`` counts such records. Behind a record whose length is impossible, nothing says
        where the next one begins: ``"skip"`` then leaves out the rest of the file, and ``truncated`` describes the place.

    Returns
    -------
    Capture
        All packets. If the file ends inside a packet, those before it; ``truncated`` then describes the place.

    Raises
    ------
    TraceError
        If the file cannot be read or is not a capture. The offset is that in the decompressed file.
    """
    columns = _native.read_capture(path, native_arguments(tunnels, limits, on_bad_record))
    return Capture(**pop_facts(columns), **columns)
