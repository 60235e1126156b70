"""Allocation of large zeroed columns, and pools of blocks of one size."""

from libc.stdlib cimport free

from engine.kernel.shortage cimport require, try_push
from engine.kernel.vector cimport vector

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
    /* Zeroed memory aligned to a cache line. An area that fills a huge page gets huge pages: lookups in a table of many
       megabytes would also miss the TLB otherwise. */
    static inline void* handoff_allocate_zeroed(size_t bytes) {
        size_t alignment = bytes >= HANDOFF_HUGE_PAGE ? HANDOFF_HUGE_PAGE : 64;
        size_t rounded = (bytes / alignment + 1) * alignment;
        void* p = aligned_alloc(alignment, rounded);
        if (p == NULL) return NULL;
    #if defined(__linux__) && defined(MADV_HUGEPAGE)
        if (alignment == HANDOFF_HUGE_PAGE) madvise(p, rounded, MADV_HUGEPAGE);
    #endif
        return memset(p, 0, rounded);
    }
    /* Returns freed memory to the system: temporary columns leave holes that no later allocation fits. */
    static inline void handoff_trim_heap(void) {
    #ifdef __GLIBC__
        malloc_trim(0);
    #endif
    }
    """
    void trim_heap "handoff_trim_heap"() noexcept nogil
    void* allocate_zeroed "handoff_allocate_zeroed"(size_t bytes) noexcept nogil  # release it with free()

cdef enum:
    FIRST_CHUNK_BLOCKS = 32  # each further chunk has twice as many,
    MAX_CHUNK_BLOCKS = 65536  # up to this

cdef struct BlockPool:  # blocks of one size, allocated in chunks and freed one by one
    size_t block_bytes
    vector[char*]* chunks
    vector[void*]* free_blocks
    size_t chunk_blocks  # capacity of the last chunk
    size_t chunk_used  # blocks handed out from the last chunk
    size_t total_blocks  # capacity of all chunks

cdef inline BlockPool* new_block_pool(size_t block_bytes) noexcept nogil:
    cdef BlockPool* pool = <BlockPool*>require(allocate_zeroed(sizeof(BlockPool)))
    pool.block_bytes = block_bytes
    pool.chunks = new vector[char*]()
    pool.free_blocks = new vector[void*]()
    return pool

cdef inline void* allocate_block(BlockPool* pool) noexcept nogil:
    """Return a block with undefined content."""
    cdef void* block
    if pool.free_blocks.size():
        block = pool.free_blocks.back()
        pool.free_blocks.pop_back()
        return block
    if pool.chunk_used == pool.chunk_blocks:
        pool.chunk_blocks = FIRST_CHUNK_BLOCKS if pool.chunk_blocks == 0 else min(2 * pool.chunk_blocks, <size_t>MAX_CHUNK_BLOCKS)
        pool.chunk_used = 0
        block = require(allocate_zeroed(pool.chunk_blocks * pool.block_bytes))
        pool.chunks.push_back(<char*>block)
        pool.total_blocks += pool.chunk_blocks
    pool.chunk_used += 1
    return pool.chunks.back() + (pool.chunk_used - 1) * pool.block_bytes

cdef inline void free_block(BlockPool* pool, void* block) noexcept nogil:
    try_push(pool.free_blocks, block)  # a block that is not noted is freed with its pool

cdef inline void delete_block_pool(BlockPool* pool) noexcept:
    cdef size_t i
    if pool != NULL:
        for i in range(pool.chunks.size()):
            free(pool.chunks[0][i])
        del pool.chunks, pool.free_blocks
        free(pool)
