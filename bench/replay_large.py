"""Memory of a replay: a capture repeated to a given size, compiled, and replayed onto mobile nodes.

    python -m bench.replay_large examples/captures/commute.pcap --size 4GB

Each repetition is later than the one before, so that the flows are as long as the file. The columns are written to a temporary
folder, and everything is deleted at the end. Compilation and replay run in separate processes, whose peaks of resident memory the
kernel reports. The number of packets sent has to be that of the file.
"""

import argparse
import json
import multiprocessing
import os
import shutil
import struct
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import handoff_traces
from bench.capture_reader import PCAP_HEADER_BYTES, size_bytes
from bench.many import peak_bytes
from handoff.scenario import load_scenario
from handoff.simulation.run import run_procedure
from handoff.workload.build import build_setup

SCENARIO = """\
name = "large"
duration = "{seconds}s"
correspondent = {{ name = "cn" }}
home_agent = {{ name = "ha" }}
link = [{{ between = ["cn", "ha"], delay = "20ms" }}]
movement = {{ associations = "moves.csv" }}

[routers]
names = ["a", "b"]
wired_to = "ha"
wired = {{ delay = "10ms" }}
neighbours = {{ delay = "10ms" }}
cell = {{ delay = "4ms" }}

[[traffic]]
capture = "large.pcap"
mobile_address = "10.0.2.2"
loop = false
phase = "5s"
origin = "stream"
flows_per_mobile = "all"
"""
PAUSE_S = 1


def write_repeated(source: Path, target: Path, size: int) -> tuple[int, int]:
    """Write the records of a nanosecond pcap repeatedly, each time later; return the repetitions and their total seconds."""
    header, body = source.read_bytes()[:PCAP_HEADER_BYTES], bytearray(source.read_bytes()[PCAP_HEADER_BYTES:])
    places, seconds, at = [], [], 0
    while at < len(body):
        places.append(at)
        seconds.append(struct.unpack_from("<I", body, at)[0])
        at += 16 + struct.unpack_from("<I", body, at + 8)[0]
    span = max(seconds) - min(seconds) + PAUSE_S
    times = max(1, size // len(body))
    with target.open("wb") as out:
        out.write(header)
        for repetition in range(times):
            out.write(body)
            if repetition + 1 < times:
                for place in places:
                    second = struct.unpack_from("<I", body, place)[0]
                    struct.pack_into("<I", body, place, second + span)
    return times, span * times


def measure_in_process(work: Any, *arguments: Any) -> dict[str, Any]:
    """Run a function in its own process; return its result with its seconds and its peak of resident memory."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measure, (work, arguments))


def _measure(work: Any, arguments: Any) -> dict[str, Any]:
    idle = _peak_mb()
    start = time.perf_counter()
    result = work(*arguments)
    return {**result, "seconds": round(time.perf_counter() - start, 1), "peak_mb": _peak_mb(), "peak_before_mb": idle}


def _peak_mb() -> float:
    return round(peak_bytes() / 1e6, 1)


def compile_it(path: Path) -> dict[str, Any]:
    with handoff_traces.compile_capture(path) as columns:
        return {"packets": columns.facts.packets, "flows": len(columns.flows)}


def replay_it(path: Path) -> dict[str, Any]:
    setup = build_setup(load_scenario(path)[0], path, 1)
    run = run_procedure(setup, "sync-mipv4", seed=1)
    sent, lost = (int(run.result.flows[name].sum()) for name in ("sent", "lost"))
    return {"sent": sent, "lost": lost, "packet_hops": run.result.events, "run_s": round(run.wall_seconds, 3)}


def write_study(file: Path, folder: Path, size: int, mobiles: int) -> int:
    """Write the capture, repeated to ``size``, its scenario and the attachments into a folder; return the repetitions."""
    times, seconds = write_repeated(file, folder / "large.pcap", size)
    (folder / "large.toml").write_text(SCENARIO.format(seconds=seconds + 10))
    moves = [f"mn{i},{row}" for i in range(mobiles) for row in _attachments(seconds // 2)]
    (folder / "moves.csv").write_text("mobile,router,up_s,down_s,predict_s,going_down_s\n" + "\n".join(moves) + "\n")
    return times


def study(file: Path, size: int, mobiles: int) -> dict[str, Any]:
    """Compile and replay a capture; return the results with their times and memory."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if shutil.disk_usage(folder).free < size * 1.5:
            sys.exit(f"{folder} has no room for {size * 1.5:.3g} bytes")
        os.environ["HANDOFF_CACHE"] = str(folder / "cache")
        times = write_study(file, folder, size, mobiles)
        compiled = measure_in_process(compile_it, folder / "large.pcap")
        replayed = measure_in_process(replay_it, folder / "large.toml")
        if replayed["sent"] != compiled["packets"] * mobiles:
            sys.exit(f"sent {replayed['sent']} packets, the file has {compiled['packets']} for {mobiles} mobile nodes")
        return {
            "file_bytes": (folder / "large.pcap").stat().st_size, "repeated": times, "compile": compiled, "replay": replayed,
        }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="a pcap capture with nanoseconds, little-endian")
    parser.add_argument("--size", type=size_bytes, default=size_bytes("4GB"), help="size of the capture (default 4GB)")
    parser.add_argument("--mobiles", type=int, default=1, help="mobile nodes that replay all of it (default 1)")
    options = parser.parse_args()
    print(json.dumps(study(options.file, options.size, options.mobiles), indent=2))


def _attachments(half: int) -> list[str]:
    """Return rows for one router in the first half and another in the second, with a prediction and a warning of 20 ms."""
    return [f"a,0,{half},{half - 1}.5,{half - 1}.98", f"b,{half},,,"]


if __name__ == "__main__":
    main()
