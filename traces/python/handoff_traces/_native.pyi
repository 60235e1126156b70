from collections.abc import Sequence
from os import PathLike
from typing import Any, Protocol, final

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "PacketWriter", "agent_advertisement", "agent_solicitation", "binding_acknowledgement", "binding_update",
    "compile_capture", "content_hash", "encapsulate", "home_agent_discovery", "icmpv6_packet", "management_key",
    "mobility_packet", "neighbor_advertisement", "optimization_acknowledgement", "read_associations", "read_bytes",
    "read_capture", "read_movement",
    "read_signalling", "registration_reply", "registration_request", "router_advertisement", "router_solicitation",
    "sctp_packet", "test", "test_init", "udp_packet",
]  # fmt: skip

class _Authorization(Protocol):
    @property
    def key(self) -> bytes: ...
    @property
    def nonces(self) -> tuple[int, int] | None: ...
    @property
    def care_of(self) -> bytes: ...
    @property
    def correspondent(self) -> bytes: ...

class _Proxy(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def prefix(self) -> bytes: ...

class _Esp(Protocol):
    @property
    def spi(self) -> int: ...
    @property
    def sequence(self) -> int: ...
    @property
    def key(self) -> bytes: ...

@final
class PacketWriter:
    def __new__(
        cls, descriptor: int, version: int, snap_length: int, comment: str, application: str, interfaces: Sequence[str],
        names: Sequence[tuple[bytes, str]], addresses: NDArray[np.uint8], source: NDArray[np.uint32],
        destination: NDArray[np.uint32], protocol: NDArray[np.uint8], source_port: NDArray[np.uint16],
        destination_port: NDArray[np.uint16], resume_at: int | None,
    ) -> PacketWriter: ...  # fmt: skip
    def write(
        self, time_ns: NDArray[np.int64], interface: NDArray[np.uint32], flow: NDArray[np.int64], length: NDArray[np.uint32],
        number: NDArray[np.uint32], sequence: NDArray[np.uint32], acknowledgement: NDArray[np.uint32],
        tunnels: NDArray[np.int32], messages: Sequence[bytes],
    ) -> None: ...  # fmt: skip
    def sync(self) -> int: ...

_ReadOptions = tuple[bool, tuple[int, int, int], str]

def compile_capture(
    path: str | PathLike[str], folder: str | PathLike[str], memory_bytes: int, options: _ReadOptions
) -> dict[str, Any]: ...
def content_hash(path: str | PathLike[str]) -> str: ...
def read_associations(path: str | PathLike[str], begin_ps: int | None, on_bad_record: str) -> dict[str, Any]: ...
def read_bytes(path: str | PathLike[str], max: int, partial: bool) -> bytes: ...
def read_capture(path: str | PathLike[str], options: _ReadOptions) -> dict[str, Any]: ...
def read_movement(
    path: str | PathLike[str], format: str, on_bad_record: str, content: bytes | None
) -> dict[str, Any]: ...
def read_signalling(path: str | PathLike[str], options: _ReadOptions, max_messages: int) -> dict[str, Any]: ...
def encapsulate(packet: bytes, kind: int, source: bytes, destination: bytes, endpoint: int = 0) -> bytes: ...
def udp_packet(source: bytes, destination: bytes, ports: tuple[int, int], payload: bytes) -> bytes: ...
def sctp_packet(source: bytes, destination: bytes, port: int, verification_tag: int, chunks: bytes) -> bytes: ...
def mobility_packet(
    source: bytes, destination: bytes, message: bytes, home: bytes | None = None, routed_home: bytes | None = None
) -> bytes: ...
def icmpv6_packet(source: bytes, destination: bytes, hop_limit: int, message: bytes) -> bytes: ...
def registration_request(
    source: bytes, destination: bytes, kind: int, flags: int, lifetime_s: int, home: bytes, agent: bytes | None, care_of: bytes,
    identification: int, key: bytes,
) -> bytes: ...  # fmt: skip
def registration_reply(
    source: bytes, destination: bytes, kind: int, code: int, lifetime_s: int, home: bytes, agent: bytes, identification: int,
    key: bytes,
) -> bytes: ...  # fmt: skip
def optimization_acknowledgement(
    source: bytes, destination: bytes, kind: int, negative: bool, home: bytes, identification: int, key: bytes
) -> bytes: ...
def agent_solicitation(source: bytes, destination: bytes) -> bytes: ...
def agent_advertisement(
    source: bytes, destination: bytes, lifetime_s: int, sequence: int, registration_lifetime_s: int, flags: int, router: bytes,
    care_of: bytes,
) -> bytes: ...  # fmt: skip
def binding_update(
    source: bytes, destination: bytes, home: bytes | None, sequence: int, flags: int, lifetime: int,
    alternate: bytes | None = None, authorization: _Authorization | None = None, proxy: _Proxy | None = None,
    esp: _Esp | None = None,
) -> bytes: ...  # fmt: skip
def binding_acknowledgement(
    source: bytes, destination: bytes, home: bytes | None, status: int, flags: int, sequence: int, lifetime: int,
    authorization: _Authorization | None = None, proxy: _Proxy | None = None, esp: _Esp | None = None,
) -> bytes: ...  # fmt: skip
def test_init(source: bytes, destination: bytes, of_home: bool, cookie: int) -> bytes: ...
def test(source: bytes, destination: bytes, of_home: bool, nonce: int, cookie: int, token: int) -> bytes: ...
def management_key(home: int, care_of: int | None = None) -> bytes: ...
def neighbor_advertisement(source: bytes, destination: bytes, target: bytes, link: bytes) -> bytes: ...
def router_solicitation(source: bytes, destination: bytes, link: bytes) -> bytes: ...
def router_advertisement(
    source: bytes, destination: bytes, link: bytes, lifetime_s: int, home_agent: bool, router: bytes
) -> bytes: ...
def home_agent_discovery(source: bytes, destination: bytes, identifier: int, agent: bytes | None = None) -> bytes: ...
