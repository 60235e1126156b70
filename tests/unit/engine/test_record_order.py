"""Order of the records of packet copies in a result."""

import numpy as np
import pytest

from engine.result_builder import sort_packets


def columns(*rows):
    flow, seq, copy = np.array(rows, np.int64).reshape(-1, 3).T
    return {"flow": flow, "seq": seq, "copy": copy, "row": np.arange(len(rows))}


@pytest.mark.parametrize(
    ("rows", "order"),
    [
        ([], []),
        ([(1, 0, 0), (0, 1, 0), (1, 1, 0), (0, 0, 0)], [3, 1, 0, 2]),  # all packets of both flows
        ([(2, 1, 0), (0, 0, 0), (2, 0, 0)], [1, 2, 0]),  # a flow without packets
        ([(1, 7, 0), (0, 3, 0), (0, 1, 0)], [2, 1, 0]),  # some packets only, as without the record of all
        ([(0, 1, 0), (0, 0, 1), (0, 0, 0)], [2, 1, 0]),  # a packet with two copies
        ([(0, 2, 0), (0, 0, 0), (0, 0, 0)], [1, 2, 0]),  # as many records as numbers, one of them twice
    ],
)
def test_records_are_sorted_by_flow_number_and_copy(rows, order):
    assert sort_packets(columns(*rows))["row"].tolist() == order
