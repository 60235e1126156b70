"""Time of day for the run's own profile: what a controller took, read at every one of its calls."""

from libc.stdint cimport int64_t

cdef extern from *:
    """
    #include <chrono>
    static inline int64_t steady_ns() noexcept {
        using namespace std::chrono;
        return duration_cast<nanoseconds>(steady_clock::now().time_since_epoch()).count();
    }
    """
    int64_t steady_ns() noexcept nogil
