"""A local Dask cluster, and the check that the way to a Dask scheduler is safe."""

from __future__ import annotations

import difflib
import logging
from contextlib import ExitStack
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from distributed import LocalCluster

LOCAL_CLUSTER = "local"
"""The only kind of cluster that a command starts by itself."""
CLUSTER_OPTIONS = ("memory_limit",)
"""Names that ``--cluster-option`` accepts: ``memory_limit`` is the memory that a worker may use, as in 2GB."""
LOOPBACK = "127.0.0.1"
DASHBOARD_ADDRESS = f"{LOOPBACK}:0"
"""Status page of the scheduler: on a free port, and not reachable from the network."""
MAX_TICK_LIMIT = "1h"
"""Dask warns if its event loop is blocked for longer: a run in a worker thread may block it."""
SAFE_ADDRESSES = "give tls://HOST:PORT, or on this machine tcp://127.0.0.1:PORT"


def scheduler_address_errors(address: str) -> list[str]:
    """Return the mistakes in the address of a scheduler; another machine is reached with TLS only.

    A tls:// address also needs the certificates in Dask's configuration.
    """
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or not port or parts.path or parts.scheme not in ("tcp", "tls"):
        return [f"--scheduler {address!r} is not the address of a scheduler: {SAFE_ADDRESSES}"]
    if parts.scheme == "tcp" and not _is_loopback(host):
        tunnel = f"ssh -L {port}:127.0.0.1:{port} {host}, then --scheduler tcp://127.0.0.1:{port}"
        return [f"--scheduler {address} is another machine without TLS: give tls://{host}:{port}, or use a tunnel: {tunnel}"]
    if parts.scheme == "tls" and (problem := _missing_certificates()):
        return [f"--scheduler {address}: {problem}"]
    return []


def cluster_option_errors(kind: str, options: dict[str, str]) -> list[str]:
    """Return the mistakes in the kind and the options of a cluster to start."""
    if kind != LOCAL_CLUSTER:
        return [f"--cluster {kind!r}: the only kind is {LOCAL_CLUSTER!r}"]
    errors = []
    for name in options:
        if name not in CLUSTER_OPTIONS:
            matches = difflib.get_close_matches(name, CLUSTER_OPTIONS, 1)
            hint = f"did you mean {matches[0]!r}?" if matches else f"there is only {', '.join(CLUSTER_OPTIONS)}"
            errors.append(f"--cluster-option {name}: --cluster {kind} has no such option; {hint}")
    return errors


def start_local_cluster(jobs: int, options: dict[str, str], resources: ExitStack) -> LocalCluster:
    """Start a Dask cluster on this machine.

    Parameters
    ----------
    jobs : int
        Workers, each a process with one thread.
    options : dict of str to str
        See ``CLUSTER_OPTIONS``.
    resources : ExitStack
        Closes the cluster when it is closed itself.

    Raises
    ------
    ValueError
        If the cluster cannot be started.
    """
    import dask
    from distributed import LocalCluster

    # Dask must not retry after a death: task_queue runs a task that may have killed its worker again, but alone.
    settings = {"distributed.scheduler.allowed-failures": 0, "distributed.admin.tick.limit": MAX_TICK_LIMIT}
    resources.enter_context(dask.config.set(settings))
    try:
        cluster = LocalCluster(
            n_workers=jobs, threads_per_worker=1, processes=True, host=LOOPBACK, dashboard_address=DASHBOARD_ADDRESS,
            memory_limit=options.get("memory_limit", "auto"), silence_logs=logging.CRITICAL,
        )  # fmt: skip
    except (ImportError, ValueError, TypeError, RuntimeError) as error:
        raise ValueError(f"--cluster {LOCAL_CLUSTER}: {error}") from None
    resources.callback(cluster.close)
    return cluster


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _missing_certificates() -> str:
    try:
        import dask
        import distributed
    except ImportError:
        return ""  # reported when the executor is opened
    assert distributed  # its import adds its defaults to Dask's configuration
    names = ("ca-file", "client.cert", "client.key")
    missing = [f"distributed.comm.tls.{n}" for n in names if not dask.config.get(f"distributed.comm.tls.{n}", None)]
    return f"TLS needs certificates: set {', '.join(missing)} in Dask's configuration (docs/execution.md)" if missing else ""
