"""Recorder of a run: writes the packets on the links as a capture, slice by slice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine import LinkTrace, Network
from engine.output_file import NewFile, named_errors
from engine.similar_names import name_hint
from handoff.output.pcap.address_plan import AddressPlan, address_plan_errors
from handoff.output.pcap.control_packets import ControlPacketEncoder
from handoff.output.pcap.flow_headers import FlowHeaderTable, short_packet_errors
from handoff.protocol.message_formats import FORMATS
from handoff.protocol.messages import HOME_ADDRESS, STEP_HOP_MASK
from handoff.protocol.mixture import Mixture
from handoff.protocol.program import Program
from handoff.protocol.roles import RoleResolver
from handoff_traces import CaptureWriter, Packets, wire

HOPS_PER_SLICE = 500_000
"""Approximate number of packet-hops that are written at once."""
HOPS_PER_PACKET = 5
"""Estimate of the number of links on the path of a packet."""
DATA_UP = 1
"""Kind of a row of the link trace: data from a mobile node."""
MAX_TUNNELS = 4
"""Nested tunnels that a row of the link trace holds."""
Nonces = dict[tuple[int, int], dict[int, int]]
_TUNNELS_V4 = {"ipip": wire.IP_IN_IP, "minimal": wire.MINIMAL, "gre": wire.GRE}


def _gtp_forms(program: Program) -> npt.NDArray[np.int32]:
    """Return the form of GTP-U for each number of header bytes: 36 in LTE, 44 with one extension header, 48 with two."""
    is_nr = any(FORMATS[step.step.format].family == "nr" for step in program.steps if step.step.format)
    forms = np.zeros(256, np.int32)
    forms[44] = wire.SESSION_CONTAINER if is_nr else wire.PDCP_NUMBER
    forms[48] = wire.SESSION_CONTAINER | wire.PDCP_NUMBER
    return forms


def matching_links(patterns: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return the names that match one of the patterns, sorted; without patterns, return all names.

    Patterns have ``*``, ``?`` and ``[…]`` as in a shell.

    Raises
    ------
    ValueError
        If a pattern matches no link.
    """
    problems: list[str] = []
    links: set[str] = set()
    for pattern in patterns or ["*"]:
        matches = [name for name in names if fnmatchcase(name, pattern)]
        links.update(matches)
        if not matches:
            problems.append(f"--pcap-links: no link matches {pattern!r}; {name_hint(pattern, sorted(names))}")
    if problems:
        raise ValueError("\n".join(problems))
    return sorted(links)


