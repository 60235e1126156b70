"""A packet in flight: the 32-byte element of every ring."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t

cdef extern from *:
    """
    #define handoff_unlikely(x) __builtin_expect(!!(x), 0)
    """
    bint unlikely "handoff_unlikely"(bint x) noexcept nogil  # the compiler moves the branch off the common path

cdef enum:  # Packet.flags
    DATA_DOWN = 0
    DATA_UP = 1
    CONTROL_NODE = 2
    CONTROL_MOBILE = 3
    CONTROL = 2  # bit that both kinds of control packets have and data packets lack
    KIND_MASK = 3  # selects one of the four kinds
    LOST = 4  # drawn on entry to the link; the packet is dropped when it would arrive
    COPIED = 8  # one of several copies: the copy ledger decides whether the packet is lost
    DECAPSULATE = 16  # its tunnel ends at the router that it is addressed to
    SENT_DETACHED = 32  # the mobile node was not attached while it sent the packet
    TRACED = 64  # already in the link trace
    LIKE_DATA = 128  # a message for a node that passes its registration server, as data do

cdef enum:  # Packet.tunnels
    TUNNEL_COUNT_MASK = 15  # low half: encapsulations so far
    FANOUT_SHIFT = 4  # high half: fan-outs (copies to several care-of nodes) so far
    MAX_FANOUTS = 4  # Packet.copy has two bits for each

cdef struct Packet:
    int64_t t  # arrival at the far end of the FIFO that it is in; outside a FIFO, the current time
    int64_t creation_time
    uint32_t flow  # control packet: mobile node
    uint32_t seq  # control packet: index of its message
    uint16_t size  # bytes without tunnel headers
    uint16_t destination
    uint8_t extra  # bytes of tunnel headers
    uint8_t tunnels
    uint8_t copy
    uint8_t flags
