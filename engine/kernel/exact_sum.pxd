"""Sums of times, and of products of a time and a count, in 128 bits: their terms have 64, so that no run wraps them."""

from libc.stdint cimport int64_t, uint64_t

cdef extern from *:
    """
    struct handoff_exact_sum { uint64_t low; int64_t high; };
    static inline void handoff_add_product(handoff_exact_sum* x, int64_t a, int64_t b) {
        unsigned __int128 sum = ((unsigned __int128)(uint64_t)x->high << 64 | x->low) + (unsigned __int128)((__int128)a * b);
        x->low = (uint64_t)sum;
        x->high = (int64_t)(sum >> 64);
    }
    static inline void handoff_add_sum(handoff_exact_sum* x, const handoff_exact_sum* y) {
        int carry = __builtin_add_overflow(x->low, y->low, &x->low);
        x->high += y->high + carry;
    }
    static inline int handoff_add_to_low_word(uint64_t* low, uint64_t a) { return __builtin_add_overflow(*low, a, low); }
    """
    cdef struct ExactSum "handoff_exact_sum":
        uint64_t low
        int64_t high
    void add_product "handoff_add_product"(ExactSum* x, int64_t a, int64_t b) noexcept nogil  # x += a * b
    void add_sum "handoff_add_sum"(ExactSum* x, const ExactSum* y) noexcept nogil  # x += y
    # *low += a; returns the carry, for a sum whose high word is packed with other fields
    int add_to_low_word "handoff_add_to_low_word"(uint64_t* low, uint64_t a) noexcept nogil
