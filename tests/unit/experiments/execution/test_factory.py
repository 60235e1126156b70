"""The executor that the options of a command select, and the options that are refused."""

import subprocess
import sys

import click
import dask.config
import pytest
from click.testing import CliRunner

from handoff.cli.execution_options import execution_options
from handoff.experiments.execution.dask_executor import DaskExecutor
from handoff.experiments.execution.factory import available_cpus, make_executor
from handoff.experiments.execution.process_pool import ProcessPool
from handoff.experiments.execution.task import SerialExecutor

NO_CERTIFICATES = {f"distributed.comm.tls.{n}": None for n in ("ca-file", "client.cert", "client.key")}


def executor_for(*arguments):
    """Return the executor that a command makes of its options, or click's result if it fails."""
    executors = []

    @click.command()
    @execution_options
    def many(begin):
        executors.append(begin())

    result = CliRunner().invoke(many, arguments, catch_exceptions=True)
    return executors[0] if executors else result


def test_the_options_select_this_process_a_pool_or_dask():
    assert isinstance(executor_for("--jobs", "1"), SerialExecutor)
    pool = executor_for("--jobs", "3")
    assert isinstance(pool, ProcessPool)
    assert pool.jobs == 3
    assert isinstance(make_executor(), SerialExecutor if available_cpus() == 1 else ProcessPool)
    local = executor_for("--cluster", "local", "--jobs", "2", "--cluster-option", "memory_limit=2GB")
    assert isinstance(local, DaskExecutor)
    assert (local.cluster, local.jobs, local.options) == ("local", 2, {"memory_limit": "2GB"})


REFUSED = {
    ("--scheduler", "tcp://head:8786"): "--scheduler tcp://head:8786 is without TLS: every user who can reach it, also on this "
    "machine, can run code on its workers; start it with TLS and give tls://head:8786 (docs/execution.md)",
    ("--scheduler", "tcp://127.0.0.1:8786"): "--scheduler tcp://127.0.0.1:8786 is without TLS: every user who can reach it, also on "
    "this machine, can run code on its workers; start it with TLS and give tls://127.0.0.1:8786 (docs/execution.md)",
    ("--scheduler", "tcp://[::1]:8786"): "--scheduler tcp://[::1]:8786 is without TLS: every user who can reach it, also on this "
    "machine, can run code on its workers; start it with TLS and give tls://[::1]:8786 (docs/execution.md)",
    ("--scheduler", "127.0.0.1:8786"): "--scheduler '127.0.0.1:8786' is not the address of a scheduler: give tls://HOST:PORT",
    ("--scheduler", "http://127.0.0.1:8786"): "--scheduler 'http://127.0.0.1:8786' is not the address of a scheduler: give "
    "tls://HOST:PORT",
    ("--scheduler", "tls://127.0.0.1:many"): "--scheduler 'tls://127.0.0.1:many' is not the address of a scheduler: give "
    "tls://HOST:PORT",
    ("--scheduler", "tls://head:8786"): "--scheduler tls://head:8786: TLS needs certificates: set distributed.comm.tls.ca-file, "
    "distributed.comm.tls.client.cert, distributed.comm.tls.client.key in Dask's configuration (docs/execution.md)",
    ("--scheduler", "tls://127.0.0.1:1", "--cluster", "local"): "give either --scheduler, for a running cluster, or --cluster, to "
    "start one",
    ("--scheduler", "127.0.0.1:1", "--cluster-option", "a=b"): "--scheduler '127.0.0.1:1' is not the address of a scheduler: give "
    "tls://HOST:PORT\n--cluster-option has no effect with --scheduler: leave it out",
    ("--cluster-option", "memory_limit=2GB"): "--cluster-option has no effect without --cluster: leave it out",
    ("--cluster", "local", "--cluster-option", "memory_limit"): "--cluster-option 'memory_limit': write KEY=VALUE",
    ("--cluster", "local", "--cluster-option", "memory_limt=a", "--cluster-option", "x=1"): "--cluster-option memory_limt: --cluster "
    "local has no such option; did you mean 'memory_limit'?\n--cluster-option x: --cluster local has no such option; there is only "
    "memory_limit",
}  # fmt: skip


@pytest.mark.parametrize("arguments", REFUSED)
def test_wrong_options_are_refused_with_a_correction(arguments):
    with dask.config.set(NO_CERTIFICATES):
        result = executor_for(*arguments)
    assert isinstance(result.exception, ValueError), result
    assert str(result.exception) == REFUSED[arguments]


@pytest.mark.parametrize("kind", ["ssh", "slurm", "k8s"])
def test_only_local_clusters_are_started(kind):
    assert executor_for("--cluster", kind).exit_code == 2
    with pytest.raises(ValueError, match=f"--cluster '{kind}': the only kind is 'local'"):
        make_executor(cluster=kind)


def test_the_options_import_nothing_heavy():
    code = (
        "import sys, handoff.cli.execution_options; "
        "print([m for m in ('dask', 'distributed', 'numpy', 'engine') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
