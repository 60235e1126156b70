"""Merge of the packets that several captures hold of one flow."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from handoff.workload.flow import PacketSegment
from handoff.workload.merge_captures import merge_blocks, merge_to_disk

from .replay_strategies import EXAMPLES


class Mapping:
    """Mapping that counts how often its pages are dropped."""

    def __init__(self):
        self.drops = 0

    def drop_pages(self):
        self.drops += 1


def segment(times, sizes, clock_ns=0, mapping=None):
    return PacketSegment(np.array(times, np.int64) + clock_ns, np.array(sizes, np.uint32), clock_ns, mapping or Mapping())


def packets(segment):
    return list(zip((segment.times - segment.clock_ns).tolist(), segment.sizes.tolist(), strict=True))


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(st.lists(st.integers(0, 40), max_size=30), min_size=1, max_size=4), st.integers(1, 5))
def test_merging_in_blocks_sorts_by_time_and_keeps_the_order_of_segments(parts, block_rows):
    sizes = [np.arange(len(p), dtype=np.uint32) + 100 * k for k, p in enumerate(parts)]
    segments = [PacketSegment(np.sort(np.array(p, np.int64)) + 7, s, 7, None) for p, s in zip(parts, sizes, strict=True)]
    merged = [(int(t), int(s)) for times, sizes in merge_blocks(segments, block_rows) for t, s in zip(times, sizes, strict=True)]
    assert merged == sorted(((t, 100 * k + i) for k, p in enumerate(parts) for i, t in enumerate(sorted(p))))


def test_each_group_becomes_one_segment_on_disk():
    """The clocks differ by 1000 ns, so that both captures have a packet at 10 ns of the stream."""
    groups = [[segment([10, 30], [1, 2]), segment([10, 20], [3, 4], clock_ns=1000)], [segment([5], [6]), segment([4], [7])]]
    one, other = merge_to_disk(groups)
    assert packets(one) == [(10, 1), (10, 3), (20, 4), (30, 2)]
    assert packets(other) == [(4, 7), (5, 6)]
    assert one.clock_ns == other.clock_ns == 0


def test_pages_of_the_groups_are_dropped_and_merged_pages_can_be_read_again():
    mapping = Mapping()
    (merged,) = merge_to_disk([[segment([1], [1], mapping=mapping), segment([2], [2], mapping=mapping)]])
    assert mapping.drops == 2  # once for each of two blocks, although both segments have this owner
    merged.mapping.drop_pages()
    assert packets(merged) == [(1, 1), (2, 2)]


def test_nothing_to_merge_needs_no_file():
    assert merge_to_disk([]) == []
