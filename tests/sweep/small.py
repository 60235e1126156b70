"""A scenario whose runs take hundredths of a second, and sweeps of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCENARIO = """\
name = "small"
duration = "10s"

[correspondent]
name = "cn"

[home_agent]
name = "ha"
registration = "1ms"

[[link]]
between = ["cn", "ha"]
delay = "20ms"

[routers]
names = ["a", "b"]
wired_to = "ha"

[routers.wired]
delay = "10ms"

[routers.neighbours]
delay = "5ms"

[routers.cell]
delay = "4ms"

[[traffic]]
interval = "50ms"
size_bytes = 200
phase = "50ms"

[movement.random_waypoint]
mobiles = 4
width = "400m"
height = "100m"
slowest = "20m/s"
fastest = "30m/s"

[coverage]
positions_m = { a = [100, 50], b = [300, 50] }
shadowing = "6dB"
"""
SWEEP = """
[sweep]
mobile_nodes = "2..4"
coverage.lead = ["50ms", "200ms"]
procedures = ["mipv4", "sync-mipv4"]
runs = 2
"""
HANDOFF = [sys.executable, "-c", "from handoff.cli import main; main()"]


def written(folder: Path, text: str = SCENARIO + SWEEP) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "small.toml"
    path.write_text(text)
    return path


def handoff(*args: object, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*HANDOFF, *map(str, args)], capture_output=True, text=True, timeout=120, **options)
