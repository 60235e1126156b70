"""Shortage of memory: kernel functions let ``std::bad_alloc`` pass, and ``handoff_guard`` stops it at the border to Python.

A module declares ``handoff_guard`` with the type of the function that it calls. The function must not hold the GIL or own Python
objects where memory of the kernel can run out. Code that holds the GIL calls ``make_room`` first, which raises MemoryError; the
following ``push_back`` then needs no memory.
"""

cdef extern from *:
    """
    #include <exception>
    #include <new>
    #define HANDOFF_NO_MEMORY (-2)
    /* Returns the result of f, or HANDOFF_NO_MEMORY if its memory ran out. */
    template <typename... P, typename... A> static inline int handoff_guard(int (*f)(P...), A... arguments) {
        try { return f(arguments...); } catch (const std::exception&) { return HANDOFF_NO_MEMORY; }
    }
    static inline void* handoff_require(void* memory) {
        if (memory == nullptr) throw std::bad_alloc();
        return memory;
    }
    template <typename V> static inline void handoff_make_room(V* v) {
        if (v->size() == v->capacity()) v->reserve(2 * v->size() + 1);
    }
    template <typename V, typename T> static inline bool handoff_try_push(V* v, T item) noexcept {
        try { v->push_back(item); } catch (const std::exception&) { return false; }
        return true;
    }
    """
    enum:
        OUT_OF_MEMORY "HANDOFF_NO_MEMORY"
    void* require "handoff_require"(void* memory) nogil  # throws std::bad_alloc instead of returning NULL
    void make_room "handoff_make_room"[V](V* v) except + nogil
    bint try_push "handoff_try_push"[V, T](V* v, T item) noexcept nogil
