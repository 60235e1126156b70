"""The hops of a run, written as a capture slice by slice."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np

from engine import Hops, Network
from handoff.export.addresses import Addresses, too_many
from handoff.export.flows import Flows, too_short
from handoff.export.signalling import Signalling
from handoff.machine.messages import HOME_ADDRESS
from handoff.machine.places import Places
from handoff.machine.program import Program
from handoff_traces import CaptureWriter, Packets, wire

HOPS_IN_SLICE, HOPS_OF_PACKET = 500_000, 5
"""About how many hops of a run are written at once, and how many a packet has."""
Nonces = dict[tuple[int, int], dict[int, int]]
_TUNNELS_V4 = {"ipip": wire.IP_IN_IP, "minimal": wire.MINIMAL, "gre": wire.GRE}


def link_names(network: Network) -> list[str]:
    """Names of all links, downlinks and uplinks, as in ``Result.link_names``."""
    cells = [network.nodes[c.node].name for c in network.cells]
    return [link.name for link in network.links] + [f"{name}{side}*" for name in cells for side in "><"]


def matching_links(patterns: Sequence[str], names: Sequence[str]) -> list[str]:
    """Links whose names match one of the patterns (``*``, ``?`` and ``[…]`` as in a shell), sorted; all without any.

    Raises
    ------
    ValueError
        If a pattern matches no link.
    """
    problems, found = [], set()
    for pattern in patterns or ["*"]:
        matches = [name for name in names if fnmatchcase(name, pattern)]
        found.update(matches)
        if not matches:
            near = difflib.get_close_matches(pattern, names, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(names))}"
            problems.append(f"--pcap-links: no link matches {pattern!r}; {hint}")
    if problems:
        raise ValueError("\n".join(problems))
    return sorted(found)


class Recorder:
    """Takes the hops of one run and writes them; use it in a ``with`` block.

    Parameters
    ----------
    path : Path
        Of the capture; what is there is replaced when the block ends well.
    links : sequence of str
        Links to write, each an interface.
    snap_length : int
        Most bytes kept of a packet; 0 keeps all.
    comment : str
        Provenance.
    packets : int
        About how many packets the flows send.
    network : Network
    program : Program
    places : Places
    kept : tuple or None
        ``state()`` of an earlier one of the same run, whose capture is gone on with.

    Attributes
    ----------
    hops : list of str
        Links that the engine has to record: where correspondents test addresses all, since an acknowledgement is authenticated
        with what the update before it says.
    slices : int
        Into how many slices the run is to be cut.

    Raises
    ------
    ValueError
        If the network has more than the address plan, or packets that are shorter than an IP header; or the capture to go on
        with is gone.
    OSError
        If the file cannot be written.
    """

    def __init__(
        self, path: Path, links: Sequence[str], snap_length: int, comment: str, packets: int, network: Network, program: Program,
        places: Places, kept: tuple[int, Nonces] | None = None,
    ) -> None:
        self.ip, self.nodes = program.row.ip, len(network.nodes)
        if wrong := too_many(self.ip, self.nodes, network.mobile_count) + too_short(network, self.ip):
            raise ValueError("\n".join(wrong))
        self.addresses = Addresses(places, self.nodes, network.mobile_count)
        self.flows = Flows(network, self.addresses)
        self.signalling = Signalling(program, places, self.addresses)
        self._tunnel = _TUNNELS_V4[program.options.encapsulation]
        names = link_names(network)
        self.slices = packets * HOPS_OF_PACKET // HOPS_IN_SLICE
        self.hops = names if program.routability else list(links)
        self._interface = np.full(len(names), -1, np.int64)
        for i, name in enumerate(links):
            self._interface[names.index(name)] = i
        self.writer = CaptureWriter(
            path, ip=self.ip, interfaces=links, addresses=self.addresses.table, flows=self.flows.headers,
            snap_length=snap_length, comment=comment,
            names=self.addresses.names(network),
            resume_at=None if kept is None else kept[0],
        )  # fmt: skip
        self._named = kept is not None  # by a checkpoint: what has been written is needed
        if kept is not None:
            self.signalling.nonces = kept[1]

    def state(self) -> tuple[int, Nonces]:
        """What a later one needs to go on behind what has been written, which is on the disk then."""
        self._named = True
        return self.writer.sync(), self.signalling.nonces

    def write(self, hops: Hops) -> None:
        """Write the hops of a slice."""
        rows = hops.rows
        packets = [
            self.signalling.packet(tuple(args), mobile)
            for args, mobile in zip(hops.messages["args"].tolist(), rows["mobile"][rows["message"] >= 0].tolist(), strict=True)
        ]
        interface = self._interface[rows["link"]]
        rows = rows[interface >= 0]
        data = rows["message"] < 0
        sequence, acknowledgement = np.zeros((2, len(rows)), np.uint32)
        sequence[data], acknowledgement[data] = self.flows.tcp_numbers(rows["flow"][data], rows["seq"][data])
        self.writer.write(
            Packets(
                rows["start_ps"] // 1000,
                interface[interface >= 0].astype(np.uint32),
                np.where(data, rows["flow"], -1 - rows["message"].astype(np.int64)),
                rows["size_bytes"].astype(np.uint32),
                np.where(data, rows["seq"], 0).astype(np.uint32),
                sequence,
                acknowledgement,
                self._tunnels(rows),
                packets,
            )
        )

    def _tunnels(self, rows: np.ndarray[tuple[int], np.dtype[np.void]]) -> np.ndarray[tuple[int, int, int], np.dtype[np.int32]]:
        """Kind, source, prefix and host of each tunnel as the writer wants them."""
        around = rows["tunnels"]
        made = np.zeros((len(rows), 4, 4), np.int32)
        on = np.arange(4) < rows["depth"][:, None]
        if self.ip == 4:
            made[:, :, 0] = on * self._tunnel
        else:
            made[:, :, 0] = on * np.where(around["bytes"] == HOME_ADDRESS, wire.ROUTING_HEADER, wire.IP_IN_IP)
        made[:, :, 1], made[:, :, 2] = around["source"], around["target"]
        mobile = self.nodes + rows["mobile"][:, None].astype(np.int64)
        made[:, :, 3] = np.where((around["end"] == 1) & (self.ip == 6), mobile, around["target"])
        return made

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is None:
            self.writer.finish()
        elif not self._named:
            self.writer.abandon()
