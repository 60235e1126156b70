"""Result columns of links, nodes and unfinished handoffs, computed by hand; and the place of every metric."""

import pytest

from handoff.cli.tables import COLUMNS, summary_cells
from handoff.output.parquet import SCHEMAS
from tests.conformance.cases import TIMELY
from tests.conformance.two_router_scene import SIZE, Scene, Stay

MS = 10**9
METRICS = {
    "handoff latency": ("handoffs", "latency_s"), "disruption": ("handoffs", "disruption_s"),
    "one-way delay (RFC 7679)": ("flows", "delay_p99_s"), "loss (7680)": ("flows", "loss_ratio"),
    "loss period (3357)": ("flows", "loss_periods"), "loss distance (3357)": ("flows", "loss_distance_min_packets"),
    "delay variation (3393)": ("flows", "ipdv_abs_mean_s"), "delay variation (5481)": ("flows", "pdv_p99_s"),
    "reordering (4737)": ("flows", "reordered_ratio"), "extent": ("flows", "reordering_extent_max_packets"),
    "n-reordering": ("flows", "reordering_n_max_packets"), "free runs": ("flows", "free_runs"),
    "duplication (5560)": ("flows", "duplicate_copies"), "jitter (3550)": ("flows", "jitter_max_s"),
    "MOS (G.107)": ("flows", "mos"),
    "after the marker": ("handoffs", "after_marker"), "forwarded": ("handoffs", "forwarded"),
    "signalling messages per link": ("links", "control_packets"), "signalling bytes per link": ("links", "control_bytes"),
    "tunnel bytes per link": ("links", "tunnel_bytes"), "queue peaks": ("links", "peak_packets"),
    "utilisation": ("links", "utilisation"), "registrations per second": ("nodes", "registrations_per_s"),
    "utilisation of an agent": ("nodes", "registration_utilisation"), "buffer peaks": ("nodes", "held_peak_packets"),
    "registration queue": ("nodes", "registration_peak"), "extra bytes": ("runs", "extra_bytes"),
    "in flight": ("runs", "in_flight"),
    "unfinished handoffs": ("runs", "unfinished_handoffs"), "simultaneous bindings": ("runs", "simultaneous_bindings"),
}  # fmt: skip
"""Table and column of every metric of the design."""


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_has_a_column(metric):
    table, column = METRICS[metric]
    assert column in SCHEMAS[table].names
    if table == "flows" and column != "mos":
        assert column in SCHEMAS["handoffs"].names, "per handoff too"


def of(names, values, name):
    return values[list(names).index(name)]


def test_utilisation_of_links_and_servers():
    """Ten packets of 16 ms use the old radio in 2 s; one request takes 1 ms at the home agent, and 5 ms more if authenticated."""
    scene = Scene(TIMELY.stays, old_cell={"rate": "100kbit/s", "up_rate": None})
    for options, server in (({}, 1), ({"authentication": True, "authentication_service_ps": 5 * MS}, 6)):
        run = scene.run("sync-mipv4", down=range(0, 400, 40), **options)
        links, nodes = run.utilisation()
        reply = 70 * 8 / 100_000  # the marker, 5.6 ms
        assert of(run.result.link_names, links["utilisation"], "old>*") == pytest.approx((10 * 0.016 + reply) / 2)
        assert of(run.result.node_names, nodes["registrations_per_s"], "ha") == pytest.approx(1 / 2)
        assert of(run.result.node_names, nodes["registration_utilisation"], "ha") == pytest.approx(server / 2000)


def test_signalling_and_tunnels_are_counted_on_each_link():
    """RQ 74, RR and DRR 70 bytes (RFC 5944 with the Mobile-Home extension); one data packet with a tunnel header of 20."""
    run = TIMELY.run("sync-mipv4", down=[100])
    links = run.result.links
    control = {n: (int(p), int(b)) for n, p, b in zip(
        run.result.link_names, links["control_packets"], links["control_bytes"], strict=True) if p}  # fmt: skip
    assert control == {
        "old<*": (1, 74), "old>new": (1, 74), "new>ha": (1, 74), "ha>new": (1, 70), "ha>old": (1, 70), "new>*": (1, 70),
        "old>*": (1, 70),
    }  # fmt: skip
    tunnels = {n: int(b) for n, b in zip(run.result.link_names, links["tunnel_bytes"], strict=True) if b}
    assert tunnels == {"ha>old": 20}
    summary = run.summary()
    assert (summary["signalling_messages"], summary["signalling_bytes"], summary["tunnel_bytes"]) == (7, 3 * 74 + 4 * 70, 20)


@pytest.mark.parametrize(("lost", "unfinished"), [([], 0), (["new>ha"], 1)])
def test_unfinished_handoffs_are_shown(lost, unfinished):
    """A packet of 1990 is in flight at 2000; a handoff whose request gets no reply is counted as unfinished."""
    run = Scene(TIMELY.stays, loss=lost).run("sync-mipv4", down=[100, 1990])
    summary = run.summary()
    assert (summary["handoffs"], summary["unfinished_handoffs"], summary["completed"]) == (1, unfinished, 1 - unfinished)
    assert (summary["sent"], summary["in_flight"], summary["lost"]) == (2, 1, 0)
    shown = dict(zip(COLUMNS, summary_cells(summary), strict=True))
    assert (shown["handoffs"], shown["unfinished"], shown["in flight"], shown["lost"]) == ("1", str(unfinished), "1", "0")


def test_extra_bytes_are_relative_to_a_handoff_without_cost():
    """One packet is forwarded (sent at 490) from the old router to the new one; the rest is signalling."""
    scene = Scene([Stay("old", down=510, predict=500, warn=502), Stay("new", up=513)])
    run = scene.run_with_baseline("sync-mipv4", down=[490])
    signalling = {"air": 74 + 70 + 66 + 70, "core": 74 + 74 + 70 + 70 + 66}  # RQ BU BA RR; RQ RQ RR DRR BA
    assert run.summary()["extra_air_bytes"] == signalling["air"]
    assert run.summary()["extra_core_bytes"] == signalling["core"] + SIZE + 20
    assert run.summary()["extra_bytes"] == sum(signalling.values()) + SIZE + 20
