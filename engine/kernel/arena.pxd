"""Memory that is asked for in large pieces: columns of cache lines, and blocks of one size."""

from libc.stdlib cimport free
from libcpp.vector cimport vector

cdef extern from *:
    """
    #include <stdlib.h>
    #include <string.h>
    #ifdef __linux__
    #include <sys/mman.h>
    #endif
    #ifdef __GLIBC__
    #include <malloc.h>
    #endif
    #define HANDOFF_HUGE_PAGE ((size_t)1 << 21)
    /* zeroed and on a cache line; in huge pages if it fills one: a table of many megabytes would miss the page tables, too */
    static inline void* handoff_zeroed(size_t bytes) {
        size_t alignment = bytes >= HANDOFF_HUGE_PAGE ? HANDOFF_HUGE_PAGE : 64;
        size_t rounded = (bytes / alignment + 1) * alignment;
        void* p = aligned_alloc(alignment, rounded);
        if (p == NULL) return NULL;
    #if defined(__linux__) && defined(MADV_HUGEPAGE)
        if (alignment == HANDOFF_HUGE_PAGE) madvise(p, rounded, MADV_HUGEPAGE);
    #endif
        return memset(p, 0, rounded);
    }
    /* what was freed goes back to the system: the columns of a build leave holes that nothing else fits */
    static inline void handoff_trim(void) {
    #ifdef __GLIBC__
        malloc_trim(0);
    #endif
    }
    """
    void trim "handoff_trim"() noexcept nogil
    void* zeroed "handoff_zeroed"(size_t bytes) noexcept nogil  # free() it

cdef enum:
    FIRST_PIECE = 32  # blocks; each piece is twice the one before,
    LARGEST_PIECE = 65536  # up to this

cdef struct Blocks:  # of one size, given back one by one
    size_t bytes
    vector[char*]* pieces
    vector[void*]* spare
    size_t piece  # blocks in the last piece
    size_t used  # of them
    size_t made  # blocks in all pieces

cdef inline Blocks* new_blocks(size_t size) noexcept nogil:
    cdef Blocks* b = <Blocks*>zeroed(sizeof(Blocks))
    if b != NULL:
        b.bytes = size
        b.pieces = new vector[char*]()
        b.spare = new vector[void*]()
    return b

cdef inline void* take_block(Blocks* b) noexcept nogil:
    """A block, with whatever was in it; NULL without memory."""
    cdef void* block
    if b.spare.size():
        block = b.spare.back()
        b.spare.pop_back()
        return block
    if b.used == b.piece:
        b.piece = FIRST_PIECE if b.piece == 0 else min(2 * b.piece, <size_t>LARGEST_PIECE)
        b.used = 0
        block = zeroed(b.piece * b.bytes)
        if block == NULL:
            b.used = b.piece
            return NULL
        b.pieces.push_back(<char*>block)
        b.made += b.piece
    b.used += 1
    return b.pieces.back() + (b.used - 1) * b.bytes

cdef inline void give_block(Blocks* b, void* block) noexcept nogil:
    b.spare.push_back(block)

cdef inline void delete_blocks(Blocks* b) noexcept:
    cdef size_t i
    if b != NULL:
        for i in range(b.pieces.size()):
            free(b.pieces[0][i])
        del b.pieces, b.spare
        free(b)
