"""``handoff view`` as a process: a real server on this machine only, and its end by Ctrl-C."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.cli.test_report import LOG, SCENARIO
from tests.cli.test_view import compare, invoke

PROGRAM = "from handoff.cli.main import main; main()"


@pytest.fixture
def study(tmp_path, monkeypatch):
    """Present folder, with a study in ``out``."""
    (tmp_path / "walk.toml").write_text(SCENARIO)
    (tmp_path / "walk.csv").write_text(LOG)
    monkeypatch.chdir(tmp_path)
    return compare(tmp_path)


def test_a_port_in_use_is_named(study):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = invoke("view", "out", "--no-open", "--port", port)
    assert done.exit_code == 2
    assert done.stderr == f"--port {port}: Address already in use: give another port, or none for a free one\n"


def listening(pid):
    """Return address and port, in hexadecimal, of each socket on which a process listens."""
    inodes = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
    tables = [Path(f"/proc/{pid}/net/{name}").read_text() for name in ("tcp", "tcp6")]
    rows = [line.split() for table in tables for line in table.splitlines()[1:]]
    return [row[1] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in inodes]


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.deep)])
def test_a_real_server_listens_on_this_machine_only_and_ends_quietly(study, number):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(p or os.getcwd() for p in sys.path)}
    words = [sys.executable, "-c", PROGRAM, "view", "out", "--no-open"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            url = process.stdout.readline().strip()
            base, port = re.fullmatch(r"(http://127\.0\.0\.1:(\d+))/\?token=[\w-]{43}", url).groups()
            opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
            with opener.open(url, timeout=60) as answer:
                assert answer.status == 200
                assert "Handoff report" in answer.read().decode()
            with opener.open(f"{base}/handoff?row=0", timeout=60) as answer:
                assert "<img" in answer.read().decode()
            refused = [
                (f"{base}/?token=x", {}, None, 403), (f"{base}/", {}, None, 403), (url, {"Host": "evil.example"}, None, 403),
                (url, {}, b"x=1", 405),
            ]  # fmt: skip
            for address, headers, data, status in refused:
                with pytest.raises(urllib.error.HTTPError) as error:
                    urllib.request.urlopen(urllib.request.Request(address, data, headers), timeout=60)
                assert error.value.code == status
                error.value.close()
            with pytest.raises(urllib.error.HTTPError) as error:
                opener.open(f"{base}/../walk.toml", timeout=60)
            assert error.value.code == 404
            error.value.close()
            if os.path.exists("/proc/self/net/tcp"):
                assert listening(process.pid) == [f"0100007F:{int(port):04X}"]
            process.send_signal(number)
            output, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 128 + number
    assert output == ""
    assert errors == "handoff: the address works on this machine only; end with Ctrl-C\n"
