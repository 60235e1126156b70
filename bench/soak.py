"""Memory of the engine in a long run of W1 (bench/w1.py), after the warm-up and at the end.

    uv run bench/soak.py [--packets 1e9] [--mobiles 1000]

Resident memory is read from /proc/self/statm a hundred times during the run. The first tenth is the warm-up; later samples are
compared with the last one of it. Prints JSON. The exit code is 1 if memory changes by more than 1 % or a packet is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for a run by path

from bench.rows import machine
from bench.w1 import HOPS, PERIOD_PS, workload
from engine import Engine

STATM = Path("/proc/self/statm")
SAMPLES, WARM_UP = 100, 10
TOLERANCE = 0.01


def resident_bytes() -> int:
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def soak(packets: int, mobiles: int) -> dict[str, Any]:
    """Run until ``packets`` have been sent; return counts and the memory in bytes during the run."""
    each = max(packets // mobiles, SAMPLES)
    ready = Engine(workload(mobiles))
    assert ready.window_ps > 0  # this attribute compiles the network
    samples, begin = [], time.perf_counter()
    for sample in range(1, SAMPLES + 1):
        ready.advance(each * PERIOD_PS * sample // SAMPLES)
        samples.append(resident_bytes())
    seconds = time.perf_counter() - begin
    flows = ready.result().flows
    sent, delivered, dropped, in_flight = (int(flows[c].sum()) for c in ("sent", "delivered", "dropped", "in_flight"))
    warm, later = samples[WARM_UP - 1], samples[WARM_UP:]
    return {
        "packets": sent, "delivered": delivered, "in_flight": in_flight,
        "packet_hops_per_s": round(HOPS * delivered / seconds),
        "seconds": round(seconds, 1), "simulated_s": each * PERIOD_PS / 1e12,
        "after_warm_up_bytes": warm, "end_bytes": samples[-1], "least_bytes": min(later), "most_bytes": max(later),
        "largest_change": round(max(abs(s - warm) for s in later) / warm, 5),
        "complete": sent == each * mobiles == delivered + in_flight and not dropped, "machine": machine(),
    }  # fmt: skip


def packet_count(text: str) -> int:
    return int(float(text))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packets", type=packet_count, default=10**7, metavar="N", help="packets to send, as in 1e9 (1e7)")
    parser.add_argument("--mobiles", type=int, default=1000)
    options = parser.parse_args()
    if not STATM.exists():
        sys.exit("memory is read from /proc/self/statm, which exists on Linux only")
    figures = soak(options.packets, options.mobiles)
    print(json.dumps(figures, indent=2))
    sys.exit(not (figures["complete"] and figures["largest_change"] <= TOLERANCE))


if __name__ == "__main__":
    main()
