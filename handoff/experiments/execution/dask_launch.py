"""Clusters that are begun for a batch, and which way to a scheduler is safe."""

from __future__ import annotations

import difflib
import logging
from contextlib import ExitStack
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

OPTIONS = {
    "local": {"memory_limit": "most memory of a worker, as in 2GB"},
    "ssh": {
        "hosts": "names separated by commas: the scheduler's first, then those of the workers",
        "username": "to log in as",
        "port": "of the SSH servers",
        "client_keys": "file of the private key",
        "known_hosts": "file of the hosts' keys",
        "python": "the interpreter there that has handoff  [default: the path of this one]",
        "workers": "on each host  [default: 1]",
    },
    "slurm": {
        "queue": "the partition",
        "account": "to be charged",
        "walltime": "of a job, as in 02:00:00",
        "memory": "of a job, as in 4GB",
        "interface": "of the network, as in ib0",
        "python": "the interpreter there that has handoff  [default: the path of this one]",
        "shared_temp_directory": "a folder that all nodes see, for the certificates of this cluster",
        "log_directory": "for what the jobs print",
    },
}
"""What ``--cluster-option`` may give to each kind of cluster."""
REQUIRED = {"local": (), "ssh": ("hosts",), "slurm": ("memory",)}
HTTP = "127.0.0.1:0"
"""Where a scheduler tells how it is doing: not to the network."""
SAFE = "give tls://HOST:PORT, or on this machine tcp://127.0.0.1:PORT"


def scheduler_address_errors(address: str) -> list[str]:
    """What is wrong with a scheduler's address: in the clear nothing goes beyond this machine."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or not port or parts.path or parts.scheme not in ("tcp", "tls"):
        return [f"--scheduler {address!r} is not the address of a scheduler: {SAFE}"]
    if parts.scheme == "tcp" and not _loopback(host):
        tunnel = f"ssh -L {port}:127.0.0.1:{port} {host}, then --scheduler tcp://127.0.0.1:{port}"
        return [f"--scheduler {address} is another machine without TLS: give tls://{host}:{port}, or use a tunnel: {tunnel}"]
    if parts.scheme == "tls" and (missing := _without_certificates()):
        return [f"--scheduler {address}: {missing}"]
    return []


def cluster_option_errors(kind: str, options: dict[str, str]) -> list[str]:
    """What is wrong with the options of a kind of cluster."""
    if kind not in OPTIONS:
        return [f"--cluster {kind!r} is not one of {', '.join(OPTIONS)}"]
    wrong = []
    for name in options:
        if name not in OPTIONS[kind]:
            near = difflib.get_close_matches(name, OPTIONS[kind], 1)
            right = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(OPTIONS[kind])}"
            wrong.append(f"--cluster-option {name}: --cluster {kind} has none of this name; {right}")
    wrong += [f"--cluster {kind} needs --cluster-option {n}=…: {OPTIONS[kind][n]}" for n in REQUIRED[kind] if not options.get(n)]
    if kind == "ssh":
        if options.get("hosts") and len(_hosts(options)) < 2:
            wrong.append("--cluster-option hosts: give the scheduler's host and at least one for workers; they may be the same")
        numbers = [name for name in ("port", "workers") if not options.get(name, "1").isdecimal()]
        wrong += [f"--cluster-option {name}: {options[name]!r} is not a number" for name in numbers]
        if missing := _without_certificates():
            wrong.append(f"--cluster ssh: {missing}")
    return wrong


def launch_cluster(kind: str, jobs: int, options: dict[str, str], until: ExitStack) -> tuple[Any, Any]:
    """Begin a cluster; it ends as ``until`` does.

    Returns
    -------
    cluster : distributed.deploy.Cluster
    security : distributed.Security or None
        What a client needs to talk to it.

    Raises
    ------
    ValueError
        If the cluster cannot be had.
    """
    import dask

    # one death says enough: what a worker may have died of is done again alone (handoff.experiments.execution.task_queue)
    until.enter_context(dask.config.set({"distributed.scheduler.allowed-failures": 0, "distributed.admin.tick.limit": "1h"}))
    begin = {"local": _local, "ssh": _ssh, "slurm": _slurm}[kind]
    try:
        cluster, security = begin(jobs, options)
    except (ImportError, ValueError, TypeError, RuntimeError) as error:
        raise ValueError(f"--cluster {kind}: {error}") from None
    until.callback(cluster.close)
    return cluster, security


def _local(jobs: int, options: dict[str, str]) -> tuple[Any, Any]:
    from distributed import LocalCluster

    return LocalCluster(
        n_workers=jobs, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=HTTP,
        memory_limit=options.get("memory_limit", "auto"), silence_logs=logging.CRITICAL,
    ), None  # fmt: skip


def _ssh(jobs: int, options: dict[str, str]) -> tuple[Any, Any]:
    from distributed import Security, SSHCluster

    connect: dict[str, Any] = {k: options[k] for k in ("username", "client_keys", "known_hosts") if k in options}
    if "port" in options:
        connect["port"] = int(options["port"])
    security = Security()  # of the user's configuration, which goes with the commands to the hosts
    return SSHCluster(
        _hosts(options), connect_options=connect, remote_python=options.get("python"), security=security,
        scheduler_options={"protocol": "tls", "port": 0, "dashboard": False, "dashboard_address": HTTP},
        worker_options={"nthreads": 1, "n_workers": int(options.get("workers", "1"))},
    ), security  # fmt: skip


def _slurm(jobs: int, options: dict[str, str]) -> tuple[Any, Any]:
    from dask_jobqueue import SLURMCluster
    from distributed import Security

    security = Security.temporary()
    cluster = SLURMCluster(
        cores=1, processes=1, n_workers=jobs, protocol="tls://", security=security,
        scheduler_options={"dashboard": False, "dashboard_address": HTTP}, **options,
    )  # fmt: skip
    return cluster, security


def _hosts(options: dict[str, str]) -> list[str]:
    return [host.strip() for host in options["hosts"].split(",") if host.strip()]


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _without_certificates() -> str:
    """Why there can be no TLS; empty if Dask's configuration has what it takes."""
    try:
        import dask
        import distributed
    except ImportError:
        return ""  # said as it is needed
    assert distributed  # whose defaults are in the configuration once it is imported
    names = ("ca-file", "client.cert", "client.key")
    missing = [f"distributed.comm.tls.{n}" for n in names if not dask.config.get(f"distributed.comm.tls.{n}", None)]
    return f"TLS needs certificates: set {', '.join(missing)} in Dask's configuration (docs/execution.md)" if missing else ""
