"""Time and memory of a large study: 100,000 mobile nodes, 50 packets/s each, 1,000 handoffs/s under sync-mipv4 (options: more).

    uv run python -m bench.many

64 routers form a ring around one home agent. The wired links are those of W1 at a hundred times the rate; each mobile node has
its own link of 10 Mbit/s. Randomly chosen nodes move once, to either neighbouring router: half keep the old link until after the
new one is up (dual access), half have a gap of 20 to 100 ms. Layer 2 predicts a move 10 to 200 ms before it warns of the old
link's end, and warns 10 to 50 ms before that end.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from pathlib import Path
from typing import Any

import numpy as np

from bench.w1 import PACKET_BYTES, PERIOD_PS
from engine import FOREVER, Network
from handoff.protocol.setup import Attachments, Setup
from handoff.simulation.baseline import ZERO_BYTES
from handoff.simulation.run import run_procedure

ROUTERS = 64
MS = 10**9
MIN_DOWN_PS = 250 * MS  # an old link's end is predicted at most 200 + 50 ms before
CROWD_PS = 100 * MS


def network(mobiles: int, rng: np.random.Generator, period_ps: int, gateways: int) -> Network:
    """Build nodes, links, cells, mobile nodes and flows; mobile node m starts at router ``m % 64``.

    With ``gateways``, each has an equal share of the routers, and is half way between them and the home agent.
    """
    net = Network()
    net.node("cn"), net.node("ha", registration="10us")
    net.link("cn", "ha", rate="100Gbit/s", delay="5ms", buffer_packets=1000, both=True)
    for i in range(gateways):
        net.node(f"g{i}", registration="10us")
        net.link("ha", f"g{i}", rate="100Gbit/s", delay="5ms", buffer_packets=1000, both=True)
    for i in range(ROUTERS):
        net.node(f"r{i}")
        parent, delay = (f"g{gateways * i // ROUTERS}", "5ms") if gateways else ("ha", "10ms")
        net.link(parent, f"r{i}", rate="10Gbit/s", delay=delay, buffer_packets=100, both=True)
        net.cell(f"r{i}", rate="10Mbit/s", delay="2ms", buffer_packets=100)
    for i in range(ROUTERS):
        net.link(f"r{i}", f"r{(i + 1) % ROUTERS}", rate="10Gbit/s", delay="6ms", buffer_packets=100, both=True)
    nodes = net.mobiles(mobiles, home="ha")
    net.cbr("cn", nodes, interval=period_ps, size_bytes=PACKET_BYTES, start_ps=rng.integers(0, period_ps, mobiles))
    return net


def movement(net: Network, moves: int, until_ps: int, rng: np.random.Generator, *, crowd: bool = False) -> Attachments:
    """Let ``moves`` different nodes move once; with ``crowd``, the nodes of the first routers, all within 100 ms."""
    nodes = np.arange(net.mobile_count)
    first_router = net.node_index("r0")
    at = nodes % ROUTERS
    moving = np.sort(np.argsort(at, kind="stable")[:moves] if crowd else rng.choice(nodes, moves, replace=False))
    begin, end = (until_ps // 2, until_ps // 2 + CROWD_PS) if crowd else (MIN_DOWN_PS, until_ps)
    down = rng.integers(begin, end, moves)
    going_down = down - rng.integers(10 * MS, 50 * MS, moves)
    predict = going_down - rng.integers(10 * MS, 200 * MS, moves)
    dual = rng.random(moves) < 0.5
    overlap, gap = rng.integers(10 * MS, 100 * MS, moves), rng.integers(20 * MS, 100 * MS, moves)
    columns = {
        "mobile": np.concatenate([nodes, moving]),
        "router": first_router + np.concatenate([at, (at[moving] + rng.choice([-1, 1], moves)) % ROUTERS]),
        "up_ps": np.concatenate([np.zeros(len(nodes), np.int64), np.where(dual, down - overlap, down + gap)]),
    }
    for name, values, absent in [("down_ps", down, FOREVER), ("predict_ps", predict, -1), ("going_down_ps", going_down, -1)]:
        columns[name] = np.full(len(nodes) + moves, absent, np.int64)
        columns[name][moving] = values
    order = np.lexsort((columns["up_ps"], columns["mobile"]))
    return Attachments(**{name: values[order] for name, values in columns.items()})


def build_study(
    mobiles: int, handoffs: int, seconds: int, *, crowd: bool = False, period_ps: int = PERIOD_PS, gateways: int = 0
) -> Setup:
    """Build the setup with ``handoffs`` handoffs a second, and a packet to each mobile node in ``period_ps``."""
    rng = np.random.default_rng(1)
    net = network(mobiles, rng, period_ps, gateways)
    until = seconds * 1000 * MS
    moves = movement(net, handoffs * seconds, until, rng, crowd=crowd)
    gateway_of = {net.node_index(f"r{i}"): net.node_index(f"g{gateways * i // ROUTERS}") for i in range(ROUTERS * bool(gateways))}
    return Setup(net, net.node_index("ha"), moves, until, gateways=gateway_of)


def peak_bytes() -> int:
    """Return the peak memory of this program; ``ru_maxrss`` of a process would include the one that started it."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # macOS


def study(
    mobiles: int = 100_000, seconds: int = 20, handoffs: int = 1000, procedure: str = "sync-mipv4", *, crowd: bool = False
) -> dict[str, Any]:
    """Build and run a study with ``handoffs`` handoffs a second; return its results and its time and memory."""
    before = peak_bytes()
    begin = time.perf_counter()
    setup = build_study(mobiles, handoffs, seconds, crowd=crowd)
    built = time.perf_counter()
    done = run_procedure(setup, procedure, reference=ZERO_BYTES)
    run_and_measure_s = time.perf_counter() - built
    summary = done.summary()
    return {
        **{k: summary[k] for k in ("procedure", "handoffs", "completed", "scenario_1", "scenario_2", "scenario_3")},
        **{k: summary[k] for k in ("sent", "lost", "duplicate", "reordered", "in_flight", "signalling_messages")},
        "packet_hops": done.result.events,
        "describe_s": round(built - begin, 2),
        "build_run_measure_s": round(run_and_measure_s, 2),
        "run_s": round(done.wall_seconds, 3),
        "packet_hops_per_s": round(done.result.events / done.wall_seconds),
        "controller_share": round(done.controller_seconds / done.wall_seconds, 3),
        "controller_us_per_handoff": round(done.controller_seconds / max(int(str(summary["handoffs"])), 1) * 1e6, 1),
        "peak_mb": round(peak_bytes() / 1e6),
        "peak_before_mb": round(before / 1e6),
        "fates": done.result.fate_counts(),
        "control_fates": done.result.fate_counts(control=True),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mobiles", type=int, default=100_000)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--handoffs", type=int, default=1000, help="handoffs a second (1000)")
    parser.add_argument("--procedure", default="sync-mipv4")
    parser.add_argument("--crowd", action="store_true", help="let all nodes of one router after the other move, within 100 ms")
    print(json.dumps(study(**vars(parser.parse_args())), indent=2))


if __name__ == "__main__":
    main()
