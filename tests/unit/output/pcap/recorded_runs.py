"""Runs of small random networks with a capture of every link, and the engine's trace of the same links."""

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
from handoff.protocol.program import compile_program
from handoff.protocol.roles import RoleResolver
from handoff.protocol.setup import CorrespondentTable, Setup
from handoff.simulation.baseline import ZERO_BYTES
from handoff.simulation.run import RunResult, run_procedure
from tests.conformance.random_towns import MS, Town

CASES = [(name, profile) for name in PROCEDURES for profile in ("patent", "rfc")]
CONVERSATIONS = {
    "tcp 10.0.1.2:80 10.0.2.2:40000": ([0, 3, 9, 12], [60, 52, 1500, 700]),
    "udp 10.0.1.3:5004 10.0.2.2:5004": ([0, 5], [200, 44]),
    "udp 10.0.1.4:5004 10.0.2.2:5004": ([1], [212]),
    "icmp 10.0.1.2 10.0.2.2": ([2], [84]),
    "50 10.0.1.2 10.0.2.2": ([4], [90]),
}
"""Recorded flows: times in ms, sizes in bytes."""


class TracingRecorder(Recorder):
    """Recorder that also keeps the trace."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.trace = empty_trace()

    def write(self, hops: LinkTrace) -> None:
        super().write(hops)
        self.trace = self.trace.concat(hops)


@dataclass
class Recorded:
    """Run with its capture."""

    setup: Setup
    run: RunResult
    hops: LinkTrace
    recorder: TracingRecorder
    links: list[str]
    path: Path


def setup_of(number: int, profile: str, **options: Any) -> Setup:
    """Return a random town with calls and some replayed conversations. ``options`` replace the random ones."""
    setup = Town(wild=True, mobiles=4, moving_ms=3_500, until_ms=4_000, calls=True).setup(number)
    for label, (times, sizes) in CONVERSATIONS.items():
        for up in (False, True):
            start = (up + 20 * np.arange(4)) * MS
            setup.network.replay(
                "cn", np.arange(4), [t * MS for t in times], sizes, period_ps=60 * MS, start_ps=start, up=up, label=label
            )
    options = {"care_of_address": "agent"} | options  # captures have no co-located addresses
    return replace(setup, options=replace(setup.options, profile=profile, **options))


def record(
    setup: Setup, procedure: str, path: Path, seed: int = 1, snap: int | None = None, links: list[str] | None = None
) -> Recorded:
    chosen, recorders = sorted(links or setup.network.link_names()), []

    def recorder(*run: Any) -> TracingRecorder:
        recorders.append(TracingRecorder(path, chosen, snap, "of a test", 0, *run))
        return recorders[0]

    run = run_procedure(setup, procedure, seed=seed, reference=ZERO_BYTES, record=recorder)
    return Recorded(setup, run, recorders[0].trace, recorders[0], chosen, path)


def roles_of(setup: Setup, procedure: str) -> RoleResolver:
    """Return the roles of a run."""
    return RoleResolver(setup, compile_program(setup, procedure), CorrespondentTable(setup.network), 1)


def messages_of(recorded: Recorded) -> Iterator[tuple[str, str]]:
    """Yield link and kind of message of each control packet in the trace."""
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
    """Return the packets of a pcapng file whose blocks are all little-endian."""
    data, at, packets = path.read_bytes(), 0, []
    while at < len(data):
        kind, total = struct.unpack_from("<2I", data, at)
        if kind == 6:
            interface, high, low, captured, length = struct.unpack_from("<5I", data, at + 8)
            packets.append(Frame(interface, high << 32 | low, length, data[at + 28 : at + 28 + captured]))
        at += total
    return packets
