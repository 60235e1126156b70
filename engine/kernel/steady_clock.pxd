"""Monotonic clock of the host, for the profile of a run: the time that each controller call takes."""

from libc.stdint cimport int64_t

cdef extern from *:
    """
    #include <chrono>
    static inline int64_t handoff_steady_ns() noexcept {
        using namespace std::chrono;
        return duration_cast<nanoseconds>(steady_clock::now().time_since_epoch()).count();
    }
    """
    int64_t steady_ns "handoff_steady_ns"() noexcept nogil
