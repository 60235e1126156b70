"""Buffers that plans find, and words for no limit, in plans, runs and sweeps. Values follow by hand from the delays.

Packets leave the correspondent each 20 ms, take 10 ms to the home agent, 5 ms to a router and 2 ms over the radio; the routers
are 3 ms apart. The prediction comes at 1783 ms, the warning at 1983 ms, the old link ends at 2003 ms, and the new one is up at
2053 ms. The new router receives what it keeps before 2053 ms: the last such packet is sent at 2020 ms.
"""

import json

import pytest
from click.testing import CliRunner

from handoff.cli.main import main

SCENARIO = """
name = "buffers"
duration = "5s"
home_agent = { name = "ha" }
correspondent = { name = "cn" }
traffic = [{ interval = "20ms", size_bytes = 200 }]
movement = { associations = "buffers.csv" }
options = { agent_discovery = "0ms" }

[[link]]
between = ["cn", "ha"]
delay = "10ms"

[routers]
names = ["ar0", "ar1"]
wired_to = "ha"
wired = { delay = "5ms" }
neighbours = { delay = "3ms" }
cell = { delay = "2ms" }
"""
ROWS = ["mobile,router,up_s,down_s,predict_s,going_down_s", "mn0,ar0,0,2.003,1.783,1.983", "mn0,ar1,2.053,,,"]
AT_PREDICTION = ("--set", "options.request=predict")


@pytest.fixture
def scenario(tmp_path):
    (tmp_path / "buffers.csv").write_text("\n".join(ROWS) + "\n")
    file = tmp_path / "buffers.toml"
    file.write_text(SCENARIO)
    return str(file)


def handoff(*words):
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("words", "smallest"),
    [
        # The request is at the home agent at 1783 + 2 + 3 + 5 = 1793 ms, so that packets sent from 1790 on go to the new router:
        # those of 1800, 1820, …, 2020 ms. With them wait the reply and the acknowledgement of the update to the old router.
        (AT_PREDICTION, 12 + 2),
        # The request is at the home agent at 1993 ms: the packets of 2000 and 2020 ms. The one of 1980 ms is at the old router at
        # 1995 ms, which forwards from 1985 ms on. With them wait the reply and the acknowledgement.
        ((), 3 + 2),
    ],
)
def test_the_smallest_buffer_holds_what_arrives_before_the_link_is_up(scenario, words, smallest):
    plan = ("plan", scenario, "--vary", "buffer=0:60", "--slo", "lost<=0", "--procedures", "sync-mipv4", "--jobs", "1", "--json")
    (answer,) = handoff(*plan, *words)["answers"]
    assert (answer["sense"], answer["met"], answer["missed"]) == ("smallest", smallest, smallest - 1)


@pytest.mark.parametrize(("buffer", "lost"), [("0", 12), ("infinite", 0), ("unlimited", 0)])
def test_a_buffer_of_0_loses_every_packet_that_would_wait(scenario, buffer, lost):
    changes = ("--set", f"new_buffer={buffer}", *AT_PREDICTION)
    (row,) = handoff("run", scenario, "--procedure", "sync-mipv4", "--json", *changes)["runs"]
    assert row["lost"] == lost


@pytest.mark.parametrize(("range_of", "message"), [
    ("link_buffer=0:60", "--vary link_buffer=0: link.0.buffer_packets: 0 means no packet, not even the one in service"),
    ("cell_rate=0:1Mbit/s", "--vary cell_rate=0Mbit/s: routers.cell.rate: 0 means that nothing is sent"),
    ("cell_rate=unlimited:1Mbit/s", "--vary cell_rate: 'unlimited' is no number to search or step between"),
])  # fmt: skip
def test_a_range_that_begins_where_nothing_passes_is_refused(scenario, range_of, message):
    done = CliRunner().invoke(main, ["plan", scenario, "--vary", range_of, "--slo", "lost<=0"])
    assert done.exit_code == 2
    assert message in done.stderr


def test_a_sweep_takes_the_words(scenario, tmp_path):
    """At 20 kbit/s a packet of 200 bytes takes 80 ms: without a waiting place about one in 4 of 250 packets is sent in 5 s."""
    values = ("--vary", "cell_buffer=1,infinite", "--vary", "cell_rate=20kbit/s,unlimited")
    words = ("sweep", scenario, "-o", str(tmp_path / "swept"), *values, "--procedures", "mipv4", "--runs", "1", "--jobs", "1")
    points = handoff(*words, "--metric", "lost", "--json")["points"]
    lost = {tuple(p["values"].values()): p["measures"]["lost"]["mean"] for p in points}
    assert lost["1", "20kbit/s"] > 150 > lost["infinite", "20kbit/s"]
    assert lost["1", "unlimited"] == lost["infinite", "unlimited"]


@pytest.mark.parametrize(
    ("buffer", "lost", "p50", "p99"),
    [
        # 91 packets in 1 s. A place in service only: of each two packets the second comes 11 ms after the first and is lost.
        ("1", 45, 0.037, 0.037),
        # Packet i waits 9i ms. Packet 48 arrives at 997 ms, so that 49 packets arrive in the run: the median is packet 24.
        ("unlimited", 0, 0.037 + 24 * 0.009, 0.037 + 48 * 0.009),
    ],
)
def test_a_queue_of_a_link_has_the_losses_and_percentiles_of_its_arithmetic(scenario, buffer, lost, p50, p99):
    """A packet of 200 bytes each 11 ms, 20 ms of transmission at 80 kbit/s, and 17 ms of delays; before the first handoff."""
    words = ("link.0.rate=80kbit/s", "traffic.0.interval=11ms", "duration=1s", f"link.0.buffer_packets={buffer}")
    changes = (word for change in words for word in ("--set", change))
    (run,) = handoff("run", scenario, "--procedure", "mipv4", "--json", *changes)["runs"]
    assert (run["sent"], run["lost"]) == (91, lost)
    assert (run["delay_p50_s"], run["delay_p99_s"]) == pytest.approx((p50, p99))
