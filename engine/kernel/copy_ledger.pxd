"""Ledger of packets that exist in several copies: the number of copies in flight, and whether one was delivered."""

from libc.stdint cimport uint32_t, uint64_t
from libcpp.unordered_map cimport unordered_map

cdef struct CopyCount:
    uint32_t in_flight
    bint delivered

ctypedef unordered_map[uint64_t, CopyCount] CopyLedger

cdef inline uint64_t packet_id(uint32_t flow, uint32_t seq) noexcept nogil:
    return (<uint64_t>flow << 32) | seq
