"""Yardsticks with traffic both ways: every schedule delivers what the engine delivers, ties included."""

import random
import shutil
import sys

import pytest

from bench import duplex, peers
from bench.duplex_networks import MS, SAME, commute, run_engine, star, write

pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="needs g++")


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return peers.build(duplex.SOURCE, tmp_path_factory.mktemp("duplex"))


def random_network(seed):
    """Describe a small network; of flows that begin at few instants, and of times on a coarse grid, many events are ties."""
    draw = random.Random(seed)
    if seed % 2:
        return commute(
            draw.choice([0, 5, 20]), draw.choice([1, 2]), draw.choice([1, 9, 30]), seed=seed,
            grid_ps=draw.choice([1, MS, 5 * MS]), packets_per_s=draw.choice([10, 100]),
        )  # fmt: skip
    mobiles = draw.choice([1, 7, 50, 300])
    return star(
        draw.choice([1, 2, 8, 60]), mobiles, draw.choice([0.1, 0.3]), phases=draw.choice([1, 3, mobiles]),
        spread=draw.choice([(MS,), (MS, 3 * MS), (MS, 2 * MS, MS + 7)]),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(20))
def test_all_schedules_and_the_engine_agree(program, tmp_path, seed):
    net = random_network(seed)
    write(net, tmp_path / "network")
    figures = run_engine(net)
    expected = {key: figures[key] for key in SAME}
    assert expected["delivered"] > 0
    for schedule in duplex.SCHEDULES:
        found = peers.run([program], schedule=schedule, network=tmp_path / "network")
        assert {key: found[key] for key in SAME} == expected, schedule


def test_a_packet_on_an_idle_star_takes_the_time_of_its_links(program, tmp_path):
    """Down: 228 B at 10, 10 and 1 Gbit/s over 5, 1 and 1 ms; up: the same links in the other order."""
    write(star(1, 1, 0.02), tmp_path / "network")
    one_way_ps = 228 * 8 * (100 + 100 + 1000) + 7 * MS
    for schedule in duplex.SCHEDULES:
        found = peers.run([program], schedule=schedule, network=tmp_path / "network")
        assert (found["delivered"], found["hops"], found["delay_sum_ps"]) == (2, 6, 2 * one_way_ps), schedule


def test_the_order_of_ties_shows_in_the_weighted_delays(program, tmp_path):
    """All flows of the star begin at 0: with other keys of links and flows, other packets wait."""
    found = []
    for routers in (2, 2):
        net = star(routers, 10, 0.02, phases=1)
        net.nodes[2:] = [name + "x" * len(found) for name in net.nodes[2:]]
        write(net, tmp_path / "network")
        found.append(peers.run([program], schedule="heap", network=tmp_path / "network"))
    assert found[0]["delay_sum_ps"] == found[1]["delay_sum_ps"]
    assert found[0]["weighted_delays"] != found[1]["weighted_delays"]


@pytest.mark.parametrize("key", SAME)
def test_a_program_with_another_number_stops_the_comparison(key):
    ours = dict.fromkeys(SAME, 5)
    duplex.check_equal("star", {"engine": ours, "wheel": ours})
    with pytest.raises(SystemExit, match=f"star: wheel disagrees with the engine: {key} 6 instead of 5"):
        duplex.check_equal("star", {"engine": ours, "wheel": ours | {key: 6}})


@pytest.mark.parametrize("arguments", [["--quick"], ["commute"]])
def test_only_whole_tables_of_full_length_are_written_into_the_page(monkeypatch, capsys, arguments):
    monkeypatch.setattr(sys, "argv", ["duplex.py", "--document", *arguments])
    with pytest.raises(SystemExit):
        duplex.main()
    assert "--document writes whole tables of full length: leave out NAME and --quick" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [{"schedule": "heap"}, {"schedule": "lazy", "network": "x"}, {"schedul": "heap"}])
def test_the_program_refuses_what_it_does_not_know(program, arguments):
    with pytest.raises(peers.Missing, match="give schedule=heap, wheel or sorts, and network=FILE"):
        peers.run([program], **arguments)
