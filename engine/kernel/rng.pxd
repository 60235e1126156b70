"""Counter-based draws and the exponential law in integers (docs/model.md, 2 and 9)."""

from libc.stdint cimport int64_t, uint64_t

cdef extern from *:
    """
    static inline int clz64(unsigned long long x) { return __builtin_clzll(x); }
    static inline unsigned long long scatter(unsigned long long x) {
        unsigned __int128 product = (unsigned __int128)__builtin_bswap64(x * 0xBF58476D1CE4E5B9ULL) * 0x94D049BB133111EBULL;
        return (unsigned long long)(product >> 64) ^ (unsigned long long)product;
    }
    static inline long long mul_div(long long x, long long a, long long b) { return (long long)((__int128)x * a / b); }
    static inline long long mul_shift40(long long a, long long b) { return (long long)(((__int128)a * b) >> 40); }
    """
    int clz64(uint64_t x) noexcept nogil
    int64_t mul_div(int64_t x, int64_t a, int64_t b) noexcept nogil  # x * a // b, x >= 0
    uint64_t scatter(uint64_t x) noexcept nogil  # of the fingerprint (docs/model.md, 12)
    int64_t mul_shift40(int64_t a, int64_t b) noexcept nogil

cdef enum:
    PURPOSE_LOSS = 1
    PURPOSE_GAP = 2

cdef inline uint64_t mix(uint64_t x) noexcept nogil:
    x = (x ^ (x >> 30)) * <uint64_t>0xBF58476D1CE4E5B9
    x = (x ^ (x >> 27)) * <uint64_t>0x94D049BB133111EB
    return x ^ (x >> 31)

cdef inline uint64_t mix2(uint64_t a, uint64_t b) noexcept nogil:
    return mix(mix(a + <uint64_t>0x9E3779B97F4A7C15) ^ b)

cdef inline uint64_t draw(uint64_t seed, uint64_t purpose, uint64_t entity, uint64_t index) noexcept nogil:
    return mix2(mix2(mix2(seed, purpose), entity), index)

cdef inline int64_t exponential_gap(uint64_t u, int64_t mean, const int64_t* table) noexcept nogil:
    """1 + mean * -ln((u + 1) / 2**64), from a table of 2**40 ln(1 + i / 4096)."""
    cdef uint64_t v = u + 1, m
    cdef int z, i
    cdef int64_t f, fixed
    if v == 0:
        return 1
    z = clz64(v)
    m = v << z
    i = <int>((m >> 51) & 4095)
    f = <int64_t>((m >> 11) & ((<uint64_t>1 << 40) - 1))
    fixed = (z + 1) * <int64_t>762123384786 - (table[i] + mul_shift40(table[i + 1] - table[i], f))
    return 1 + mul_shift40(mean, fixed)
