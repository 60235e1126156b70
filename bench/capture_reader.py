"""Speed of the capture reader beside capinfos, on a capture repeated to a given size.

    python bench/capture_reader.py examples/captures/commute.pcap --size 1GB

Both read the same file from the page cache; their packet counts must agree before a figure is printed.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import traces

PCAP_HEADER_BYTES = 24
UNITS = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9}


def size_bytes(text: str) -> int:
    match = re.fullmatch(r"(\d+)\s*([KMG]?B?)", text.upper())
    unit = match and (match[2] if match[2].endswith("B") or not match[2] else match[2] + "B")
    if not match or unit not in UNITS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 500MB or 1GB")
    return int(match[1]) * UNITS[unit]


def repeated(source: Path, target: Path, size: int) -> int:
    """Write the header of ``source`` and its records until ``size`` is reached; return how often."""
    header, records = source.read_bytes()[:PCAP_HEADER_BYTES], source.read_bytes()[PCAP_HEADER_BYTES:]
    times = max(1, size // len(records))
    with target.open("wb") as out:
        out.write(header)
        for _ in range(times):
            out.write(records)
    return times


def best_s(runs: int, work: Callable[[], int]) -> tuple[float, int]:
    """Shortest of several runs, and the packets all of them counted."""
    took, counts = [], set()
    for _ in range(runs):
        start = time.perf_counter()
        counts.add(work())
        took.append(time.perf_counter() - start)
    (count,) = counts
    return min(took), count


def capinfos_count(path: Path) -> int:
    out = subprocess.run(["capinfos", "-T", "-r", "-c", "-M", str(path)], check=True, capture_output=True, text=True)
    return int(out.stdout.split()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="a pcap capture")
    parser.add_argument("--size", type=size_bytes, default=size_bytes("1GB"), help="bytes to read (default 1GB)")
    parser.add_argument("--runs", type=int, default=5, help="the fastest of so many counts (default 5)")
    options = parser.parse_args()
    if shutil.which("capinfos") is None:
        sys.exit("the comparison needs capinfos: apt-get install tshark")
    try:
        single = traces.read_capture(options.file)
    except traces.TraceError as error:
        sys.exit(str(error))
    if single.format != "pcap" or single.truncated:
        sys.exit(f"{options.file}: {single.truncated or single.format}; a whole pcap file can be repeated")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "repeated.pcap"
        times = repeated(options.file, path, options.size)
        capinfos_s, capinfos_packets = best_s(options.runs, lambda: capinfos_count(path))
        reader_s, packets = best_s(options.runs, lambda: len(traces.read_capture(path)))
        if not packets == capinfos_packets == times * len(single):
            sys.exit(f"read {packets} packets, capinfos counts {capinfos_packets}, written {times * len(single)}")
        file_bytes = path.stat().st_size
    figures = {
        "file_bytes": file_bytes,
        "packets": packets,
        "flows": len(single.flows),
        "reader_s": round(reader_s, 4),
        "reader_packets_per_s": round(packets / reader_s),
        "reader_bytes_per_s": round(file_bytes / reader_s),
        "capinfos_s": round(capinfos_s, 4),
        "capinfos_packets_per_s": round(packets / capinfos_s),
        "times_capinfos": round(capinfos_s / reader_s, 2),
    }
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
