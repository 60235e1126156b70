"""The ledger of packets that exist in several copies: how many are under way, and whether one was delivered."""

from libc.stdint cimport uint32_t, uint64_t
from libcpp.unordered_map cimport unordered_map

cdef struct Copies:
    uint32_t under_way
    bint delivered

ctypedef unordered_map[uint64_t, Copies] Ledger

cdef inline uint64_t packet_id(uint32_t flow, uint32_t seq) noexcept nogil:
    return (<uint64_t>flow << 32) | seq
