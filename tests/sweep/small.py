"""A scenario whose runs take hundredths of a second, and sweeps of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.unit.scenario.sample_scenarios import MINIMAL

WALK = """\
random_waypoint = { mobiles = 4, width = "400m", height = "100m", slowest = "20m/s", fastest = "30m/s" }

[coverage]
positions_m = { a = [100, 50], b = [300, 50] }
shadowing = "6dB"

[routers.neighbours]
delay = "5ms"
"""
SCENARIO = (
    MINIMAL.replace('name = "study"', 'name = "small"', 1)
    .replace('interval = "20ms"', 'interval = "50ms"\nphase = "50ms"', 1)
    .replace('associations = "moves.csv"\n', WALK, 1)
)
SWEEP = """
[sweep]
mobile_nodes = "2..4"
coverage.lead = ["50ms", "200ms"]
procedures = ["mipv4", "sync-mipv4"]
runs = 2
"""
HANDOFF = [sys.executable, "-c", "from handoff.cli.main import main; main()"]


def written(folder: Path, text: str = SCENARIO + SWEEP) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "small.toml"
    path.write_text(text)
    return path


def handoff(*args: object, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*HANDOFF, *map(str, args)], capture_output=True, text=True, timeout=120, **options)
