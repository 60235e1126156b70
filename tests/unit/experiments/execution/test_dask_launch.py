"""A scheduler with TLS, set up with the commands of docs/execution.md."""

import re
import subprocess

import pytest

dask_config = pytest.importorskip("dask.config")
pytest.importorskip("distributed")

from handoff.experiments.execution.factory import make_executor  # noqa: E402
from handoff.experiments.execution.task import SerialExecutor  # noqa: E402
from tests.unit.experiments.execution.dask_processes import read_address, start_process, stop_processes  # noqa: E402
from tests.unit.experiments.execution.short_tasks import ROOT, make_tasks, tables_by_seed  # noqa: E402

DOCUMENT = ROOT / "docs" / "execution.md"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """Create the certificates with the command of the page; return the settings of Dask that name them."""
    folder = tmp_path_factory.mktemp("tls")
    (command,) = re.findall(r"^ +(openssl req .*)$", DOCUMENT.read_text(), re.M)
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    cert, key = str(folder / "handoff.crt"), str(folder / "handoff.key")
    roles = ("scheduler", "worker", "client")
    parts = {f"{role}.{kind}": path for role in roles for kind, path in (("cert", cert), ("key", key))}
    return {"distributed.comm.require-encryption": True} | {
        f"distributed.comm.tls.{name}": path for name, path in {"ca-file": cert, **parts}.items()
    }


@pytest.mark.deep
def test_tasks_run_on_a_scheduler_with_tls(tmp_path, certificates):
    tasks, file = make_tasks(tmp_path, 10), tmp_path / "scheduler.json"
    names = {"--tls-ca-file": "ca-file", "--tls-cert": "client.cert", "--tls-key": "client.key"}
    files = [word for option, name in names.items() for word in (option, certificates[f"distributed.comm.tls.{name}"])]
    scheduler = start_process(tmp_path, "scheduler", "--host", "tls://127.0.0.1", "--port", 0, "--scheduler-file", file, *files)
    worker = start_process(tmp_path, "worker", "--scheduler-file", file, "--nthreads", 1, "--no-nanny", *files)
    try:
        address = read_address(file)
        assert address.startswith("tls://127.0.0.1:")
        with dask_config.set(certificates), make_executor(scheduler=address) as cluster:
            assert tables_by_seed(cluster.run(tasks)) == tables_by_seed(SerialExecutor().run(tasks))
    finally:
        stop_processes(worker, scheduler)


def test_a_scheduler_with_tls_is_accepted_if_the_certificates_are_configured(certificates):
    with dask_config.set(certificates):
        assert make_executor(scheduler="tls://head:8786").address == "tls://head:8786"
