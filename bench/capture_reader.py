"""Speed and memory of the capture reader compared with capinfos, on a capture repeated to a given size.

    uv run bench/capture_reader.py examples/captures/commute.pcap --size 4GB
    uv run bench/capture_reader.py examples/captures/commute.pcap --size 1GB --compress zstd

Each repetition is later than the one before; with --same-times it is not, which is the worst case for sorting. All programs read
the same file from the page cache, each in its own process. They must agree on the number of packets before a figure is printed.
"""

import argparse
import gzip
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

import handoff_traces

PCAP_HEADER_BYTES, RECORD_HEADER_BYTES = 24, 16
UNITS = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9}
MAX_COMPRESSION_RATIO = 10**9
MEASUREMENT = """
import json, resource, sys, time
import handoff_traces
path, cache, limits = sys.argv[1], sys.argv[2], handoff_traces.Limits(ratio=%d)
begun = time.perf_counter()
packets = %s
seconds = time.perf_counter() - begun
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps([packets, seconds, peak]))
"""
JOBS = {
    "info": "handoff_traces.read_signalling(path, limits=limits).facts.packets",
    "compile": "handoff_traces.compile_capture(path, cache, limits=limits).facts.packets",
    "open_compiled": "handoff_traces.compile_capture(path, cache, limits=limits).facts.packets",
    "read_into_memory": "len(handoff_traces.read_capture(path, limits=limits))",
}
CAPINFOS = """
import json, resource, subprocess, sys, time
begun = time.perf_counter()
out = subprocess.run(["capinfos", "-T", "-r", "-c", "-M", sys.argv[1]], check=True, capture_output=True, text=True).stdout
seconds = time.perf_counter() - begun
print(json.dumps([int(out.split()[-1]), seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024]))
"""


def size_bytes(text: str) -> int:
    match = re.fullmatch(r"(\d+)\s*([KMG]?B?)", text.upper())
    unit = match and (match[2] if match[2].endswith("B") or not match[2] else match[2] + "B")
    if not match or unit not in UNITS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 500MB or 1GB")
    return int(match[1]) * UNITS[unit]


def open_output(path: Path, compress: str | None, stack: ExitStack) -> BinaryIO:
    if compress == "gzip":
        return stack.enter_context(gzip.open(path, "wb", compresslevel=1))
    out = stack.enter_context(path.open("wb"))
    if compress == "zstd":
        import zstandard

        return stack.enter_context(zstandard.ZstdCompressor().stream_writer(out))
    return out


def write_repeated(source: Path, target: Path, size: int, *, shift: bool = True, compress: str | None = None) -> int:
    """Write the records of ``source`` repeatedly until ``size`` is reached before compression; return the repetitions."""
    content = source.read_bytes()
    header, records = content[:PCAP_HEADER_BYTES], np.frombuffer(content, np.uint8, offset=PCAP_HEADER_BYTES).copy()
    order = "<" if header[0] in (0xD4, 0x4D) else ">"
    starts, at = [], 0
    while at < len(records):
        starts.append(at)
        at += RECORD_HEADER_BYTES + int(records[at + 8 : at + 12].view(order + "u4")[0])
    places = np.array(starts)[:, None] + np.arange(4)
    seconds = records[places].view(order + "u4").ravel()
    period = int(seconds.max() - seconds.min()) + 1
    times = max(1, size // len(records))
    with ExitStack() as stack:
        out = open_output(target, compress, stack)
        out.write(header)
        for repetition in range(times):
            if shift:
                late = (seconds + repetition * period).astype(order + "u4")  # wraps around after 136 years
                records[places] = late.view(np.uint8).reshape(-1, 4)
            out.write(records.tobytes())
    return times


def median_run(runs: int, code: str, path: Path, cache: Path, *, without_cache: bool) -> dict[str, float]:
    """Return the number of packets, the median time and the highest peak of memory of several runs."""
    results = []
    for _ in range(runs):
        if without_cache:
            shutil.rmtree(cache, ignore_errors=True)
        done = subprocess.run([sys.executable, "-c", code, str(path), str(cache)], capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(done.stderr)
        results.append(json.loads(done.stdout))
    ((packets, *_), *others) = results
    if any(other[0] != packets for other in others):
        sys.exit(f"different numbers of packets: {[r[0] for r in results]}")
    seconds = statistics.median(r[1] for r in results)
    peak = round(max(r[2] for r in results) / 1e6, 1)
    return {"packets": packets, "s": round(seconds, 3), "packets_per_s": round(packets / seconds), "peak_mb": peak}


def measure(
    file: Path, size: int, *, jobs: Sequence[str] = tuple(JOBS), runs: int = 3, same_times: bool = False,
    compress: str | None = None, folder: Path | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Return time and memory of each job and of capinfos for a capture repeated to ``size`` bytes."""
    if shutil.which("capinfos") is None:
        sys.exit("the comparison needs capinfos: apt-get install tshark")
    try:
        single = handoff_traces.read_capture(file)
    except handoff_traces.TraceError as error:
        sys.exit(str(error))
    if single.format != "pcap" or single.truncated or single.compression:
        sys.exit(f"{file}: only a complete, uncompressed pcap file can be repeated")
    with tempfile.TemporaryDirectory(dir=folder) as name:
        path, cache = Path(name) / "repeated.pcap", Path(name) / "columns"
        times = write_repeated(file, path, size, shift=not same_times, compress=compress)
        figures: dict[str, Any] = {"file_bytes": path.stat().st_size, "flows": len(single.flows)}
        rows = {"capinfos": median_run(runs, CAPINFOS, path, cache, without_cache=False)}
        for job in jobs:
            code = MEASUREMENT % (MAX_COMPRESSION_RATIO, JOBS[job])
            rows[job] = median_run(runs, code, path, cache, without_cache=job == "compile")
    for job, row in rows.items():
        if row["packets"] != times * len(single):
            sys.exit(f"{job} counts {row['packets']} packets of {times * len(single)} written")
        row["times_capinfos"] = round(rows["capinfos"]["s"] / row["s"], 2)
    return figures | rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="a pcap capture")
    parser.add_argument("--size", type=size_bytes, default=size_bytes("1GB"), help="bytes to read (default 1GB)")
    parser.add_argument("--compress", choices=("gzip", "zstd"), help="compression of the repeated capture")
    parser.add_argument("--same-times", action="store_true", help="give every repetition the same times")
    parser.add_argument("--jobs", default=",".join(JOBS), help="jobs to measure (default: all); capinfos is always measured")
    parser.add_argument("--runs", type=int, default=3, help="runs, of which the median counts (default 3)")
    parser.add_argument("--folder", type=Path, help="folder for the temporary files")
    options = parser.parse_args()
    figures = measure(
        options.file, options.size, jobs=options.jobs.split(","), runs=options.runs, same_times=options.same_times,
        compress=options.compress, folder=options.folder,
    )  # fmt: skip
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
