"""Schedulers with TLS, set up with the commands of docs/execution.md, and what they offer without the certificate."""

import json
import os
import subprocess
import sys

import pytest

dask_config = pytest.importorskip("dask.config")
pytest.importorskip("distributed")

from handoff.experiments.execution.factory import make_executor  # noqa: E402
from handoff.experiments.execution.task import SerialExecutor  # noqa: E402
from tests.unit.experiments.execution import intruder  # noqa: E402
from tests.unit.experiments.execution.dask_processes import (  # noqa: E402
    documented_command,
    listeners,
    make_certificates,
    read_address,
    start_process,
    stop_processes,
)
from tests.unit.experiments.execution.short_tasks import ROOT, make_tasks, tables_by_seed  # noqa: E402


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """Create the certificates of the page; return their folder and the settings of Dask that name them."""
    folder = tmp_path_factory.mktemp("tls")
    return folder, make_certificates(folder)


def attempts(folder, places):
    """Return what another program, with certificates of its own, receives from each of the addresses."""
    make_certificates(folder)
    done = subprocess.run([sys.executable, intruder.__file__, folder, *places], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def is_nothing(answer):
    """Return whether an answer has no contents: none at all, or that there is no such page."""
    head, _, _ = answer.partition("\r\n")
    return not answer or (head.startswith("HTTP/1.") and head.split()[1] == "404")


@pytest.mark.deep
def test_the_documented_scheduler_of_one_machine_runs_tasks_for_the_certificate_only(tmp_path, certificates):
    config, settings = certificates
    tasks, file = make_tasks(tmp_path, 10), tmp_path / "scheduler.json"
    words = [word.replace("8786", "0") for word in documented_command("scheduler", "127.0.0.1")]
    scheduler = start_process(tmp_path, "scheduler", *words, "--scheduler-file", file, config=config)
    worker = None
    try:
        address = read_address(file)
        assert address.startswith("tls://127.0.0.1:")
        words = [word.replace("tls://127.0.0.1:8786", address) for word in documented_command("worker", "127.0.0.1")]
        worker = start_process(tmp_path, "worker", *words, config=config)
        with dask_config.set(settings), make_executor(scheduler=address) as cluster:
            assert tables_by_seed(cluster.run(tasks)) == tables_by_seed(SerialExecutor().run(tasks))
        places = listeners(scheduler.pid, worker.pid)
        assert len(places) >= 2 + 4 * 2  # of the scheduler, and of four workers without their nannies
        assert [place for place in places if not place.startswith("127.0.0.1:")] == []
        (foreign := tmp_path / "foreign").mkdir()
        assert [answer for answer in attempts(foreign, places) if not is_nothing(answer[-1])] == []
    finally:
        stop_processes(*filter(None, (worker, scheduler)))


@pytest.mark.deep
def test_a_local_cluster_gives_nothing_without_its_certificate(tmp_path):
    with make_executor(1, cluster="local") as cluster:
        places = listeners(os.getpid())
        own = cluster._client.cluster
        known = [own.scheduler.address, *(address for n in own.workers.values() for address in (n.address, n.worker_address))]
        known = [address.removeprefix("tls://") for address in known]
        assert set(known) < set(places)
        assert [place for place in places if not place.startswith("127.0.0.1:")] == []
        assert [answer for answer in attempts(tmp_path, places) if not is_nothing(answer[-1])] == []
        context = own.security.get_connection_args("client")["ssl_context"]
        host, _, port = known[0].rpartition(":")
        assert intruder.receive(host, int(port), context, b""), "the certificate makes the difference"


PROGRAM = """
import os, signal, sys, threading
from pathlib import Path
from handoff.experiments.execution.factory import make_executor

if __name__ == "__main__":
    try:
        with make_executor(1, cluster="local") as cluster:
            folder = Path(os.environ["TMPDIR"])
            files = [path for path in folder.rglob("*") if path.is_file()]
            print([oct(path.stat().st_mode & 0o777) for path in folder.iterdir()])
            print([str(path) for path in files if b"PRIVATE KEY" in path.read_bytes()], flush=True)
            if sys.argv[1] == "ctrl-c":
                os.kill(os.getpid(), signal.SIGINT)
    except KeyboardInterrupt:
        pass
"""


@pytest.mark.deep
@pytest.mark.parametrize("how", ["end", "ctrl-c"])
def test_a_local_cluster_leaves_no_file_and_writes_no_key(tmp_path, how):
    (temporary := tmp_path / "tmp").mkdir()
    (program := tmp_path / "program.py").write_text(PROGRAM)
    python_path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": python_path}
    done = subprocess.run([sys.executable, program, how], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "['0o700']\n[]\n"), done.stderr
    assert list(temporary.iterdir()) == []


def test_a_scheduler_with_tls_is_accepted_if_the_certificates_are_configured(certificates):
    _, settings = certificates
    with dask_config.set(settings):
        assert make_executor(scheduler="tls://head:8786").address == "tls://head:8786"


@pytest.mark.parametrize(("name", "text"), [("client.key", None), ("ca-file", "no certificate")])
def test_unusable_certificates_are_an_error_of_one_line(tmp_path, certificates, name, text):
    _, settings = certificates
    file = tmp_path / "file.pem"
    if text is not None:
        file.write_text(text)
    message = "--scheduler tls://head:8786: the certificates in Dask's configuration cannot be used: [^\n]+$"
    with dask_config.set(settings), dask_config.set({f"distributed.comm.tls.{name}": str(file)}), pytest.raises(
        ValueError, match=message
    ):
        make_executor(scheduler="tls://head:8786")
