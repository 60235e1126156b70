"""Who does the tasks, as the command line says; addresses that are refused."""

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


def command(*arguments):
    """What an execution command makes of its options."""
    found = []

    @click.command()
    @execution_options
    def many(begin):
        found.append(begin())

    result = CliRunner().invoke(many, arguments, catch_exceptions=True)
    return found[0] if found else result


def test_this_process_a_pool_or_a_cluster():
    assert isinstance(command("--jobs", "1"), SerialExecutor)
    pool = command("--jobs", "3")
    assert isinstance(pool, ProcessPool)
    assert pool.jobs == 3
    assert isinstance(make_executor(), SerialExecutor if available_cpus() == 1 else ProcessPool)
    local = command("--cluster", "local", "--jobs", "2", "--cluster-option", "memory_limit=2GB")
    assert isinstance(local, DaskExecutor)
    assert (local.kind, local.jobs, local.options) == ("local", 2, {"memory_limit": "2GB"})
    assert command("--scheduler", "tcp://127.0.0.1:8786").address == "tcp://127.0.0.1:8786"


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:8786", "tcp://127.8.9.1:1", "tcp://[::1]:8786", "tcp://localhost:8786"])
def test_this_machine_needs_no_certificates(address):
    assert DaskExecutor(address).address == address


WRONG = {
    ("--scheduler", "tcp://head:8786"): "--scheduler tcp://head:8786 is another machine without TLS: give tls://head:8786, or use "
    "a tunnel: ssh -L 8786:127.0.0.1:8786 head, then --scheduler tcp://127.0.0.1:8786",
    ("--scheduler", "tcp://10.0.0.1:8786"): "--scheduler tcp://10.0.0.1:8786 is another machine without TLS: give "
    "tls://10.0.0.1:8786, or use a tunnel: ssh -L 8786:127.0.0.1:8786 10.0.0.1, then --scheduler tcp://127.0.0.1:8786",
    ("--scheduler", "tcp://127.0.0.1.example.org:8786"): "--scheduler tcp://127.0.0.1.example.org:8786 is another machine without "
    "TLS: give tls://127.0.0.1.example.org:8786, or use a tunnel: ssh -L 8786:127.0.0.1:8786 127.0.0.1.example.org, then "
    "--scheduler tcp://127.0.0.1:8786",
    ("--scheduler", "127.0.0.1:8786"): "--scheduler '127.0.0.1:8786' is not the address of a scheduler: give tls://HOST:PORT, or on "
    "this machine tcp://127.0.0.1:PORT",
    ("--scheduler", "http://127.0.0.1:8786"): "--scheduler 'http://127.0.0.1:8786' is not the address of a scheduler: give "
    "tls://HOST:PORT, or on this machine tcp://127.0.0.1:PORT",
    ("--scheduler", "tcp://127.0.0.1:many"): "--scheduler 'tcp://127.0.0.1:many' is not the address of a scheduler: give "
    "tls://HOST:PORT, or on this machine tcp://127.0.0.1:PORT",
    ("--scheduler", "tls://head:8786"): "--scheduler tls://head:8786: TLS needs certificates: set distributed.comm.tls.ca-file, "
    "distributed.comm.tls.client.cert, distributed.comm.tls.client.key in Dask's configuration (docs/execution.md)",
    ("--scheduler", "tcp://127.0.0.1:1", "--cluster", "local"): "give either --scheduler, for a cluster that runs, or --cluster, for "
    "one to begin",
    ("--scheduler", "tcp://127.0.0.1:1", "--cluster-option", "a=b"): "--cluster-option means nothing with --scheduler: leave it out",
    ("--cluster-option", "queue=short"): "--cluster-option means nothing without --cluster: leave it out",
    ("--cluster", "slurm", "--cluster-option", "queue"): "--cluster-option 'queue': write KEY=VALUE",
    ("--cluster", "slurm", "--cluster-option", "qeue=a"): "--cluster-option qeue: --cluster slurm has none of this name; did you mean "
    "'queue'?\n--cluster slurm needs --cluster-option memory=…: of a job, as in 4GB",
    ("--cluster", "local", "--cluster-option", "x=1"): "--cluster-option x: --cluster local has none of this name; there are "
    "memory_limit",
    ("--cluster", "ssh", "--cluster-option", "hosts=one", "--cluster-option", "port=x"): "--cluster-option hosts: give the "
    "scheduler's host and at least one for workers; they may be the same\n--cluster-option port: 'x' is not a number\n"
    "--cluster ssh: TLS needs certificates: set distributed.comm.tls.ca-file, distributed.comm.tls.client.cert, "
    "distributed.comm.tls.client.key in Dask's configuration (docs/execution.md)",
}  # fmt: skip


@pytest.mark.parametrize("arguments", WRONG)
def test_what_is_refused_and_what_would_be_right(arguments):
    with dask.config.set(NO_CERTIFICATES):
        result = command(*arguments)
    assert isinstance(result.exception, ValueError), result
    assert str(result.exception) == WRONG[arguments]


def test_a_kind_of_cluster_that_there_is_not_is_refused_by_the_command_line():
    assert command("--cluster", "k8s").exit_code == 2
    with pytest.raises(ValueError, match="--cluster 'k8s' is not one of local, ssh, slurm"):
        make_executor(cluster="k8s")


def test_help_imports_nothing_heavy():
    code = "import sys, handoff.cli.execution_options; print([m for m in ('dask', 'distributed', 'numpy', 'engine') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