class Recorder:
    """Writer of the packets of one run, used in a ``with`` block.

    Parameters
    ----------
    path : Path
        File of the capture. An older file is replaced when the block ends without an error.
    links : sequence of str
        Links to write. Each one is an interface of the capture.
    snap_length : int or None
        Maximum number of bytes written of a packet; None writes whole packets.
    comment : str
        Provenance of the capture.
    packets : int
        Approximate number of packets that the flows send.
    network : Network
        Network of the run.
    program : Program
        Steps of the procedure. A mixture is refused.
    roles : RoleResolver
        Roles of the run.
    saved_state : tuple or None
        ``state()`` of an earlier recorder of the same run, whose capture this one continues.
    on_failure : callable or None
        Called with the error if the capture cannot be written, after which the run continues without it. None raises the error,
        and so does a recorder whose state is in a checkpoint: the run can be resumed.

    Attributes
    ----------
    hops : list of str
        Links that the engine has to trace. With return routability these are all links, since the authentication of an
        acknowledgement depends on the update before it.
    slices : int
        Minimum number of slices of the run.

    Raises
    ------
    ValueError
        If the program is a mixture or has co-located care-of addresses, the network has more nodes than the address plan has
        addresses, packets are shorter than an IP header, or the capture to continue is missing.
    OSError
        If the file cannot be written.
    """

    def __init__(
        self, path: Path, links: Sequence[str], snap_length: int | None, comment: str, packets: int, network: Network,
        program: Program | Mixture, roles: RoleResolver, saved_state: tuple[int, Nonces] | None = None,
        on_failure: Callable[[OSError], None] | None = None,
    ) -> None:  # fmt: skip
        if isinstance(program, Mixture):
            raise ValueError("a capture has the messages of one procedure, and not of a mixture")
        self.ip, self.nodes = program.procedure.ip, len(network.nodes)
        if self.ip == 4 and program.options.care_of_address != "agent":
            raise ValueError("captures have no co-located care-of addresses: leave out --pcap or options.care_of_address")
        if errors := address_plan_errors(self.ip, self.nodes, network.mobile_count) + short_packet_errors(network, self.ip):
            raise ValueError("\n".join(errors))
        self.addresses = AddressPlan(roles, self.nodes, network.mobile_count)
        self.flows = FlowHeaderTable(network, self.addresses)
        self.control_packets = ControlPacketEncoder(program, roles, self.addresses)
        self._tunnel = _TUNNELS_V4[program.options.encapsulation]
        self._gtp_forms = _gtp_forms(program) if program.procedure.tunnel == "gtp-u" else None
        self._anchor = roles.home_agent
        names = network.link_names()
        self.slices = packets * HOPS_PER_PACKET // HOPS_PER_SLICE
        self.trace_links = names if program.return_routability else list(links)
        self._interface = np.full(len(names), -1, np.int64)
        for i, name in enumerate(links):
            self._interface[names.index(name)] = i
        resume_at = None if saved_state is None else saved_state[0]
        self.file = NewFile(path, resume_at=resume_at)
        self.writer = CaptureWriter(
            self.file.file, ip=self.ip, interfaces=links, addresses=self.addresses.table, flows=self.flows.headers,
            snap_length=snap_length, comment=comment,
            names=self.addresses.names(network),
            resume_at=resume_at,
        )  # fmt: skip
        self._on_failure, self._has_failed = on_failure, False
        self._in_checkpoint = saved_state is not None  # then the partial capture stays if the run fails
        if saved_state is not None:
            self.control_packets.nonces = saved_state[1]

    def state(self) -> tuple[int, Nonces]:
        """Flush the capture to the disk and return the state with which a later recorder continues it."""
        self._in_checkpoint = True
        with named_errors(self.file.path):
            return self.writer.sync(), self.control_packets.nonces

    def write(self, trace: LinkTrace) -> None:
        """Write the packets of a slice."""
        if self._has_failed:
            return
        rows = trace.rows
        is_background = trace.messages["args"][:, 0] == STEP_HOP_MASK
        packets = [
            b"" if args[0] == STEP_HOP_MASK else self.control_packets.packet(tuple(args), mobile)
            for args, mobile in zip(trace.messages["args"].tolist(), rows["mobile"][rows["message"] >= 0].tolist(), strict=True)
        ]
        interface = self._interface[rows["link"]]
        if is_background.any():  # such a message has no contents
            interface = np.where((rows["message"] >= 0) & is_background[rows["message"]], -1, interface)
        rows = rows[interface >= 0]
        data = rows["message"] < 0
        sequence, acknowledgement = np.zeros((2, len(rows)), np.uint32)
        sequence[data], acknowledgement[data] = self.flows.tcp_numbers(rows["flow"][data], rows["seq"][data])
        columns = Packets(
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
        with self._failures():
            self.writer.write(columns)

    @contextmanager
    def _failures(self) -> Iterator[None]:
        # After a failure the remaining packets are not written, and neither is the capture.
        try:
            with named_errors(self.file.path):
                yield
        except OSError as error:
            if self._on_failure is None or self._in_checkpoint:
                raise
            if not self._has_failed:
                self._has_failed = True
                self._on_failure(error)

    def _tunnels(self, rows: np.ndarray[tuple[int], np.dtype[np.void]]) -> np.ndarray[tuple[int, int, int], np.dtype[np.int32]]:
        """Return kind, source, prefix and host of each tunnel of each packet, as the capture writer expects them."""
        traced = rows["tunnels"]
        has_header = (np.arange(MAX_TUNNELS) < rows["depth"][:, None]) & (traced["bytes"] > 0)  # a hand-over on a link has none
        traced = np.take_along_axis(traced, np.argsort(~has_header, axis=1, kind="stable"), axis=1)
        tunnels = np.zeros((len(rows), MAX_TUNNELS, 4), np.int32)
        used = np.arange(MAX_TUNNELS) < has_header.sum(1)[:, None]
        if self._gtp_forms is not None:
            forms = self._gtp_forms[traced["bytes"]]
            tunnels[:, :, 0] = used * (wire.GTP_U + forms + (rows["kind"] == DATA_UP)[:, None] * wire.UPLINK)
        elif self.ip == 4:
            tunnels[:, :, 0] = used * self._tunnel
        else:
            tunnels[:, :, 0] = used * np.where(traced["bytes"] == HOME_ADDRESS, wire.ROUTING_HEADER, wire.IP_IN_IP)
        tunnels[:, :, 1], tunnels[:, :, 2] = traced["source"], traced["target"]
        mobile = self.nodes + rows["mobile"][:, None].astype(np.int64)
        if self._gtp_forms is not None:
            # PDCP numbers are those of forwarded packets, which the anchor relays in indirect forwarding
            forwards = ((traced["source"] != self._anchor) | (forms & wire.PDCP_NUMBER > 0)).astype(np.int64)
            identifiers = self.addresses.tunnel_identifier(mobile - self.nodes, traced["target"].astype(np.int64), forwards)
            tunnels[:, :, 3] = identifiers.astype(np.uint32).view(np.int32)
        else:
            tunnels[:, :, 3] = np.where((traced["end"] == 1) & (self.ip == 6), mobile, traced["target"])
        return tunnels

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        try:
            if kind is None and not self._has_failed:
                with self._failures():
                    self.writer.sync()
                    self.file.commit()
        finally:
            if self._in_checkpoint:
                self.file.keep()
            else:
                self.file.discard()
