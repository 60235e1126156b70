"""Packet captures as columns."""

import ipaddress
from dataclasses import astuple, dataclass, fields
from os import PathLike
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from traces import _native

Side = Literal["inner", "outer"]
Choices = tuple[bool, tuple[int, int, int]]

NO_FLOW = 0xFFFFFFFF
"""Flow of a packet that is not IP."""

NO_TIME_NS = -(2**63)
"""Time of a packet that carries none (simple packet blocks of pcapng); numpy's NaT."""


@dataclass(frozen=True, slots=True)
class Interface:
    """What a capture says of an interface it was taken from.

    Attributes
    ----------
    name : str
        Empty if the file does not name it; pcap never does.
    link_type : int
        LINKTYPE number of tcpdump.org/linktypes.html.
    snap_length : int
        Most bytes captured of a packet; 0 is no limit.
    packets : int
        Packets of this interface in the file.
    """

    name: str
    link_type: int
    snap_length: int
    packets: int


def address_text(version: int, address: NDArray[np.uint8]) -> str:
    """Write an address of a flow table as text.

    Parameters
    ----------
    version : int
        4 or 6.
    address : ndarray of uint8, shape (16,)
        A row of ``Flows.src`` or ``Flows.dst``.

    Returns
    -------
    str
        Dotted decimal, or the form of RFC 5952.
    """
    raw = address.tobytes()
    return str(ipaddress.IPv4Address(raw[:4]) if version == 4 else ipaddress.IPv6Address(raw))


@dataclass(frozen=True, slots=True, eq=False)
class Flows:
    """Flow table: one entry of each column a flow, numbered by first appearance.

    A flow is all packets, in either direction, of one IP version and protocol between two ends (address and port).
    Ports are 0 for protocols without ports, such as ICMP, and for fragments after the first, which do not carry
    them: those form a flow of their own.

    Attributes
    ----------
    version, protocol : ndarray of uint8, shape (n,)
        IP version (4 or 6) and protocol number; with IPv6, that of the header behind the extension headers.
    src, dst : ndarray of uint8, shape (n, 16)
        Addresses of the first packet; IPv4 fills the first four bytes and leaves the others 0.
    sport, dport : ndarray of uint16, shape (n,)
        Ports of the first packet.
    packets, bytes : ndarray of uint64, shape (n,)
        Sums over both directions; bytes are IP total lengths.
    first_time_ns : ndarray of int64, shape (n,)
        Time of the first packet.
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
        """Address of the flow's first sender as text."""
        return address_text(int(self.version[flow]), self.src[flow])

    def dst_text(self, flow: int) -> str:
        """Address of the flow's first receiver as text."""
        return address_text(int(self.version[flow]), self.dst[flow])


@dataclass(frozen=True, slots=True, eq=False)
class TunnelTable:
    """IP tunnels in a capture: one entry of each column an outer header, so one for each direction.

    Of a tunnel in a tunnel each has its entry; a packet counts in both.

    Attributes
    ----------
    version, protocol : ndarray of uint8, shape (n,)
        IP version of the outer header, and what follows it: 4 (IPv4 in IP, RFC 2003), 41 (IPv6 in IP, RFC 2473), 47 (GRE, RFC
        2784), 55 (minimal encapsulation, RFC 2004).
    src, dst : ndarray of uint8, shape (n, 16)
        Ends of the tunnel; IPv4 fills the first four bytes.
    packets, bytes : ndarray of uint64, shape (n,)
        What went through; bytes are IP total lengths with the outer header.
    """

    version: NDArray[np.uint8]
    protocol: NDArray[np.uint8]
    src: NDArray[np.uint8]
    dst: NDArray[np.uint8]
    packets: NDArray[np.uint64]
    bytes: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.version)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a capture may be, so that a small file cannot become a large harm; each from 1 to 2⁶³ − 1.

    Attributes
    ----------
    ratio : int
        A compressed file may grow so many times, beyond the first MiB.
    bytes : int
        A compressed file may have so many bytes when it is decompressed.
    packets : int
        Any capture may have so many packets.
    """

    ratio: int = 100
    bytes: int = 1 << 40
    packets: int = 1 << 32

    def __post_init__(self) -> None:
        for field in fields(self):
            if not 0 < (value := getattr(self, field.name)) < 1 << 63:
                raise ValueError(f"a limit of {value} for {field.name}; from 1 to {(1 << 63) - 1}")


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """What is known of a capture as a whole.

    Attributes
    ----------
    format : {"pcap", "pcapng"}
        Format of the file, decompressed.
    compression : {"", "gzip", "zstd"}
        How it is compressed, "" if it is not.
    packets, bytes : int
        All packets, and the bytes of their frames as sent, link-layer headers included.
    untimed : int
        Packets without a time (simple packet blocks of pcapng).
    cut : int
        Packets of which less was captured than sent.
    out_of_order : int
        Packets with a time before that of a packet that stands before them in the file.
    tunnelled : int
        Packets in an IP tunnel, if flows are those inside.
    times_ns : (int, int) or None
        Earliest and latest time, nanoseconds since 1970; None if no packet has one.
    interfaces : tuple of Interface
        In the order of the file.
    truncated : str or None
        Where the file is cut, if it ends inside a packet; everything is about the packets before.
    flows : Flows
        The flow table.
    tunnels : TunnelTable
        The tunnels, whichever packets the flows are about.
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
    flows: Flows
    tunnels: TunnelTable


