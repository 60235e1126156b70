"""Speed of the capture writer beside scapy and dpkt, in one run: tunnelled data packets into pcapng on the same disk.

    uv run bench/capture_writer.py [--packets 2000000] [--few 5000] [--folder /dev/shm]

The floor is a plain loop that writes as many bytes: what the disk allows. Beside the wall clock stands the processor's time (user
and kernel). scapy and dpkt write ``--few`` packets of the same headers, timed from numbers to the file, as the writer is. Without
dpkt (not needed for anything else: pip install dpkt) its line is left out.
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
    """UDP from CN to MN in a tunnel from HA to AR, 20 us apart."""
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
    with handoff_traces.CaptureWriter(
        path, ip=4, interfaces=["ha>ar"], addresses=addresses, flows=flows, snap_length=SNAP
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


def took(write: Callable[[Path, int], None], n: int, folder: Path | None) -> tuple[float, float]:
    """Seconds to write ``n`` packets, by the wall clock and of the processor; they must be there."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        path = Path(place) / "a.pcapng"
        begun, used = time.perf_counter(), time.process_time()
        write(path, n)
        passed, used = time.perf_counter() - begun, time.process_time() - used
        if write is floor:
            return passed, used
        capture = handoff_traces.read_capture(path, tunnels="outer")
        headers = path.read_bytes().count(MN + struct.pack(">2H", 5000, 5000))
        if len(capture) != n or (capture.ip_length != LENGTH).any() or headers != n:
            raise SystemExit(f"{write.__name__} did not write {n} packets of {LENGTH} bytes")
    return passed, used


def measure(packets: int, few: int, folder: Path | None = None, *, runs: int = 1) -> dict[str, dict[str, float]]:
    """Rates of the writer, of the floor and of what else there is: medians of ``runs`` by turns."""
    wanted = [(ours, packets), (floor, packets), (scapys, few)]
    if importlib.util.find_spec("dpkt"):
        wanted.append((dpkts, few))
    taken = [[took(write, n, folder) for write, n in wanted] for _ in range(runs)]
    figures, rates = {}, {}
    for (write, n), times in zip(wanted, zip(*taken, strict=True), strict=True):
        passed, used = (statistics.median(t[i] for t in times) for i in range(2))
        rates[write.__name__] = n / passed
        figures[write.__name__] = {"packets_per_s": round(n / passed), "cpu_ns_a_packet": round(used / n * 1e9)}
    figures["ours"] |= {f"times_{name}": round(rates["ours"] / rate, 2) for name, rate in rates.items() if name != "ours"}
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packets", type=int, default=2_000_000, help="for the writer, in steps of 250,000 (default 2,000,000)")
    parser.add_argument("--few", type=int, default=5_000, help="for scapy and dpkt (default 5,000)")
    parser.add_argument("--folder", type=Path, help="where to write (default: the system's temporary folder)")
    options = parser.parse_args()
    print(json.dumps(measure(options.packets, options.few, options.folder), indent=2))


if __name__ == "__main__":
    main()
