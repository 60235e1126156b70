"""Bottlenecks, from tables by hand."""

from handoff.metrics.bottlenecks import Bottleneck, bottlenecks

NODES = {
    "node": ["ha", "ar", "idle"],
    "registration_utilisation": [0.9, 0.2, 0.0], "registration_dropped": [25, 0, 0], "registered": [75, 10, 0],
    "forwarding_utilisation": [0.0, 0.5, 0.0], "forwarding_dropped": [0, 0, 0], "forwarded": [0, 40, 0],
}  # fmt: skip
LINKS = {
    "link": ["ha>ar", "ar<*", "unused"], "pooled": [False, True, False], "utilisation": [0.7, 3.5, 0.0], "dropped": [0, 1, 0],
    "packets": [60, 99, 0],
}  # fmt: skip


def test_the_largest_loss_comes_first_then_the_highest_utilisation():
    """25 of 100 messages are dropped at ha, 1 of 100 packets on the uplinks. Elements without arrivals are left out."""
    assert bottlenecks({"nodes": NODES, "links": LINKS}) == [
        Bottleneck("ha registration", 0.9, 25, 0.25),
        Bottleneck("ar<*", None, 1, 0.01),
        Bottleneck("ha>ar", 0.7, 0, 0.0),
        Bottleneck("ar forwarding", 0.5, 0, 0.0),
        Bottleneck("ar registration", 0.2, 0, 0.0),
    ]
