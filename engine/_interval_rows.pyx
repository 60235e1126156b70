# distutils: language = c++
# cython: language_level=3
"""Rows of the intervals of a run: what links, nodes and flows did in each, without a Python object for a row."""

import numpy as np

from engine.results import FLOW_SAMPLE, LINK_SAMPLE, NODE_SAMPLE, SAMPLE_STATES, IntervalTables

from libc.stdint cimport int64_t, uint64_t

from engine.kernel.sample cimport fill_sample
from engine.kernel.world cimport World

cdef enum:
    MIN_BLOCK_ROWS = 8192  # rows that are allocated at once, unless a sample has more
    KEYS = 3  # columns before those of the sample: begin, end, element


cdef class ElementRows:
    """Rows of links, of nodes, or of all flows together: one for each interval and element in which something happened."""

    def __cinit__(self, tuple names, Py_ssize_t elements):
        self.counters = np.zeros((elements, len(names)), np.int64)
        self.previous = np.zeros((elements, len(names)), np.int64)
        self.rows = np.empty((max(elements, MIN_BLOCK_ROWS), KEYS + len(names)), np.int64)
        self.parts = []
        self.state_columns = sum(1 << i for i, name in enumerate(names) if name in SAMPLE_STATES)
        self.busy_column = names.index("busy_low") if "busy_low" in names else -1

    cdef int end_interval(self, int64_t begin, int64_t end) except -1:
        """Add a row for each element that has a state or a changed counter, and begin the next interval."""
        cdef Py_ssize_t i, j, columns = self.counters.shape[1]
        cdef int64_t changed
        cdef int64_t* row
        cdef int64_t* new
        cdef int64_t* old
        if self.rows.shape[0] - self.count < self.counters.shape[0]:
            self.keep_rows()
        for i in range(self.counters.shape[0]):
            row, new, old = &self.rows[self.count, 0], &self.counters[i, 0], &self.previous[i, 0]
            changed = 0
            for j in range(columns):
                row[KEYS + j] = new[j] if self.state_columns >> j & 1 else <int64_t>(<uint64_t>new[j] - <uint64_t>old[j])
                changed |= row[KEYS + j]
            if changed:
                if self.busy_column >= 0 and <uint64_t>new[self.busy_column] < <uint64_t>old[self.busy_column]:
                    row[KEYS + self.busy_column + 1] -= 1
                row[0], row[1], row[2] = begin, end, i
                self.count += 1
        self.counters, self.previous = self.previous, self.counters
        return 0

    cdef int keep_rows(self) except -1:
        self.parts.append(np.asarray(self.rows)[: self.count].copy())
        self.count = 0
        return 0

    cdef list take(self):
        self.keep_rows()
        parts, self.parts = self.parts, []
        return parts


cdef class IntervalRows:
    """Recorder of the intervals of a run.

    Parameters
    ----------
    links, nodes : int
        Number of rows of a sample.
    """

    def __cinit__(self, Py_ssize_t links, Py_ssize_t nodes):
        self.links, self.nodes = ElementRows(LINK_SAMPLE, links), ElementRows(NODE_SAMPLE, nodes)
        self.flows = ElementRows(FLOW_SAMPLE, 1)

    cdef int start(self, World* w, int64_t reached) except -1:
        """Begin the first interval at ``reached``."""
        self.begin = reached
        return fill_sample(w, self.links.previous, self.nodes.previous, &self.flows.previous[0, 0], reached)

    cdef int end_interval(self, World* w, int64_t reached) except -1:
        """Add the rows of the interval that ends at ``reached``, unless the last one ended there."""
        if reached == self.begin:
            return 0
        fill_sample(w, self.links.counters, self.nodes.counters, &self.flows.counters[0, 0], reached)
        self.links.end_interval(self.begin, reached)
        self.nodes.end_interval(self.begin, reached)
        self.flows.end_interval(self.begin, reached)
        self.begin = reached
        return 0

    cdef object take(self):
        """Return the rows as ``engine.results.IntervalTables``, and keep none."""
        return IntervalTables(self.links.take(), self.nodes.take(), self.flows.take())
