"""A long run: memory of the engine after its warm-up and at the end, W1 all the way (bench/w1.py).

    uv run bench/soak.py [--packets 1e9] [--mobiles 1000]

Resident memory is read from /proc/self/statm a hundred times through the run. The first tenth is warm-up: what is sampled
later is held against what was resident then. Prints JSON; exit code 1 if it changed by more than 1 %, or if a packet is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run by its path

from bench.rows import machine
from bench.w1 import HOPS, PERIOD_PS, workload
from engine import Engine

STATM = Path("/proc/self/statm")
SAMPLES, WARM_UP = 100, 10
TOLERANCE = 0.01


def resident_bytes() -> int:
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def soak(packets: int, mobiles: int) -> dict[str, Any]:
    """Run until ``packets`` have been sent; memory in bytes through the run."""
    each = max(packets // mobiles, SAMPLES)
    ready = Engine(workload(mobiles))
    assert ready.window_ps > 0  # asking builds the run
    samples, begun = [], time.perf_counter()
    for sample in range(1, SAMPLES + 1):
        ready.advance(each * PERIOD_PS * sample // SAMPLES)
        samples.append(resident_bytes())
    took = time.perf_counter() - begun
    flows = ready.result().flows
    sent, delivered, dropped, under_way = (int(flows[c].sum()) for c in ("sent", "delivered", "dropped", "in_flight"))
    warm, later = samples[WARM_UP - 1], samples[WARM_UP:]
    return {
        "packets": sent, "delivered": delivered, "in_flight": under_way, "packet_hops_per_s": round(HOPS * delivered / took),
        "seconds": round(took, 1), "simulated_s": each * PERIOD_PS / 1e12,
        "after_warm_up_bytes": warm, "end_bytes": samples[-1], "least_bytes": min(later), "most_bytes": max(later),
        "largest_change": round(max(abs(s - warm) for s in later) / warm, 5),
        "complete": sent == each * mobiles == delivered + under_way and not dropped, "machine": machine(),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packets", type=lambda text: int(float(text)), default=10**7, metavar="N", help="as in 1e9 (1e7)")
    parser.add_argument("--mobiles", type=int, default=1000)
    options = parser.parse_args()
    if not STATM.exists():
        sys.exit("memory is read from /proc/self/statm: only on Linux")
    figures = soak(options.packets, options.mobiles)
    print(json.dumps(figures, indent=2))
    sys.exit(not (figures["complete"] and figures["largest_change"] <= TOLERANCE))


if __name__ == "__main__":
    main()
