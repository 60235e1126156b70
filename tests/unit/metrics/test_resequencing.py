"""The resequencing buffer, by hand."""

from handoff.metrics.resequencing import resequence

from .packet_records import arriving_in_order, build_records, packet


def release_times(flows, wait_ps):
    """Return the release times and delays of the delivered packets."""
    records = resequence(build_records(flows)[0], wait_ps)
    delivered = records["fate"] == 0
    return records["time_ps"][delivered].tolist(), records["delay_ps"][delivered].tolist()


def test_a_packet_waits_for_an_earlier_one():
    """Order 0 2 1 at 0, 1000, 2000; sent at 0, 10, 20: packet 2 is released with packet 1."""
    times, delays = release_times([arriving_in_order([0, 2, 1])], 10**6)
    assert times == [0, 2000, 2000]
    assert delays == [0, 1990, 1980]


def test_a_missing_packet_is_given_up_after_the_wait():
    """Packet 0 is lost, and 1 and 2 arrive at 0 and 1000. The wait starts with the first later packet and ends at 700."""
    times, _ = release_times([arriving_in_order([1, 2])], 700)
    assert times == [700, 1000]


def test_a_packet_that_comes_after_its_wait_is_released_at_once():
    """Packet 0 arrives at 5000, but 1 is released 700 after its own arrival at 0."""
    flow = [packet(0, 5000, 0), packet(1, 0, 0)]
    assert release_times([flow], 700)[0] == [5000, 700]


def test_flows_do_not_wait_for_each_other():
    flows = [[packet(0, None, 0, fate=5), packet(1, 10, 0)], [packet(0, 3, 0)]]
    assert release_times(flows, 100)[0] == [110, 3]


def test_records_of_other_fates_stay():
    records, _ = build_records([[packet(0, None, 4, fate=5), packet(1, 10, 0, duplicates=1)]])
    after = resequence(records, 100)
    other = records["fate"] != 0
    assert after["time_ps"][other].tolist() == records["time_ps"][other].tolist()
    assert after["time_ps"][~other].tolist() == [110]
