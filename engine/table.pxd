"""A node's table: mobile -> local, tunnel or hold (docs/model.md, 6). Open addressing, removal by shifting back."""

from libc.stdint cimport int32_t, int64_t, uint16_t, uint32_t, uint64_t, uint8_t
from libc.stdlib cimport calloc, free
from libcpp.vector cimport vector

from engine.arena cimport zeroed
from engine.fifo cimport Fifo, record_bytes
from engine.record cimport Record

cdef enum:
    EMPTY = 0
    LOCAL = 1
    TUNNEL = 2
    HOLD = 3
    QUEUE = 4  # not a node's entry: an uplink in a cell's own table
    MOST_CAREOF = 4

cdef struct Careof:
    int64_t until
    uint16_t node
    uint8_t header
    uint8_t at_mobile  # where the tunnel ends

cdef struct Several:  # care-of nodes in the order of binding
    Careof item[4]

cdef struct Held:
    vector[Record]* records
    int64_t limit_packets
    int64_t limit_bytes
    int64_t bytes

cdef struct Entry:
    uint32_t mobile
    uint8_t mode
    uint8_t count  # care-of nodes
    Careof one  # of a local or hold entry: just its until
    void* more  # Fifo, Several or Held

cdef struct Table:
    Entry* slot
    uint32_t mask  # 0: no slots yet
    uint32_t shift  # 64 - log2(slots)
    uint32_t used
    uint32_t peak

cdef inline uint32_t place(uint32_t mobile, uint32_t shift) noexcept nogil:
    """The top bits of a multiple of the golden ratio: numbers in any stride spread evenly."""
    return <uint32_t>((mobile * <uint64_t>0x9E3779B97F4A7C15) >> shift)

cdef inline Entry* find(Table* table, uint32_t mobile) noexcept nogil:
    cdef uint32_t i
    if table.used == 0:
        return NULL
    i = place(mobile, table.shift)
    while table.slot[i].mode != EMPTY:
        if table.slot[i].mobile == mobile:
            return &table.slot[i]
        i = (i + 1) & table.mask
    return NULL

cdef inline int enlarge(Table* table) noexcept nogil:
    cdef uint32_t size = (table.mask + 1) * 2 if table.mask else 8, i, j
    cdef uint32_t shift = table.shift - 1 if table.mask else 61
    cdef Entry* slot = <Entry*>zeroed(size * sizeof(Entry))
    if slot == NULL:
        return 1
    if table.mask:
        for i in range(table.mask + 1):
            if table.slot[i].mode != EMPTY:
                j = place(table.slot[i].mobile, shift)
                while slot[j].mode != EMPTY:
                    j = (j + 1) & (size - 1)
                slot[j] = table.slot[i]
    free(table.slot)
    table.slot = slot
    table.mask = size - 1
    table.shift = shift
    return 0

cdef inline Entry* insert(Table* table, uint32_t mobile) noexcept nogil:
    """The mobile's entry, new (mode EMPTY: the caller must set one) or old; NULL without memory."""
    cdef Entry* e = find(table, mobile)
    cdef uint32_t i
    if e != NULL:
        return e
    if (table.mask == 0 or (table.used + 1) * 3 > (table.mask + 1) * 2) and enlarge(table):
        return NULL
    i = place(mobile, table.shift)
    while table.slot[i].mode != EMPTY:
        i = (i + 1) & table.mask
    table.slot[i].mobile = mobile
    table.used += 1
    if table.used > table.peak:
        table.peak = table.used
    return &table.slot[i]

cdef inline void remove(Table* table, uint32_t mobile) noexcept nogil:
    cdef uint32_t i, j, home
    cdef Entry* e = find(table, mobile)
    if e == NULL:
        return
    i = <uint32_t>(e - table.slot)
    j = i
    while True:
        j = (j + 1) & table.mask
        if table.slot[j].mode == EMPTY:
            break
        home = place(table.slot[j].mobile, table.shift)
        if ((j - home) & table.mask) >= ((j - i) & table.mask):
            table.slot[i] = table.slot[j]
            i = j
    table.slot[i].mode = EMPTY
    table.used -= 1

cdef inline Careof* careof(Entry* e, int k) noexcept nogil:
    return &e.one if e.more == NULL else &(<Several*>e.more).item[k]

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
    if e.mode == HOLD and e.more != NULL:
        delete_held(<Held*>e.more)
    elif e.mode == TUNNEL and e.more != NULL:
        free(e.more)
    e.more = NULL
