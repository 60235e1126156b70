"""Runs of small towns with every link recorded: the capture, and what the engine says that is in it."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from engine import LinkTrace
from engine.link_trace import empty_trace
from handoff.output.pcap.recorder import Recorder
from handoff.protocol.procedures import PROCEDURES
from handoff.protocol.setup import Setup
from handoff.simulation.baseline import ZERO_BYTES
from handoff.simulation.run import RunResult, compile_program, run_procedure
from tests.conformance.town import MS, Town

CASES = [(name, profile) for name in PROCEDURES for profile in ("patent", "rfc")]
CONVERSATIONS = {
    "tcp 10.0.1.2:80 10.0.2.2:40000": ([0, 3, 9, 12], [60, 52, 1500, 700]),
    "udp 10.0.1.3:5004 10.0.2.2:5004": ([0, 5], [200, 44]),
    "udp 10.0.1.4:5004 10.0.2.2:5004": ([1], [212]),
    "icmp 10.0.1.2 10.0.2.2": ([2], [84]),
    "50 10.0.1.2 10.0.2.2": ([4], [90]),
}
"""Flows as captures give them: times in ms, sizes."""


class Kept(Recorder):
    """A recorder that keeps what it was given."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.taken = empty_trace()

    def write(self, hops: LinkTrace) -> None:
        super().write(hops)
        self.taken = self.taken.concat(hops)


@dataclass
class Recorded:
    """One run and its capture."""

    setup: Setup
    run: RunResult
    hops: LinkTrace
    recorder: Kept
    links: list[str]
    path: Path


def setup_of(number: int, profile: str, **options: Any) -> Setup:
    """A wild town, with some replayed conversations; ``options`` instead of what the town has drawn."""
    setup = Town(wild=True, mobiles=4, moving_ms=2_000, until_ms=2_400).setup(number)
    for label, (times, sizes) in CONVERSATIONS.items():
        for up in (False, True):
            start = (up + 20 * np.arange(4)) * MS
            setup.network.replay(
                "cn", np.arange(4), [t * MS for t in times], sizes, period_ps=60 * MS, start_ps=start, up=up, label=label
            )
    return replace(setup, options=replace(setup.options, profile=profile, **options))


def record(setup: Setup, procedure: str, path: Path, seed: int = 1, snap: int = 0, links: list[str] | None = None) -> Recorded:
    chosen, made = sorted(links or setup.network.link_names()), []

    def recorder(*run: Any) -> Kept:
        made.append(Kept(path, chosen, snap, "of a test", 0, *run))
        return made[0]

    run = run_procedure(setup, procedure, seed=seed, reference=ZERO_BYTES, record=recorder)
    return Recorded(setup, run, made[0].taken, made[0], chosen, path)


def messages_of(recorded: Recorded) -> Iterator[tuple[str, str]]:
    """Link, and kind of message, of each control packet in the record."""
    program = compile_program(recorded.setup, recorded.run.procedure)
    rows, names = recorded.hops.rows, recorded.run.result.link_names
    for row in rows[rows["message"] >= 0]:
        yield names[row["link"]], program.steps[int(recorded.hops.messages["args"][row["message"], 0]) & 0xFFFF].kind


class Frame(NamedTuple):
    interface: int
    time_ns: int
    length: int
    bytes: bytes


def frames(path: Path) -> list[Frame]:
    """The packets of a capture as our writer writes them."""
    data, at, found = path.read_bytes(), 0, []
    while at < len(data):
        kind, total = struct.unpack_from("<2I", data, at)
        if kind == 6:
            interface, high, low, kept, length = struct.unpack_from("<5I", data, at + 8)
            found.append(Frame(interface, high << 32 | low, length, data[at + 28 : at + 28 + kept]))
        at += total
    return found
