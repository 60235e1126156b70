"""Cost of the controllers of one handoff: 20,000 mobile nodes, 1,000 handoffs/s under several procedures (options: more).

    uv run python -m bench.handoffs

The network and the movement are those of ``bench.many`` with two gateways between the home agent and the routers. Each mobile
node gets two packets a second instead of 50, so that almost all time of the run is that of the controllers and of the control
messages. Times are user time of the processor.
"""

from __future__ import annotations

import argparse
import json
import resource
from statistics import median
from typing import Any

from bench.many import MS, build_study
from handoff.protocol.setup import Setup
from handoff.simulation.baseline import ZERO_BYTES
from handoff.simulation.run import run_procedure

PROCEDURES = ("mipv4", "mipv6", "hmipv4-bicast", "sync-mipv4", "sync-hmipv6")
PERIOD_PS = 500 * MS


def measure(setup: Setup, procedure: str) -> dict[str, Any]:
    """Run a procedure; return its user time and the time and calls of its controllers, each for one handoff."""
    begin = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    done = run_procedure(setup, procedure, reference=ZERO_BYTES)
    user_s = resource.getrusage(resource.RUSAGE_SELF).ru_utime - begin
    handoffs = max(int(str(done.summary()["handoffs"])), 1)
    return {
        "user_us": user_s / handoffs * 1e6,
        "controller_us": done.controller_seconds / handoffs * 1e6,
        "fingerprint": done.result.fingerprint,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mobiles", type=int, default=20_000)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--handoffs", type=int, default=1000, help="handoffs a second (1000)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--period-ms", type=int, default=PERIOD_PS // MS, help="time between two packets of a mobile node (500)")
    parser.add_argument("--procedures", default=",".join(PROCEDURES))
    args = parser.parse_args()
    setup = build_study(args.mobiles, args.handoffs, args.seconds, period_ps=args.period_ms * MS, gateways=2)
    for procedure in args.procedures.split(","):
        rounds = [measure(setup, procedure) for _ in range(args.rounds)]
        row = {name: round(median(r[name] for r in rounds), 1) for name in ("user_us", "controller_us")}
        print(json.dumps({"procedure": procedure, **row, "fingerprint": rounds[0]["fingerprint"]}))


if __name__ == "__main__":
    main()
