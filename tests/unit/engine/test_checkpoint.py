"""Checkpoints of an engine: complete, specific to the engine, protected against damage."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import Engine, Network
from engine._checkpoint import restore, save
from engine.checkpoint_file import CheckpointError, open_checkpoint, write_checkpoint
from engine.output_file import remove_file

HALF_MS = 5 * 10**8


def net(**changes: Any) -> Network:
    wanted = {"delay": "10ms", "size_bytes": 250, "moves": 10**12} | changes
    made = Network()
    for name in ("server", "ap", "next"):
        made.node(name)
    for name in ("ap", "next"):
        made.link("server", name, rate="1Mbit/s", delay=wanted["delay"], buffer_packets=100)
        made.cell(name, rate="2Mbit/s", delay="2ms", buffer_packets=20)
    phones = made.mobiles(20, home="ap")
    made.attach(phones, "ap", 0, wanted["moves"])
    made.set_local(["ap"] * 20, phones)
    made.cbr("server", phones, interval="20ms", size_bytes=wanted["size_bytes"])
    made.replay("server", phones, [0, 10**6, 10**9], [80, 90, wanted.get("recorded", 100)], period_ps=10**10)
    return made


def state(**options: Any) -> bytes:
    engine = Engine(net(), **options)
    engine.advance("500ms")
    file = io.BytesIO()
    save(engine, file)
    return file.getvalue()


def test_an_engine_resumes_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "state"
    with write_checkpoint(path, {"about": "a test"}) as file:
        file.write(state())
    engine = Engine(net(), window_ps=HALF_MS)
    with open_checkpoint(path) as (facts, found):
        restore(engine, found)
    assert facts == {"about": "a test"}
    assert engine.time_ps == 500 * 10**9
    engine.advance("1s")
    assert engine.result().fingerprint == Engine(net()).run("1s").fingerprint
    remove_file(path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("other", [{"delay": "11ms"}, {"size_bytes": 251}, {"moves": 10**12 + 1}, {"recorded": 101}])
def test_a_state_of_another_network_is_refused(other: dict[str, Any]) -> None:
    with pytest.raises(CheckpointError, match="the state is one of another network, other options or another version"):
        restore(Engine(net(**other)), io.BytesIO(state()))


@pytest.mark.parametrize("other", [{"seed": 2}, {"record": "packets"}, {"tunnel_limit": 3}, {"trace_links": ["ap>*"]}])
def test_a_state_of_other_options_is_refused(other: dict[str, Any]) -> None:
    with pytest.raises(CheckpointError, match="the state is one of another network, other options or another version"):
        restore(Engine(net(), **other), io.BytesIO(state()))


def test_a_state_is_restored_into_a_new_engine_only() -> None:
    engine = Engine(net())
    engine.advance(HALF_MS)
    with pytest.raises(ValueError, match="a state is put into a new engine"):
        restore(engine, io.BytesIO(state()))


def test_a_truncated_state_is_refused() -> None:
    whole = state()
    for length in [*range(0, 400, 40), *range(400, len(whole), len(whole) // 50), len(whole) - 1]:
        engine = Engine(net())
        with pytest.raises(CheckpointError, match="ends too early"):
            restore(engine, io.BytesIO(whole[:length]))
        with pytest.raises(ValueError, match="make a new one"):
            engine.advance(HALF_MS)


def test_damage_is_detected_before_the_state_is_read(tmp_path: Path) -> None:
    path = tmp_path / "state"
    with write_checkpoint(path, {}) as file:
        file.write(state())
    whole = path.read_bytes()
    dice = np.random.default_rng(1)
    for at in [0, 20, 21, 28, len(whole) - 1, *dice.integers(0, len(whole), 60).tolist()]:
        damaged = bytearray(whole)
        damaged[at] ^= 1 << int(dice.integers(8))
        _is_refused(path, bytes(damaged))
    for length in [0, 1, 21, 30, 60, len(whole) - 1]:
        _is_refused(path, whole[:length])
    _is_refused(path, whole + b"\0")
    path.write_bytes(whole)
    with open_checkpoint(path) as (_, file):
        restore(Engine(net()), file)


def _is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"state: (damaged: its content|not a checkpoint of)"), open_checkpoint(path):
        pass


def test_an_incomplete_write_keeps_the_previous_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "state"
    with write_checkpoint(path, {"number": 1}) as file:
        file.write(b"first")
    with pytest.raises(TypeError), write_checkpoint(path, {"number": 2}) as file:
        file.write("no bytes")  # type: ignore[arg-type]
    with open_checkpoint(path) as (facts, found):
        assert facts == {"number": 1}
        assert found.read(5) == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_a_result_can_be_read_again() -> None:
    """Reading a result drops expired buffered packets; a second reading gives the same records."""

    class Holds:
        def on_event(self, ctx: Any, event: Any) -> None:
            ctx.buffer(until_ps=300 * 10**9)

    made = net()
    made.schedule_event(100 * 10**9, 0, 1, node="ap")
    made.schedule_event(100 * 10**9, 1, 1, node="ap")
    engine = Engine(made, record="packets")
    engine.attach("ap", Holds())
    engine.advance(300 * 10**9 + 1)
    first, second = engine.result(), engine.result()
    assert first.fate_counts()["buffer timeout"] > 10
    assert first.fate_counts() == second.fate_counts()
    assert first.packets is not None
    assert second.packets is not None
    assert (first.packets["fate"] == 10).sum() == first.fate_counts()["buffer timeout"]
    assert {k: v.tolist() for k, v in first.packets.items()} == {k: v.tolist() for k, v in second.packets.items()}
