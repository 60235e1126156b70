"""Schedulers and workers of Dask, started as an administrator starts them."""

import json
import subprocess
import sys
import time
from pathlib import Path

from tests.unit.experiments.execution.short_tasks import PATIENCE_SECONDS, ROOT


def start_process(folder: Path, name: str, *arguments: object) -> subprocess.Popen[bytes]:
    """Start the "scheduler" or a "worker" of a cluster."""
    with (folder / f"{name}.log").open("w") as log:
        command = [sys.executable, "-m", f"distributed.cli.dask_{name}", *map(str, arguments), "--no-dashboard"]
        return subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)


def read_address(file: Path) -> str:
    """Return the scheduler's address from the file that it writes when it is ready."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if file.exists() and (text := file.read_text()).endswith("}"):
            address: str = json.loads(text)["address"]
            return address
        time.sleep(0.05)
    raise AssertionError("no scheduler")


def stop_processes(*processes: subprocess.Popen[bytes]) -> None:
    for process in processes:
        process.kill()
        process.wait()
