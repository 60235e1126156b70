"""Hypothesis strategies for captures with one mobile node and the keys of a replay."""

from hypothesis import strategies as st

from .capture_packets import Packet

EPOCH_NS = 1_795_442_716_000_000_000
MOBILE = "10.0.2.2"
EXAMPLES = 25
"""Random cases of a property; conftest.py raises the number for ``--deep``."""
ADDRESSES = ["10.0.1.2", "10.0.1.3", "10.0.3.1", MOBILE, "10.0.2.3"]
sides = st.tuples(st.sampled_from(ADDRESSES), st.integers(1, 3))
lengths = st.integers(28, 1500)
packet = st.builds(
    lambda t, a, b, protocol, length, reverse: Packet(EPOCH_NS + t, *((b, a) if reverse else (a, b)), protocol, length),
    st.integers(0, 300), st.tuples(st.just(MOBILE), st.integers(1, 2)), sides, st.sampled_from([6, 17]), lengths, st.booleans(),
).filter(lambda p: p.source != p.destination)  # fmt: skip
capture = st.lists(packet, min_size=1, max_size=25)
times = st.integers(0, 320)
windows = st.one_of(
    st.tuples(times, st.none()), st.tuples(times, st.integers(1, 200)).map(lambda w: (w[0], w[0] + w[1]))
)
prefixes = st.sampled_from(["10.0.1.2", "10.0.1.0/24", "10.0.0.0/16", MOBILE, "0.0.0.0/0"])
paces = st.sampled_from(["1", "2", "1/3", "0.7", "333.5", "0.001", "7/11"])
CONDITIONS = {
    "source": prefixes, "destination": prefixes, "address": prefixes, "source_port": st.integers(1, 3),
    "destination_port": st.integers(1, 3), "port": st.integers(1, 3), "protocol": st.sampled_from([6, 17]),
    "direction": st.sampled_from(["down", "up"]), "min_packets": st.integers(0, 6), "min_bytes": st.integers(0, 4000),
    "min_duration": times, "begins": windows,
}  # fmt: skip
condition = st.fixed_dictionaries({}, optional=CONDITIONS).filter(bool)
filters = st.lists(condition, min_size=1, max_size=2)
choices = st.fixed_dictionaries(
    {},
    optional={
        "clip": windows, "select": filters, "exclude": filters, "clip_flows": windows, "pace": paces, "loop": st.booleans(),
        "origin": st.sampled_from(["flow", "stream"]),
    },
)  # fmt: skip
