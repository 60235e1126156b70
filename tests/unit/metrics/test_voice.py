"""Voice quality: check values of ITU-T G.107, the limits of the scale, and burstiness by hand."""

import numpy as np
import pytest

from handoff.metrics import CODECS, mos, r_factor, voice_metrics
from handoff.metrics.voice import mos_of_r

from .packet_records import build_records, packet

MS = 10**9


@pytest.mark.parametrize(
    ("codec", "delay", "loss", "r", "score"),
    [("G.711", 150, 1, 85.960, 4.2279), ("G.711", 300, 5, 56.722, 2.9290), ("G.729A", 150, 1, 74.400, 3.7960)],
)
def test_check_values(codec, delay, loss, r, score):
    ie, bpl = CODECS[codec]
    assert r_factor(delay, loss, ie, bpl) == pytest.approx(r, abs=5e-4)
    assert mos(delay, loss, ie, bpl) == pytest.approx(score, abs=5e-5)


def test_a_perfect_line():
    """R = 93.2; MOS = 1 + 3.262 + 7e-6 * 93.2 * 33.2 * 6.8."""
    assert r_factor(0, 0, 0, 25.1) == 93.2
    assert mos(0, 0, 0, 25.1) == pytest.approx(4.262 + 7e-6 * 93.2 * 33.2 * 6.8)


def test_burstiness_hurts():
    """5 % in bursts twice as long: 95 * 5 / (2.5 + 25.1) = 17.2101."""
    assert r_factor(0, 5, 0, 25.1, 2) == pytest.approx(93.2 - 17.21014, abs=1e-4)


def test_the_delay_has_a_knee_at_177_3_ms():
    assert r_factor(177.3, 0, 0, 25.1) == pytest.approx(93.2 - 4.2552)
    assert r_factor(187.3, 0, 0, 25.1) == pytest.approx(93.2 - 4.4952 - 1.1)


def test_the_scale_ends():
    assert mos_of_r([-50, 0, 3, 60, 100, 120]).tolist() == [1, 1, 1, pytest.approx(3.1), 4.5, 4.5]
    scores = mos_of_r(np.linspace(-10, 110, 10_000))
    assert (np.diff(scores) >= 0).all()


def voice_of_flow(flow, **options):
    records, group = build_records([flow])
    return {name: column[0].item() for name, column in voice_metrics(records, group, 1, **options).items()}


def test_bursts_of_two():
    """20 packets, 4 lost in two pairs: P = 20 %, mean run 2, expected 1 / 0.8: BurstR = 1.6."""
    flow = [packet(seq, None if seq in (3, 4, 10, 11) else 150 * MS, 1000 * MS * seq, fate=5) for seq in range(20)]
    result = voice_of_flow(flow)
    assert result["burst_ratio"] == pytest.approx(1.6)
    assert result["voice_loss_ratio"] == 0.2
    assert result["voice_delay_ps"] == 150 * MS
    assert result["r_factor"] == pytest.approx(93.2 - 3.6 - 95 * 20 / (20 / 1.6 + 25.1))
    assert result["mos"] == pytest.approx(float(mos(150, 20, 0, 25.1, 1.6)))


def test_a_playout_buffer_trades_delay_for_loss():
    """Delays 50 60 90 50 ms: with 20 ms of buffer all play 70 ms after sending, and the one of 90 ms is late."""
    flow = [packet(seq, delay * MS, 1000 * MS * seq) for seq, delay in enumerate([50, 60, 90, 50])]
    result = voice_of_flow(flow, playout_ps=20 * MS, codec_delay_ps=25 * MS)
    assert (result["voice_delay_ps"], result["voice_late"], result["voice_loss_ratio"]) == (95 * MS, 1, 0.25)
    assert result["mos"] == pytest.approx(float(mos(95, 25, 0, 25.1)))  # one run of 1 < 1 / 0.75: random
    patient = voice_of_flow(flow, playout_ps=40 * MS)
    assert (patient["voice_delay_ps"], patient["voice_late"], patient["voice_loss_ratio"]) == (90 * MS, 0, 0)
    bare = voice_of_flow(flow)
    assert (bare["voice_delay_ps"], bare["voice_late"]) == (int(62.5 * MS), 0)


def test_late_and_lost_make_one_period():
    """Packets 3 (lost) and 4 (late) of 10: one period of 2 at 20 %: BurstR = 2 * 0.8."""
    delays = [10] * 10
    delays[4] = 99
    flow = [packet(seq, None if seq == 3 else delay, 1000 * seq, fate=5) for seq, delay in enumerate(delays)]
    assert voice_of_flow(flow, playout_ps=50)["burst_ratio"] == pytest.approx(1.6)


def test_all_lost_is_the_worst():
    result = voice_of_flow([packet(seq, None, seq, fate=5) for seq in range(3)])
    assert (result["voice_delay_ps"], result["voice_loss_ratio"], result["r_factor"], result["mos"]) == (-1, 1.0, 0, 1)


@pytest.mark.parametrize("flow", [[], [packet(0, None, 0, fate=14)]])
def test_nothing_finished_has_no_quality(flow):
    result = voice_of_flow(flow)
    assert result["voice_delay_ps"] == -1
    assert np.isnan([result["voice_loss_ratio"], result["r_factor"], result["mos"]]).all()
