"""A local Dask cluster with TLS, and the check that the way to a Dask scheduler is safe."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from engine.similar_names import name_hint

if TYPE_CHECKING:
    from distributed import LocalCluster

LOCAL_CLUSTER = "local"
"""The only kind of cluster that a command starts by itself."""
CLUSTER_OPTIONS = ("memory_limit",)
"""Names that ``--cluster-option`` accepts: ``memory_limit`` is the memory that a worker may use, as in 2GB."""
LOOPBACK = "127.0.0.1"
HTTP_ADDRESS = f"{LOOPBACK}:0"
"""Place of the HTTP server that a scheduler has even without a dashboard; it has no pages (``http.routes``)."""
MAX_TICK_LIMIT = "1h"
"""Dask warns if its event loop is blocked for longer: a run in a worker thread may block it."""
SAFE_ADDRESS = "give tls://HOST:PORT"


def scheduler_address_errors(address: str) -> list[str]:
    """Return the mistakes in the address of a scheduler. It is reached with TLS only, on this machine too.

    TLS needs the certificates in Dask's configuration.
    """
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or not port or parts.path or parts.scheme not in ("tcp", "tls"):
        return [f"--scheduler {address!r} is not the address of a scheduler: {SAFE_ADDRESS}"]
    if parts.scheme == "tcp":
        danger = "every user who can reach it, also on this machine, can run code on its workers"
        tls = address.replace("tcp://", "tls://", 1)
        return [f"--scheduler {address} is without TLS: {danger}; start it with TLS and give {tls} (docs/execution.md)"]
    if problem := _certificate_problem():
        return [f"--scheduler {address}: {problem}"]
    return []


def cluster_option_errors(kind: str, options: dict[str, str]) -> list[str]:
    """Return the mistakes in the kind and the options of a cluster to start."""
    if kind != LOCAL_CLUSTER:
        return [f"--cluster {kind!r}: the only kind is {LOCAL_CLUSTER!r}"]
    errors = []
    for name in options:
        if name not in CLUSTER_OPTIONS:
            hint = name_hint(name, CLUSTER_OPTIONS, f"there is only {', '.join(CLUSTER_OPTIONS)}")
            errors.append(f"--cluster-option {name}: --cluster {kind} has no such option; {hint}")
    return errors


def start_local_cluster(jobs: int, options: dict[str, str], resources: ExitStack) -> LocalCluster:
    """Start a Dask cluster on this machine, which only this process can use.

    Its parts listen on the loopback interface, and accept TLS connections with a temporary certificate only. Certificate and key
    are passed from process to process in memory.

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
    from distributed.security import Security

    # Dask must not retry after a death: task_queue runs a task that may have killed its worker again, but alone.
    settings = {
        "distributed.scheduler.allowed-failures": 0, "distributed.admin.tick.limit": MAX_TICK_LIMIT,
        "distributed.scheduler.http.routes": [], "distributed.worker.http.routes": [],
        # Python imports modules from this folder. The default one is shared: another user may have created it.
        "temporary-directory": resources.enter_context(TemporaryDirectory(prefix="handoff-", ignore_cleanup_errors=True)),
    }  # fmt: skip
    resources.enter_context(dask.config.set(settings))
    try:
        cluster = LocalCluster(
            n_workers=jobs, threads_per_worker=1, processes=True, host=LOOPBACK, protocol="tls://", security=Security.temporary(),
            dashboard_address=HTTP_ADDRESS, scheduler_kwargs={"dashboard": False},
            memory_limit=options.get("memory_limit", "auto"), silence_logs=logging.CRITICAL,
        )  # fmt: skip
    except ImportError:
        missing = "Dask or cryptography, which makes its certificate, is not installed"
        raise ValueError(f"--cluster {LOCAL_CLUSTER}: {missing}: pip install 'handoff-sim[cluster]'") from None
    except ( ValueError, TypeError, RuntimeError) as error:
        raise ValueError(f"--cluster {LOCAL_CLUSTER}: {error}") from None
    resources.callback(cluster.close)
    return cluster


def _certificate_problem() -> str:
    try:
        import dask
        from distributed.security import Security
    except ImportError:
        return ""  # reported when the executor is opened
    names = ("ca-file", "client.cert", "client.key")
    missing = [f"distributed.comm.tls.{n}" for n in names if not dask.config.get(f"distributed.comm.tls.{n}", None)]
    if missing:
        return f"TLS needs certificates: set {', '.join(missing)} in Dask's configuration (docs/execution.md)"
    try:
        Security().get_connection_args("client")
    except (OSError, ValueError) as error:
        return f"the certificates in Dask's configuration cannot be used: {error}"
    return ""
