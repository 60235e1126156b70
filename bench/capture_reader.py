"""Speed and memory of the capture reader beside capinfos, on a capture repeated to a given size.

    uv run bench/capture_reader.py examples/captures/commute.pcap --size 4GB
    uv run bench/capture_reader.py examples/captures/commute.pcap --size 1GB --compress zstd

Each repetition comes later than the one before; with --same-times it does not, which is the worst case for sorting. All read the
same file from the page cache, each in a process of its own, and must agree on the number of packets before a figure is printed.
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
HIGHEST_RATIO = 10**9
WORK = """
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


def opened(path: Path, compress: str | None, stack: ExitStack) -> BinaryIO:
    if compress == "gzip":
        return stack.enter_context(gzip.open(path, "wb", compresslevel=1))
    out = stack.enter_context(path.open("wb"))
    if compress == "zstd":
        import zstandard

        return stack.enter_context(zstandard.ZstdCompressor().stream_writer(out))
    return out


def repeated(source: Path, target: Path, size: int, *, shift: bool = True, compress: str | None = None) -> int:
    """Write ``source`` again and again until ``size`` is reached before compression; return how often."""
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
        out = opened(target, compress, stack)
        out.write(header)
        for turn in range(times):
            if shift:
                late = (seconds + turn * period).astype(order + "u4")  # comes round after 136 years
                records[places] = late.view(np.uint8).reshape(-1, 4)
            out.write(records.tobytes())
    return times


def typical(runs: int, code: str, path: Path, cache: Path, *, anew: bool) -> dict[str, float]:
    """Packets, the median time and the highest peak of several runs."""
    found = []
    for _ in range(runs):
        if anew:
            shutil.rmtree(cache, ignore_errors=True)
        done = subprocess.run([sys.executable, "-c", code, str(path), str(cache)], capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(done.stderr)
        found.append(json.loads(done.stdout))
    ((packets, *_), *others) = found
    if any(other[0] != packets for other in others):
        sys.exit(f"different numbers of packets: {[f[0] for f in found]}")
    seconds = statistics.median(f[1] for f in found)
    peak = round(max(f[2] for f in found) / 1e6, 1)
    return {"packets": packets, "s": round(seconds, 3), "packets_per_s": round(packets / seconds), "peak_mb": peak}


def measure(
    file: Path, size: int, *, jobs: Sequence[str] = tuple(JOBS), runs: int = 3, same_times: bool = False,
    compress: str | None = None, folder: Path | None = None,
) -> dict[str, Any]:  # fmt: skip
    """What each job and capinfos take for a capture repeated to ``size`` bytes."""
    if shutil.which("capinfos") is None:
        sys.exit("the comparison needs capinfos: apt-get install tshark")
    try:
        single = handoff_traces.read_capture(file)
    except handoff_traces.TraceError as error:
        sys.exit(str(error))
    if single.format != "pcap" or single.truncated or single.compression:
        sys.exit(f"{file}: a whole pcap file that is not compressed can be repeated")
    with tempfile.TemporaryDirectory(dir=folder) as name:
        path, cache = Path(name) / "repeated.pcap", Path(name) / "columns"
        times = repeated(file, path, size, shift=not same_times, compress=compress)
        figures: dict[str, Any] = {"file_bytes": path.stat().st_size, "flows": len(single.flows)}
        rows = {"capinfos": typical(runs, CAPINFOS, path, cache, anew=False)}
        for job in jobs:
            rows[job] = typical(runs, WORK % (HIGHEST_RATIO, JOBS[job]), path, cache, anew=job == "compile")
    for job, row in rows.items():
        if row["packets"] != times * len(single):
            sys.exit(f"{job} counts {row['packets']} packets of {times * len(single)} written")
        row["times_capinfos"] = round(rows["capinfos"]["s"] / row["s"], 2)
    return figures | rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="a pcap capture")
    parser.add_argument("--size", type=size_bytes, default=size_bytes("1GB"), help="bytes to read (default 1GB)")
    parser.add_argument("--compress", choices=("gzip", "zstd"), help="compress them")
    parser.add_argument("--same-times", action="store_true", help="every repetition has the same times")
    parser.add_argument("--jobs", default=",".join(JOBS), help="what to measure (default: all, and capinfos)")
    parser.add_argument("--runs", type=int, default=3, help="the median of so many counts (default 3)")
    parser.add_argument("--folder", type=Path, help="where the capture and the columns are put for the time being")
    options = parser.parse_args()
    figures = measure(
        options.file, options.size, jobs=options.jobs.split(","), runs=options.runs, same_times=options.same_times,
        compress=options.compress, folder=options.folder,
    )  # fmt: skip
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
