"""Clusters on other machines, as far as one can stand for them: TLS with the certificates of docs/execution.md, Slurm."""

import gc
import os
import re
import subprocess
from pathlib import Path

import dask.config
import pytest

from handoff.experiments.execution.factory import make_executor
from handoff.experiments.execution.task import SerialExecutor
from tests.batch.points import tasks, told
from tests.batch.test_cluster import address_in, begun

DOCUMENT = Path(__file__).parents[2] / "docs" / "execution.md"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """Made by the command of the page; as Dask's configuration wants them."""
    folder = tmp_path_factory.mktemp("tls")
    (command,) = re.findall(r"^ +(openssl req .*)$", DOCUMENT.read_text(), re.M)
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    cert, key = str(folder / "handoff.crt"), str(folder / "handoff.key")
    roles = ("scheduler", "worker", "client")
    parts = {f"{role}.{kind}": path for role in roles for kind, path in (("cert", cert), ("key", key))}
    return {"distributed.comm.require-encryption": True} | {
        f"distributed.comm.tls.{name}": path for name, path in {"ca-file": cert, **parts}.items()
    }


def test_a_scheduler_with_tls(tmp_path, certificates):
    asked, file = tasks(tmp_path, 10), tmp_path / "scheduler.json"
    names = {"--tls-ca-file": "ca-file", "--tls-cert": "client.cert", "--tls-key": "client.key"}
    files = [word for option, name in names.items() for word in (option, certificates[f"distributed.comm.tls.{name}"])]
    scheduler = begun(tmp_path, "scheduler", "--host", "tls://127.0.0.1", "--port", 0, "--scheduler-file", file, *files)
    worker = begun(tmp_path, "worker", "--scheduler-file", file, "--nthreads", 1, "--no-nanny", *files)
    try:
        address = address_in(file)
        assert address.startswith("tls://127.0.0.1:")
        with dask.config.set(certificates), make_executor(scheduler=address) as cluster:
            assert told(cluster.run(asked)) == told(SerialExecutor().run(asked))
    finally:
        for process in (worker, scheduler):
            process.kill()
            process.wait()


SBATCH = """#!/bin/sh
for script; do :; done  # the last argument
cp "$script" "$JOBS/script"  # the one given is gone as soon as this ends
sh "$JOBS/script" > "$JOBS/log" 2>&1 &
echo $! > "$JOBS/pid"
echo "Submitted batch job 1"
"""


@pytest.mark.filterwarnings("ignore:unclosed file .*dask-jobqueue.worker:ResourceWarning")  # of the certificates, left to Python
def test_slurm_jobs_come_with_certificates_of_their_own(tmp_path, monkeypatch):
    """Slurm's commands stand in a folder: ``sbatch`` begins a job's script at once."""
    bin_, jobs = tmp_path / "bin", tmp_path / "jobs"
    bin_.mkdir()
    jobs.mkdir()
    for name, text in (("sbatch", SBATCH), ("scancel", "#!/bin/sh\nkill $(cat $JOBS/pid)\n")):
        (bin_ / name).write_text(text)
        (bin_ / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_}:{os.environ['PATH']}")
    monkeypatch.setenv("JOBS", str(jobs))
    asked = tasks(tmp_path, 10)
    options = {"queue": "short", "memory": "1GB", "walltime": "00:10:00", "interface": "lo"}
    options["shared_temp_directory"] = str(tmp_path)
    with make_executor(1, cluster="slurm", options=options) as cluster:
        assert cluster.address.startswith("tls://")
        assert told(cluster.run(asked)) == told(SerialExecutor().run(asked))
    del cluster
    gc.collect()  # what is left open is found now, where it is expected
    script = (jobs / "script").read_text()
    assert "#SBATCH -p short\n" in script
    assert "#SBATCH -t 00:10:00\n" in script
    assert "--tls-ca-file" in script
    assert "--nthreads 1" in script