FACTS = tuple(f.name for f in fields(Facts))


@dataclass(frozen=True, slots=True, eq=False)
class Capture(Facts):
    """A packet capture, one entry of each column a packet, in the order of the file; beside them its ``Facts``.

    Attributes
    ----------
    time_ns : ndarray of int64, shape (n,)
        Nanoseconds since 1970 (UTC). Not sorted: a recorder may write packets out of order. ``NO_TIME_NS`` where
        the file has no time.
    wire_length, captured_length : ndarray of uint32, shape (n,)
        Bytes of the frame as sent and as captured, link-layer header included.
    ip_length : ndarray of uint32, shape (n,)
        Bytes of the IP packet as its header says; 0 if it is not IP. Where the header says 0 (segmentation offload
        or jumbogram), the frame's length less the link-layer header.
    flow : ndarray of uint32, shape (n,)
        Row in ``flows``; ``NO_FLOW`` if the packet is not IP or cut inside its IP header.
    direction : ndarray of uint8, shape (n,)
        0 from the end that sent the flow's first packet, 1 towards it.
    """

    time_ns: NDArray[np.int64]
    wire_length: NDArray[np.uint32]
    captured_length: NDArray[np.uint32]
    ip_length: NDArray[np.uint32]
    flow: NDArray[np.uint32]
    direction: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.time_ns)


def choices(tunnels: Side, limits: Limits | None) -> Choices:
    """Arguments of every native reader of captures: whether flows are those inside tunnels, and the limits."""
    if tunnels not in ("inner", "outer"):
        raise ValueError(f"tunnels is 'inner' or 'outer', not {tunnels!r}")
    return tunnels == "inner", astuple(limits or Limits())


def facts_of(columns: dict[str, Any]) -> dict[str, Any]:
    """Take the arguments of ``Facts`` out of what the native reader gives."""
    columns["flows"] = Flows(**columns["flows"])
    columns["tunnels"] = TunnelTable(**columns["tunnels"])
    columns["interfaces"] = tuple(Interface(*interface) for interface in columns["interfaces"])
    return {name: columns.pop(name) for name in FACTS}


def read_capture(path: str | PathLike[str], *, tunnels: Side = "inner", limits: Limits | None = None) -> Capture:
    """Read a packet capture into memory.

    pcap (microseconds or nanoseconds) and pcapng, either byte order, as they are or compressed with gzip or Zstandard;
    Ethernet with VLAN tags, MPLS labels or PPPoE, raw IP, Linux cooked, null and loop frames; IPv4 and IPv6.

    Parameters
    ----------
    path : path
        The capture.
    tunnels : {"inner", "outer"}
        Of a packet in a tunnel (IP in IP, GRE, minimal encapsulation): whether flow and length are those of the
        innermost packet that can be read, or of the outermost one.
    limits : Limits, optional
        How much it may be.

    Returns
    -------
    Capture
        All packets; where the file ends inside one, those before it, and ``truncated`` says so.

    Raises
    ------
    TraceError
        If the file cannot be read or is not a capture, with the offset of what is wrong (in the decompressed file).
    """
    columns = _native.read_capture(path, choices(tunnels, limits))
    return Capture(**facts_of(columns), **columns)
