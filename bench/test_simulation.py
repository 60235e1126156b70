"""Group *simulation*: whole workloads beside the peers; equal results first, then times."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench import compare, peers

MOBILES, SECONDS = 1000, 10


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder: Path = tmp_path_factory.mktemp("peers")
    return dict(compare.programs(folder))


@pytest.mark.parametrize("tunnel", [False, True], ids=["W1", "W2"])
@pytest.mark.parametrize("name", ["engine", "heap", "floor"])
def test_workload(benchmark: Any, programs: dict[str, Any], name: str, tunnel: bool) -> None:
    benchmark.group = f"simulation {'W2' if tunnel else 'W1'}"
    engine = programs["engine"](MOBILES, SECONDS, tunnel, 1)
    assert engine["delivered"] > 0.99 * MOBILES * SECONDS * 50
    assert compare.disagreement(engine, programs[name](MOBILES, SECONDS, tunnel, 1)) is None
    benchmark.pedantic(programs[name], args=(MOBILES, SECONDS, tunnel, 1), rounds=5)


def test_the_peers_refuse_what_they_do_not_know(tmp_path: Path) -> None:
    program = peers.build(peers.HERE / "heap.cpp", tmp_path)
    with pytest.raises(peers.subprocess.CalledProcessError):
        peers.run(program, mobile=1000)
