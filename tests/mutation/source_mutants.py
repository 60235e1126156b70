"""Mutants of the order in which sources send, and of the keys of the uplinks that they send on."""

from tests.mutation.mutant import Mutant

SOURCE_MUTANTS = (
    Mutant(
        "an uplink has the key of the one before",
        "kernel/uplinks.pxd",
        "state.key if state.cell == cell and state.key != 0 else",
        "state.key if state.key != 0 else",
    ),
    Mutant(
        "sources of a day in any order",
        "kernel/source_calendar.pxd",
        "        sort(c.due.begin(), c.due.end(), &due_before)\n",
        "        pass\n",
    ),
    Mutant(
        "a source that sends twice in a day stays at the front",
        "kernel/source_calendar.pxd",
        "    while i + 1 < n and due_before(a[i + 1], x):\n",
        "    while False:\n",
    ),
    Mutant(
        "sources send in the order of buckets, not of days",
        "kernel/source_calendar.pxd",
        "        if s.t >> c.day_bits == c.day:\n",
        "        if True:\n",
    ),
    Mutant(
        "a source that has ended sends again when the others are filled in",
        "kernel/source_calendar.pxd",
        "    c.items.data()[c.due.data()[c.head].index].t = NEVER\n",
        "",
    ),
)
