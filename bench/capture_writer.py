"""Speed of the capture writer compared with scapy and dpkt: tunnelled data packets, written as pcapng to the same disk.

    uv run bench/capture_writer.py [--packets 2000000] [--few 5000] [--folder /dev/shm]

The floor is a plain loop that writes as many bytes, as fast as the disk allows. Processor time (user and kernel) is reported
next to wall-clock time. scapy and dpkt write ``--few`` packets with the same headers; the time covers the path from numbers to
the file, as for the writer. The line of dpkt is left out if dpkt is not installed (pip install dpkt; nothing else needs it).
"""

import argparse
import importlib.util
import json
import os
import statistics
import struct
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import handoff_traces
from handoff_traces import wire

HA, AR, CN, MN = (bytes([10, 128, i, 1]) for i in range(4))
LENGTH, SNAP, SLICE = 220, 128, 250_000


def columns(n: int) -> handoff_traces.Packets:
    """Build UDP packets from CN to MN in a tunnel from HA to AR, 20 us apart."""
    zero = np.zeros(n, np.uint32)
    tunnels = np.zeros((n, 4, 4), np.int32)
    tunnels[:, 0] = (wire.IP_IN_IP, 0, 1, 1)
    number = np.arange(n)
    return handoff_traces.Packets(
        number * 20_000, zero, number * 0, zero + LENGTH - 20, number.astype(np.uint32), zero, zero, tunnels
    )


def ours(path: Path, n: int) -> None:
    addresses = np.zeros((4, 16), np.uint8)
    for row, address in zip(addresses, (HA, AR, CN, MN), strict=True):
        row[:4] = list(address)
    ends = [np.array([value], kind) for value, kind in ((2, "u4"), (3, "u4"), (17, "u1"), (5000, "u2"), (5000, "u2"))]
    flows = handoff_traces.FlowHeaders(*ends)
    packets = columns(min(n, SLICE))
    with path.open("wb") as file, handoff_traces.CaptureWriter(
        file, ip=4, interfaces=["ha>ar"], addresses=addresses, flows=flows, snap_length=SNAP
    ) as out:
        for _ in range(n // SLICE or 1):
            out.write(packets)


def text(address: bytes) -> str:
    return ".".join(map(str, address))


def scapys(path: Path, n: int) -> None:
    from scapy.layers.inet import IP, UDP
    from scapy.utils import PcapNgWriter

    with PcapNgWriter(str(path)) as out:
        for i in range(n):
            inner = IP(src=text(CN), dst=text(MN), id=i % 65536) / UDP(sport=5000, dport=5000) / bytes(LENGTH - 48)
            packet = IP(src=text(HA), dst=text(AR), id=i % 65536) / inner
            packet.time = i * 2e-5
            out.write(packet)


def dpkts(path: Path, n: int) -> None:
    import dpkt

    with path.open("wb") as file:
        out = dpkt.pcapng.Writer(file, linktype=101)
        for i in range(n):
            udp = dpkt.udp.UDP(sport=5000, dport=5000, data=bytes(LENGTH - 48), ulen=LENGTH - 40)
            inner = dpkt.ip.IP(src=CN, dst=MN, id=i % 65536, p=17, data=udp, len=LENGTH - 20)
            outer = dpkt.ip.IP(src=HA, dst=AR, id=i % 65536, p=4, data=inner, len=LENGTH)
            out.writepkt(bytes(outer), ts=i * 2e-5)


def floor(path: Path, n: int) -> None:
    block, size = bytes(1 << 20), n * (SNAP + 32)
    with path.open("wb", buffering=0) as file:
        for _ in range(-(-size // len(block))):
            file.write(block)
        os.fsync(file.fileno())


def time_write(write: Callable[[Path, int], None], n: int, folder: Path | None) -> tuple[float, float]:
    """Return the wall-clock and processor seconds to write ``n`` packets, after a check of the file."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        path = Path(name) / "a.pcapng"
        wall, cpu = time.perf_counter(), time.process_time()
        write(path, n)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        if write is floor:
            return wall, cpu
        capture = handoff_traces.read_capture(path, tunnels="outer")
        headers = path.read_bytes().count(MN + struct.pack(">2H", 5000, 5000))
        if len(capture) != n or (capture.ip_length != LENGTH).any() or headers != n:
            raise SystemExit(f"{write.__name__} did not write {n} packets of {LENGTH} bytes")
    return wall, cpu


def measure(packets: int, few: int, folder: Path | None = None, *, runs: int = 1) -> dict[str, dict[str, float]]:
    """Return the rates of the writer, the floor and the other programs: medians of ``runs`` alternating runs."""
    programs = [(ours, packets), (floor, packets), (scapys, few)]
    if importlib.util.find_spec("dpkt"):
        programs.append((dpkts, few))
    rounds = [[time_write(write, n, folder) for write, n in programs] for _ in range(runs)]
    figures, rates = {}, {}
    for (write, n), times in zip(programs, zip(*rounds, strict=True), strict=True):
        wall, cpu = (statistics.median(t[i] for t in times) for i in range(2))
        rates[write.__name__] = n / wall
        figures[write.__name__] = {"packets_per_s": round(n / wall), "cpu_ns_a_packet": round(cpu / n * 1e9)}
    figures["ours"] |= {f"times_{name}": round(rates["ours"] / rate, 2) for name, rate in rates.items() if name != "ours"}
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packets", type=int, default=2_000_000, help="packets for the writer, a multiple of 250,000")
    parser.add_argument("--few", type=int, default=5_000, help="packets for scapy and dpkt (default 5,000)")
    parser.add_argument("--folder", type=Path, help="folder to write to (default: the system's temporary folder)")
    options = parser.parse_args()
    print(json.dumps(measure(options.packets, options.few, options.folder), indent=2))


if __name__ == "__main__":
    main()
