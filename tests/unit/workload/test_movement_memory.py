"""The estimate of movement's memory, against the memory that building it takes."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from engine import MemoryLimitError
from handoff.scenario import load_scenario
from handoff.workload.build import build_setup
from handoff.workload.movement_memory import check_movement_memory, movement_bytes

SCENARIO = """
name = "town"
duration = "{duration}"
[home_agent]
name = "ha"
[correspondent]
name = "cn"
[[link]]
between = ["cn", "ha"]
delay = "10ms"
[routers]
names = "ar{{0..3}}"
wired_to = "ha"
wired = {{ delay = "5ms" }}
cell = {{ delay = "2ms" }}
[[traffic]]
interval = "20ms"
size_bytes = 200
[movement.commuters]
mobile_nodes = {mobile_nodes}
handoff_rate = "{rate}"
gap = "30ms"
[options]
lifetime = "18h"
"""
BUILD = """
import sys
from pathlib import Path
from handoff.scenario import load_scenario
from handoff.workload.movement import load_attachments
scenario, _ = load_scenario(Path(sys.argv[1]))
def peak_kb():  # ru_maxrss would begin with the memory of the parent process
    (line,) = (x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith("VmHWM:"))
    return int(line.split()[1])
before = peak_kb()
load_attachments(scenario, Path(), 1)
print((peak_kb() - before) * 1024)
"""


def write(tmp_path, **values):
    path = tmp_path / "town.toml"
    path.write_text(SCENARIO.format(**values))
    return path


@pytest.mark.parametrize(("mobile_nodes", "rate", "duration"), [(100_000, "0/h", "4s"), (5_000, "1/s", "50s")])
def test_the_estimate_is_near_the_memory_taken(tmp_path, mobile_nodes, rate, duration):
    path = write(tmp_path, mobile_nodes=mobile_nodes, rate=rate, duration=duration)
    done = subprocess.run([sys.executable, "-c", BUILD, str(path)], capture_output=True, text=True, check=True)
    estimate = movement_bytes(load_scenario(path)[0])
    assert estimate / 3 < int(done.stdout) < 1.5 * estimate


def test_movement_over_the_limit_is_refused_before_it_is_built(tmp_path):
    path = write(tmp_path, mobile_nodes=2_000_000_000, rate="1/s", duration="50s")
    scenario, _ = load_scenario(path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(MemoryLimitError, match=r"takes about [\d,]+ bytes, the limit is 1,000,000,000:"):
        build_setup(scenario, Path(path), 1, 10**9)
    with pytest.raises(MemoryLimitError, match="this machine has"):
        build_setup(scenario, Path(path), 1)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB


def test_movement_at_the_limit_is_accepted(tmp_path):
    scenario, _ = load_scenario(write(tmp_path, mobile_nodes=10, rate="1/s", duration="50s"))
    need = movement_bytes(scenario)
    check_movement_memory(scenario, need)
    with pytest.raises(MemoryLimitError):
        check_movement_memory(scenario, need - 1)
