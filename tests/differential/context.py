"""Interface of the oracle for controllers, equal to ``engine.Event`` and ``engine.Context``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.quantities import FOREVER
from engine.results import Fate

from .draws import mix2
from .fifo import Packet
from .paths import CONTROLLERS, unit_of
from .table import CareOf, Hold, Local, Tunnel

if TYPE_CHECKING:
    from .oracle import Oracle

SCHEDULED, TIMER, MESSAGE, REFUSED = 0, 1, 2, 3


@dataclass(frozen=True)
class Event:
    time_ps: int
    node: int
    mobile: int
    kind: int
    code: int
    source: int = -1
    via: int = -1
    args: tuple[int, ...] = (0, 0, 0, 0, 0, 0)


class Context:
    """Actions for the mobile of the current event; they take effect immediately."""

    def __init__(self, oracle: Oracle, event: Event) -> None:
        self._oracle = oracle
        self.fate = Fate.DELIVERED
        self.time_ps, self.node, self.mobile = event.time_ps, event.node, event.mobile

    def send(
        self, code: int, to: int, *, size_bytes: int, args: Sequence[int] = (), for_mobile: bool = False, via: int = -1,
        radio: bool = False, like_data: bool = False, hostile: bool = False,
    ) -> None:  # fmt: skip
        oracle, t, mobile_key = self._oracle, self.time_ps, self._oracle.mobile_keys[self.mobile]
        sender = mobile_key if self.node < 0 else oracle.node_keys[self.node]
        count = oracle.messages_sent[self.node, self.mobile]
        oracle.messages_sent[self.node, self.mobile] += 1
        six = tuple(args) + (0,) * (6 - len(args))
        packet_key = mix2(mix2(sender, mobile_key), count)
        packet = Packet(
            3 if for_mobile else 2, packet_key, self.mobile, size_bytes, t, to, source=self.node, code=code, args=six,
            like_data=like_data, hostile=hostile,
        )  # fmt: skip
        oracle.record.born(packet, original=True)
        if self.node < 0:
            oracle.transmit_up(oracle.network.cell_of_node[via], packet, t)
        elif radio:
            oracle.send_down(self.node, packet, t)
        elif to == self.node:
            oracle.look_up(self.node, packet, t)
        else:
            oracle.forward(self.node, packet, t)

    def bind(
        self, coa: int, *, header_bytes: int = 20, end: str = "router", until_ps: int | None = None,
        simultaneous: bool = False, relayed: bool = False, beside_cell: bool = False, copy_in_flight: bool = False,
        hostile: bool = False,
    ) -> None:  # fmt: skip
        until = FOREVER if until_ps is None else until_ps
        new = CareOf(coa, header_bytes, end == "router", until, hostile, relayed)
        if beside_cell:
            both = Tunnel([CareOf(self.node, 0, True, until), new])
            self._oracle.change(self.node, self.mobile, both, self.time_ps, copy_in_flight)
        else:
            self._oracle.bind(self.node, self.mobile, new, simultaneous, self.time_ps, copy_in_flight)

    def deliver_locally(self, *, until_ps: int | None = None) -> None:
        entry = Local(FOREVER if until_ps is None else until_ps)
        self._oracle.change(self.node, self.mobile, entry, self.time_ps)

    def buffer(
        self, *, packets: int | None = None, bytes: int | None = None, until_ps: int | None = None, gate: int | None = None,
        copy_in_flight: bool = False,
    ) -> None:  # fmt: skip
        entry = Hold(packets, bytes, FOREVER if until_ps is None else until_ps, gate)
        self._oracle.change(self.node, self.mobile, entry, self.time_ps, copy_in_flight)

    def unbind(self, coa: int | None = None) -> None:
        self._oracle.unbind(self.node, self.mobile, coa, self.time_ps)

    def timer(self, at_ps: int, code: int, arg: int = 0) -> None:
        oracle = self._oracle
        oracle.timers += 1
        event = Event(at_ps, self.node, self.mobile, TIMER, code, args=(arg, 0, 0, 0, 0, 0))
        order = (oracle.mobile_keys[self.mobile], TIMER, oracle.timers)
        oracle.push(at_ps, unit_of(self.node), CONTROLLERS, order, oracle.tell, event)

    def reject(self, fate: int) -> None:
        self.fate = Fate(fate)

    def set_upstream_route(self, node: int) -> None:
        self._oracle.choose_up(self.mobile, self._oracle.network.cell_of_node[node], self.time_ps)

    def buffer_upstream(self, *, packets: int | None = None, bytes: int | None = None) -> None:
        self._oracle.choose_up(self.mobile, Hold(packets, bytes), self.time_ps)

    def clear_upstream_route(self) -> None:
        self._oracle.choose_up(self.mobile, None, self.time_ps)

    def begin_measurement(self, id: int) -> None:
        self._oracle.record.begin_measurement(self.mobile, id, self.time_ps)

    def end_measurement(self) -> None:
        span = self._oracle.record.open_spans.get(self.mobile)
        if span and span.close_ps < 0:
            span.close_ps = self.time_ps

    def count_after_marker(self, node: int) -> None:
        span = self._oracle.record.open_spans.get(self.mobile)
        if span:
            span.marked_node = node
