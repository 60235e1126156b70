# distutils: language = c++
# cython: language_level=3
"""States of mobile nodes at a controller, created on first access. Idle mobile nodes take no memory.

Controllers look a state up at each event, some of them several times. The items of a Python subclass of ``dict`` with
``__missing__`` would take nearly twice as long (docs/performance.md, "Controllers").
"""

cimport cython


@cython.final
cdef class PerMobileState(dict):
    """Map from a mobile node to its state. A lookup with ``[]`` creates a missing entry.

    Parameters
    ----------
    initial_state : callable
        Returns the state of a mobile node at time 0.
    """

    cdef object initial_state

    def __init__(self, initial_state):
        self.initial_state = initial_state

    def __missing__(self, mobile):
        """Create and store the state of a mobile node."""
        state = self.initial_state(mobile)
        self[mobile] = state
        return state

    def __reduce__(self):
        return PerMobileState, (self.initial_state,), None, None, iter(self.items())
