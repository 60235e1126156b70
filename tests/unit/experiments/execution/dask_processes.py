"""Schedulers and workers of Dask, started as an administrator starts them, with the commands of docs/execution.md."""

import json
import os
import re
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import yaml

from tests.unit.experiments.execution.short_tasks import PATIENCE_SECONDS, ROOT

PAGE = (ROOT / "docs" / "execution.md").read_text()


def make_certificates(folder: Path) -> dict[str, Any]:
    """Create certificates and configuration file of the page in a folder; return the configuration as settings of Dask."""
    (command,) = re.findall(r"^ +(openssl req .*)$", PAGE, re.M)
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    (text,) = re.findall(r"^    distributed:\n(?:     .*\n)+", PAGE, re.M)
    text = textwrap.dedent(text).replace("/path/to", str(folder))
    (folder / "handoff.yaml").write_text(text)
    return dict(flatten(yaml.safe_load(text)))


def flatten(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the leaves of nested mappings with their dotted names: ``dask.config.set`` replaces a mapping as a whole."""
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def documented_command(part: str, machine: str) -> list[str]:
    """Return the words of the page's command that starts a "scheduler" or "worker" on "127.0.0.1" or "head"."""
    commands = re.findall(rf"^    (dask {part} .*?)(?: *#.*)?$", PAGE, re.M)
    local = [command for command in commands if "--host 127.0.0.1" in command]
    (command,) = local if machine == "127.0.0.1" else [c for c in commands if c not in local]
    return command.split()[2:]


def start_process(folder: Path, name: str, *arguments: object, config: Path | None = None) -> subprocess.Popen[bytes]:
    """Start the "scheduler" or a "worker" of a cluster, with the configuration of :func:`make_certificates`."""
    environment: Mapping[str, str] = os.environ if config is None else {**os.environ, "DASK_CONFIG": str(config / "handoff.yaml")}
    with (folder / f"{name}.log").open("w") as log:
        command = [sys.executable, "-m", f"distributed.cli.dask_{name}", *map(str, arguments)]
        return subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, env=environment)


def read_address(file: Path) -> str:
    """Return the scheduler's address from the file that it writes when it is ready."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if file.exists() and (text := file.read_text()).endswith("}"):
            address: str = json.loads(text)["address"]
            return address
        time.sleep(0.05)
    raise AssertionError("no scheduler")


def listeners(*pids: int) -> list[str]:
    """Return the places ``HOST:PORT`` at which processes and their descendants listen."""
    processes = [p for pid in pids for p in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True))]
    sockets = [s for p in processes for s in p.net_connections("inet") if s.status == psutil.CONN_LISTEN]
    return sorted(f"{s.laddr.ip}:{s.laddr.port}" for s in sockets)


def stop_processes(*processes: subprocess.Popen[bytes]) -> None:
    """End processes in order, so that a worker's nanny ends its worker."""
    for process in processes:
        process.terminate()
        try:
            process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
