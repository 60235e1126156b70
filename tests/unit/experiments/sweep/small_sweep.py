"""A scenario whose runs take hundredths of a second, a sweep of it, and commands on it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from handoff.cli.main import main
from handoff.experiments.sweep.dataset import contents_hash, read_contents

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

[routers.cell]
delay = "4ms"

[[traffic]]
interval = "50ms"
phase = "50ms"
size_bytes = 200

[movement]
random_waypoint = { mobiles = 4, width = "400m", height = "100m", slowest = "20m/s", fastest = "30m/s" }

[coverage]
positions_m = { a = [100, 50], b = [300, 50] }
shadowing = "6dB"

[routers.neighbours]
delay = "5ms"
"""
SWEEP = """
[sweep]
mobile_nodes = "2..4"
coverage.lead = ["50ms", "200ms"]
procedures = ["mipv4", "sync-mipv4"]
runs = 2
"""
HANDOFF = [sys.executable, "-c", "from handoff.cli.main import main; main()"]


def write_scenario(folder: Path, text: str = SCENARIO + SWEEP) -> Path:
    """Write the scenario file and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "small.toml"
    path.write_text(text)
    return path


def run_process(*args: object, **options: object) -> subprocess.CompletedProcess[str]:
    """Run ``handoff`` in a process of its own."""
    return subprocess.run([*HANDOFF, *map(str, args)], capture_output=True, text=True, timeout=120, **options)


def run_command(*args: object) -> tuple[int, str, str]:
    """Run ``handoff`` in this process; return exit code, stdout and stderr."""
    done = CliRunner().invoke(main, [str(arg) for arg in args])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


def dataset_hash(folder: Path) -> str:
    """Return the digest of the results in a dataset, which must be undamaged."""
    contents = read_contents(folder)
    assert contents.damaged == []
    return contents_hash(contents)
