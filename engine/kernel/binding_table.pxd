"""Binding table of a node: mobile node -> local delivery, tunnel or buffer (docs/model.md, 6).

The table uses open addressing with linear probing; a removal shifts later entries back. An entry takes 24 bytes, and up to 7/8
of the slots are used: mobile numbers in any stride spread so evenly that few entries share a home slot. The number of slots
need not be a power of two, so that a table is as small as its entries allow.
"""

from libc.stdint cimport int64_t, uint16_t, uint32_t, uint64_t, uint8_t
from libc.stdlib cimport calloc, free

from engine.kernel.arena cimport allocate_zeroed
from engine.kernel.fifo cimport packet_bytes, prefetch
from engine.kernel.packet cimport Packet
from engine.kernel.shortage cimport require
from engine.kernel.vector cimport vector

cdef enum:  # Entry.mode
    EMPTY = 0
    LOCAL = 1
    TUNNEL = 2
    BUFFER = 3
    QUEUE = 4  # not a binding: an entry of a cell's table of downlinks or uplinks

cdef enum:
    MAX_CAREOF = 4

cdef enum:  # CareOf.tunnel_flags
    ENDS_AT_MOBILE = 1
    HOSTILE_TUNNEL = 2  # bound by an attacker: its data packets are counted as diverted
    RELAYED_PACKETS = 4  # beside others, it takes the packets that have been in a tunnel, and the others take the rest

cdef extern from *:
    """
    struct handoff_careof {
        int64_t expiry;
        union {
            struct { uint16_t node; uint8_t header_bytes; uint8_t tunnel_flags; };
            void* extension;
        };
    };
    """
    cdef struct CareOf "handoff_careof":  # target of an entry: a tunnel to a care-of node, or what ``extension`` points to
        int64_t expiry
        uint16_t node
        uint8_t header_bytes
        uint8_t tunnel_flags
        void* extension  # shares the memory of the three fields above; Fifo, PacketBuffer or CareOfList

cdef struct CareOfList:  # care-of nodes in the order of binding
    CareOf item[4]

cdef enum:
    NO_GATE = -1

cdef struct PacketBuffer:
    vector[Packet]* packets
    int64_t gate  # packets with more tunnels than this pass into ``downlink``; NO_GATE: none
    void* downlink  # Fifo; NULL without a gate
    int64_t limit_packets  # UNLIMITED: no limit
    int64_t limit_bytes
    int64_t bytes

cdef struct Entry:
    CareOf target  # with several care-of nodes, its extension is their CareOfList
    uint32_t mobile
    uint8_t mode
    uint8_t careof_count

cdef struct BindingTable:
    Entry* entries
    uint32_t slot_count
    uint32_t entry_count
    uint32_t peak

cdef inline uint32_t home_slot(uint32_t mobile, uint32_t slots) noexcept nogil:
    """Return the slot at which probing starts, by Fibonacci hashing."""
    return <uint32_t>((<uint64_t>(mobile * <uint32_t>0x9E3779B9) * slots) >> 32)

cdef inline Entry* find_entry(BindingTable* table, uint32_t mobile) noexcept nogil:
    cdef Entry* e
    cdef Entry* end = table.entries + table.slot_count
    if table.entry_count == 0:
        return NULL
    e = table.entries + home_slot(mobile, table.slot_count)
    while e.mode != EMPTY:
        if e.mobile == mobile:
            return e
        e += 1
        if e == end:
            e = table.entries
    return NULL

cdef inline void prefetch_entry(const Entry* e) noexcept nogil:
    """Prefetch both cache lines of an entry: every fourth entry crosses a cache line."""
    prefetch(e)
    prefetch(&e.mode)

cdef inline Entry* find_free_slot(Entry* slot, uint32_t slots, uint32_t mobile) noexcept nogil:
    """Return the slot for a new entry; the table must have a free one."""
    cdef uint32_t i = home_slot(mobile, slots)
    while slot[i].mode != EMPTY:
        i = i + 1 if i + 1 < slots else 0
    return &slot[i]

cdef inline void reserve_slots(BindingTable* table, uint32_t entries) noexcept nogil:
    """Make room for ``entries`` entries in total."""
    cdef uint32_t slots = entries + entries // 7 + 2, i
    cdef Entry* slot
    if slots <= table.slot_count:
        return
    slot = <Entry*>require(allocate_zeroed(slots * sizeof(Entry)))
    for i in range(table.slot_count):
        if table.entries[i].mode != EMPTY:
            find_free_slot(slot, slots, table.entries[i].mobile)[0] = table.entries[i]
    free(table.entries)
    table.entries = slot
    table.slot_count = slots

cdef inline Entry* find_or_insert(BindingTable* table, uint32_t mobile) noexcept nogil:
    """Return the mobile node's entry. A new one has mode EMPTY, and the caller must set another."""
    cdef Entry* e = find_entry(table, mobile)
    if e != NULL:
        return e
    if <uint64_t>(table.entry_count + 1) * 8 > <uint64_t>table.slot_count * 7:
        reserve_slots(table, table.entry_count + table.entry_count // 4 + 6)
    e = find_free_slot(table.entries, table.slot_count, mobile)
    e.mobile = mobile
    table.entry_count += 1
    if table.entry_count > table.peak:
        table.peak = table.entry_count
    return e

cdef inline uint32_t probe_distance(uint32_t from_slot, uint32_t slot, uint32_t slots) noexcept nogil:
    return slot - from_slot if slot >= from_slot else slot + slots - from_slot

cdef inline void remove_entry(BindingTable* table, uint32_t mobile) noexcept nogil:
    cdef uint32_t i, j, home
    cdef Entry* e = find_entry(table, mobile)
    if e == NULL:
        return
    i = <uint32_t>(e - table.entries)
    j = i
    while True:
        j = j + 1 if j + 1 < table.slot_count else 0
        if table.entries[j].mode == EMPTY:
            break
        home = home_slot(table.entries[j].mobile, table.slot_count)
        if probe_distance(home, j, table.slot_count) >= probe_distance(i, j, table.slot_count):
            table.entries[i] = table.entries[j]
            i = j
    table.entries[i].mode = EMPTY
    table.entry_count -= 1

cdef inline CareOf* careof_at(Entry* e, int k) noexcept nogil:
    return &e.target if e.careof_count == 1 else &(<CareOfList*>e.target.extension).item[k]

cdef inline PacketBuffer* new_buffer(int64_t packets, int64_t size) noexcept nogil:
    cdef PacketBuffer* h = <PacketBuffer*>require(calloc(1, sizeof(PacketBuffer)))
    h.packets = new vector[Packet]()
    h.gate = NO_GATE
    h.limit_packets = packets
    h.limit_bytes = size
    return h

cdef inline void delete_buffer(PacketBuffer* h) noexcept nogil:
    if h != NULL:
        del h.packets
        free(h)

cdef inline bint buffer_packet(PacketBuffer* h, const Packet* p) noexcept nogil:
    cdef int64_t size = packet_bytes(p)
    if <int64_t>h.packets.size() >= h.limit_packets or h.bytes + size > h.limit_bytes:
        return False
    h.packets.push_back(p[0])
    h.bytes += size
    return True

cdef inline void free_entry(Entry* e) noexcept nogil:
    """Free the extension that an entry owns. Its downlink belongs to the cell and remains."""
    if e.mode == BUFFER:
        delete_buffer(<PacketBuffer*>e.target.extension)
    elif e.mode == TUNNEL and e.careof_count > 1:
        free(e.target.extension)
    e.careof_count = 0
