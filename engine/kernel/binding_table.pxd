"""A node's table: mobile -> local, tunnel or hold (docs/model.md, 6). Open addressing, removal by shifting back.

An entry has 24 bytes, and up to seven of eight slots are taken: numbers in a stride spread so evenly that few stand on another's
place. Slots need not be a power of two, so a table has as many as it needs.
"""

from libc.stdint cimport int64_t, uint16_t, uint32_t, uint64_t, uint8_t
from libc.stdlib cimport calloc, free
from libcpp.vector cimport vector

from engine.kernel.arena cimport zeroed
from engine.kernel.fifo cimport Fifo, fetch, record_bytes
from engine.kernel.packet cimport Record

cdef enum:
    EMPTY = 0
    LOCAL = 1
    TUNNEL = 2
    HOLD = 3
    QUEUE = 4  # not a node's entry: an uplink in a cell's own table
    MOST_CAREOF = 4

cdef extern from *:
    """
    struct handoff_careof {
        int64_t until;
        union {
            struct { uint16_t node; uint8_t header; uint8_t at_mobile; };
            void* more;
        };
    };
    """
    cdef struct Careof "handoff_careof":  # of a local or hold entry: its until, and what it has
        int64_t until
        uint16_t node
        uint8_t header
        uint8_t at_mobile  # where the tunnel ends
        void* more  # in place of the three: Fifo, Held, or Several

cdef struct Several:  # care-of nodes in the order of binding
    Careof item[4]

cdef struct Held:
    vector[Record]* records
    int64_t limit_packets
    int64_t limit_bytes
    int64_t bytes

cdef struct Entry:
    Careof one  # of a tunnel with several care-of nodes: them
    uint32_t mobile
    uint8_t mode
    uint8_t count  # care-of nodes

cdef struct Table:
    Entry* slot
    uint32_t slots
    uint32_t used
    uint32_t peak

cdef inline uint32_t place(uint32_t mobile, uint32_t slots) noexcept nogil:
    """A multiple of the golden ratio, scaled: numbers in any stride spread evenly."""
    return <uint32_t>((<uint64_t>(mobile * <uint32_t>0x9E3779B9) * slots) >> 32)

cdef inline Entry* find(Table* table, uint32_t mobile) noexcept nogil:
    cdef Entry* e
    cdef Entry* end = table.slot + table.slots
    if table.used == 0:
        return NULL
    e = table.slot + place(mobile, table.slots)
    while e.mode != EMPTY:
        if e.mobile == mobile:
            return e
        e += 1
        if e == end:
            e = table.slot
    return NULL

cdef inline void fetch_entry(const Entry* e) noexcept nogil:
    """Both cache lines of an entry: each fourth lies across the end of one."""
    fetch(e)
    fetch(&e.mode)

cdef inline Entry* vacancy(Entry* slot, uint32_t slots, uint32_t mobile) noexcept nogil:
    """Where a new mobile's entry goes; there has to be room."""
    cdef uint32_t i = place(mobile, slots)
    while slot[i].mode != EMPTY:
        i = i + 1 if i + 1 < slots else 0
    return &slot[i]

cdef inline int reserve(Table* table, uint32_t entries) noexcept nogil:
    """Room for so many entries in all; 1 without memory."""
    cdef uint32_t slots = entries + entries // 7 + 2, i
    cdef Entry* slot
    if slots <= table.slots:
        return 0
    slot = <Entry*>zeroed(slots * sizeof(Entry))
    if slot == NULL:
        return 1
    for i in range(table.slots):
        if table.slot[i].mode != EMPTY:
            vacancy(slot, slots, table.slot[i].mobile)[0] = table.slot[i]
    free(table.slot)
    table.slot = slot
    table.slots = slots
    return 0

cdef inline Entry* insert(Table* table, uint32_t mobile) noexcept nogil:
    """The mobile's entry, new (mode EMPTY: the caller must set one) or old; NULL without memory."""
    cdef Entry* e = find(table, mobile)
    if e != NULL:
        return e
    if <uint64_t>(table.used + 1) * 8 > <uint64_t>table.slots * 7 and reserve(table, table.used + table.used // 4 + 6):
        return NULL
    e = vacancy(table.slot, table.slots, mobile)
    e.mobile = mobile
    table.used += 1
    if table.used > table.peak:
        table.peak = table.used
    return e

cdef inline uint32_t beyond(uint32_t from_slot, uint32_t slot, uint32_t slots) noexcept nogil:
    """How many slots behind another one, around the end."""
    return slot - from_slot if slot >= from_slot else slot + slots - from_slot

cdef inline void remove(Table* table, uint32_t mobile) noexcept nogil:
    cdef uint32_t i, j, home
    cdef Entry* e = find(table, mobile)
    if e == NULL:
        return
    i = <uint32_t>(e - table.slot)
    j = i
    while True:
        j = j + 1 if j + 1 < table.slots else 0
        if table.slot[j].mode == EMPTY:
            break
        home = place(table.slot[j].mobile, table.slots)
        if beyond(home, j, table.slots) >= beyond(i, j, table.slots):
            table.slot[i] = table.slot[j]
            i = j
    table.slot[i].mode = EMPTY
    table.used -= 1

cdef inline Careof* careof(Entry* e, int k) noexcept nogil:
    return &e.one if e.count == 1 else &(<Several*>e.one.more).item[k]

cdef inline Held* new_held(int64_t packets, int64_t size) noexcept nogil:
    cdef Held* h = <Held*>calloc(1, sizeof(Held))
    h.records = new vector[Record]()
    h.limit_packets = packets
    h.limit_bytes = size
    return h

cdef inline void delete_held(Held* h) noexcept nogil:
    del h.records
    free(h)

cdef inline bint hold_record(Held* h, const Record* r) noexcept nogil:
    cdef int64_t size = record_bytes(r)
    if (h.limit_packets > 0 and <int64_t>h.records.size() >= h.limit_packets) or (
        h.limit_bytes > 0 and h.bytes + size > h.limit_bytes
    ):
        return False
    h.records.push_back(r[0])
    h.bytes += size
    return True

cdef inline void forget(Entry* e) noexcept nogil:
    """Free what an entry owns; its downlink lives on in the cell."""
    if e.mode == HOLD:
        delete_held(<Held*>e.one.more)
    elif e.mode == TUNNEL and e.count > 1:
        free(e.one.more)
    e.count = 0
