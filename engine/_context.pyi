"""Events and contexts of controllers; docstrings are on the compiled classes. ``docs/model.md`` says exactly what they do."""

from collections.abc import Sequence
from enum import IntEnum
from typing import Literal, Protocol, final, type_check_only

class EventKind(IntEnum):
    SCHEDULED = 0
    TIMER = 1
    MESSAGE = 2
    REFUSED_MESSAGE = 3

@final
class Event:
    @property
    def time_ps(self) -> int: ...
    @property
    def node(self) -> int: ...
    @property
    def mobile(self) -> int: ...
    @property
    def kind(self) -> int: ...  # an EventKind
    @property
    def code(self) -> int: ...
    @property
    def source(self) -> int: ...
    @property
    def via(self) -> int: ...
    @property
    def args(self) -> tuple[int, int, int, int, int, int]: ...

@final
class Context:
    time_ps: int
    node: int
    mobile: int

    def send(
        self, code: int, to: int, *, size_bytes: int, args: Sequence[int] = (), for_mobile: bool = False, via: int = -1,
        radio: bool = False, like_data: bool = False, hostile: bool = False,
    ) -> None: ...  # fmt: skip
    def bind(
        self, coa: int, *, header_bytes: int = 20, end: Literal["router", "mobile"] = "router",
        until_ps: int | None = None, simultaneous: bool = False, relayed: bool = False, beside_cell: bool = False,
        copy_in_flight: bool = False, hostile: bool = False,
    ) -> None: ...  # fmt: skip
    def deliver_locally(self, *, until_ps: int | None = None) -> None: ...
    def buffer(
        self, *, packets: int | None = None, bytes: int | None = None, until_ps: int | None = None, gate: int | None = None,
        copy_in_flight: bool = False,
    ) -> None: ...  # fmt: skip
    def unbind(self, coa: int | None = None) -> None: ...
    def timer(self, at_ps: int, code: int, arg: int = 0) -> None: ...
    def reject(self, fate: int) -> None: ...
    def set_upstream_route(self, node: int) -> None: ...
    def buffer_upstream(self, *, packets: int | None = None, bytes: int | None = None) -> None: ...
    def clear_upstream_route(self) -> None: ...
    def begin_measurement(self, id: int) -> None: ...
    def end_measurement(self) -> None: ...
    def count_after_marker(self, node: int) -> None: ...

@type_check_only
class Controller(Protocol):
    """Python code that receives the events of one node, or of all mobile nodes."""

    def on_event(self, ctx: Context, event: Event) -> None: ...
