"""Counter-based random numbers and exponential gaps in integer arithmetic (docs/model.md, 2 and 9)."""

from libc.stdint cimport int64_t, uint64_t

from engine.kernel.next_event cimport later

cdef extern from *:
    """
    #include <climits>
    static const long long handoff_ln2 = 762123384786LL; /* ln 2 * 2**40 */
    static inline int handoff_clz64(unsigned long long x) { return __builtin_clzll(x); }
    static inline unsigned long long handoff_fingerprint_hash(unsigned long long x) {
        unsigned __int128 product = (unsigned __int128)__builtin_bswap64(x * 0xBF58476D1CE4E5B9ULL) * 0x94D049BB133111EBULL;
        return (unsigned long long)(product >> 64) ^ (unsigned long long)product;
    }
    static inline long long handoff_at_most_int64(__int128 x) { return x > LLONG_MAX ? LLONG_MAX : (long long)x; }
    static inline long long handoff_mul_div(long long x, long long a, long long b) {
        return handoff_at_most_int64((__int128)x * a / b);
    }
    static inline long long handoff_mul_shift40(long long a, long long b) {
        return handoff_at_most_int64(((__int128)a * b) >> 40);
    }
    """
    const int64_t LN2_FIXED_POINT "handoff_ln2"
    int clz64 "handoff_clz64"(uint64_t x) noexcept nogil
    # Products in 128 bits, and at most 2**63 - 1: x * a // b for x >= 0, and a * b // 2**40
    int64_t mul_div "handoff_mul_div"(int64_t x, int64_t a, int64_t b) noexcept nogil
    uint64_t fingerprint_hash "handoff_fingerprint_hash"(uint64_t x) noexcept nogil  # docs/model.md, 12
    int64_t mul_shift40 "handoff_mul_shift40"(int64_t a, int64_t b) noexcept nogil

cdef enum:
    PURPOSE_LOSS = 1
    PURPOSE_GAP = 2

cdef inline uint64_t splitmix64(uint64_t x) noexcept nogil:
    x = (x ^ (x >> 30)) * <uint64_t>0xBF58476D1CE4E5B9
    x = (x ^ (x >> 27)) * <uint64_t>0x94D049BB133111EB
    return x ^ (x >> 31)

cdef inline uint64_t combine(uint64_t a, uint64_t b) noexcept nogil:
    return splitmix64(splitmix64(a + <uint64_t>0x9E3779B97F4A7C15) ^ b)

cdef inline uint64_t random_word(uint64_t seed, uint64_t purpose, uint64_t entity, uint64_t index) noexcept nogil:
    return combine(combine(combine(seed, purpose), entity), index)

cdef inline int64_t exponential_gap(uint64_t word, int64_t mean, const int64_t* log_table) noexcept nogil:
    """Return 1 + mean * -ln((word + 1) / 2**64), or 2**63 - 1 if that is larger.

    ``log_table`` holds 2**40 ln(1 + i / 4096) for i in 0 ... 4096; values between are interpolated.
    """
    cdef uint64_t v = word + 1, mantissa
    cdef int zeros, i
    cdef int64_t fraction, minus_ln
    if v == 0:
        return 1
    zeros = clz64(v)
    mantissa = v << zeros
    i = <int>((mantissa >> 51) & 4095)
    fraction = <int64_t>((mantissa >> 11) & ((<uint64_t>1 << 40) - 1))
    minus_ln = (zeros + 1) * LN2_FIXED_POINT - (log_table[i] + mul_shift40(log_table[i + 1] - log_table[i], fraction))
    return later(1, mul_shift40(mean, minus_ln))
