"""One packet in flight: 32 bytes, what every ring holds."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t

cdef extern from *:
    """
    #define rare(x) __builtin_expect(!!(x), 0)
    """
    bint rare(bint x) noexcept nogil  # off the common path: the compiler keeps it out of the way

cdef enum:
    DATA_DOWN = 0
    DATA_UP = 1
    CONTROL_NODE = 2
    CONTROL_MOBILE = 3
    CONTROL = 2  # in both kinds of control, and in no other
    KIND = 3  # mask of the kinds above
    LOST = 4  # decided on entry to the link, dropped when it would arrive
    COPIED = 8  # one of several copies: its fate goes through the copy ledger
    STRIP = 16  # the tunnel it is in ends at the router it is addressed to
    UNHEARD = 32  # sent by a mobile that was not attached
    NOTED = 64  # in the record of hops already

cdef struct Record:
    int64_t t  # arrival at the far end of the ring it is in, else the present
    int64_t born
    uint32_t flow  # of control: the mobile
    uint32_t seq  # of control: the message
    uint16_t size  # without tunnel headers
    uint16_t to
    uint8_t extra  # tunnel header bytes on it
    uint8_t tunnels  # low half: encapsulations so far, high half: fan-outs so far
    uint8_t copy
    uint8_t flags
