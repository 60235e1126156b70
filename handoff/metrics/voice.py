"""Voice quality by the E-model (ITU-T G.107), with its default values for everything but delay, codec and loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.columns import Int
from handoff.metrics._group_loops import count_elements, measure_runs
from handoff.metrics.grouped import Float, ratio, summarise
from handoff.metrics.packet_table import PacketTable, build_packet_table

CODECS = {"G.711": (0.0, 25.1), "G.729A": (11.0, 19.0)}
"""Equipment impairment Ie and packet-loss robustness Bpl (ITU-T G.113, appendix I; G.711 with loss concealment)."""

PS_PER_MS = 10**9


def r_factor(
    delay_ms: npt.ArrayLike, loss_percent: npt.ArrayLike, ie: float, bpl: float, burst_ratio: npt.ArrayLike = 1
) -> Float:
    """Return the transmission rating factor R.

    ``R = 93.2 - Id - Ie,eff`` with ``Id = 0.024 d + 0.11 (d - 177.3) H(d - 177.3)`` (Cole and Rosenbluth's fit of the
    delay impairment) and ``Ie,eff = Ie + (95 - Ie) P / (P / BurstR + Bpl)`` (G.107, 7-29).

    Parameters
    ----------
    delay_ms : array_like
        One-way delay from mouth to ear, ms.
    loss_percent : array_like
        Packets lost, percent.
    ie, bpl : float
        Equipment impairment and loss robustness of the codec, see :data:`CODECS`.
    burst_ratio : array_like
        Mean length of the loss periods divided by that of random loss at the same ratio; 1 for random loss.
    """
    d, p, burst = (np.asarray(x, np.float64) for x in (delay_ms, loss_percent, burst_ratio))
    impairment = 0.024 * d + 0.11 * np.maximum(d - 177.3, 0)
    return np.asarray(93.2 - impairment - (ie + (95 - ie) * p / (p / burst + bpl)), np.float64)


def mos_of_r(r: npt.ArrayLike) -> Float:
    """Return the mean opinion score of a rating factor (G.107, B-4): 1 to 4.5.

    The cubic dips below 1 for R under 6.5; the score is 1 there, because the scale ends at 1.
    """
    x = np.clip(np.asarray(r, np.float64), 0, 100)
    return np.asarray(np.maximum(1 + 0.035 * x + 7e-6 * x * (x - 60) * (100 - x), 1), np.float64)


def mos(
    delay_ms: npt.ArrayLike, loss_percent: npt.ArrayLike, ie: float, bpl: float, burst_ratio: npt.ArrayLike = 1
) -> Float:
    """Return the mean opinion score, 1 to 4.5; the parameters are those of :func:`r_factor`."""
    return mos_of_r(r_factor(delay_ms, loss_percent, ie, bpl, burst_ratio))


def voice_metrics(
    records: Mapping[str, Int], group: Int, groups: int, *,
    ie: float = 0.0, bpl: float = 25.1, playout_ps: int | None = None, codec_delay_ps: int = 0,
) -> dict[str, npt.NDArray[Any]]:  # fmt: skip
    """Compute the voice quality of each group of packets.

    Parameters
    ----------
    records, group, groups
        As for :func:`handoff.metrics.group_metrics`.
    ie, bpl : float
        Equipment impairment and loss robustness of the codec, see :data:`CODECS`; the default is G.711.
    playout_ps : int, optional
        Depth of a fixed playout buffer. A packet is played the smallest delay of the flow plus this depth after it was sent,
        and is lost to the listener if it arrives later. Without a buffer, the delay is the mean one-way delay and no packet is
        late.
    codec_delay_ps : int
        Delay of coding, packetisation and decoding, added to that of the network.

    Returns
    -------
    dict of str to ndarray
        ``voice_delay_ps`` (mean from mouth to ear; -1 if nothing is played), ``voice_late`` (delivered, but too late to be
        played), ``voice_loss_ratio`` (lost or late packets as a share of all finished ones), ``burst_ratio`` (mean length of
        the loss periods times ``1 - loss ratio``, not below 1), ``r_factor`` and ``mos``. The ratio, R and MOS of a group
        without a finished packet are NaN; R is 0 and MOS 1 where every packet was lost.
    """
    table = build_packet_table(records)
    packet_group = table.packet_groups(group, groups)
    return measure_voice(table, packet_group, groups, ie=ie, bpl=bpl, playout_ps=playout_ps, codec_delay_ps=codec_delay_ps)


def measure_voice(
    table: PacketTable, group: Int, groups: int, *,
    ie: float = 0.0, bpl: float = 25.1, playout_ps: int | None = None, codec_delay_ps: int = 0,
) -> dict[str, npt.NDArray[Any]]:  # fmt: skip
    """Compute the columns of :func:`voice_metrics` from a packet table; ``group`` has an element for each packet."""
    played, delay_ps = table.delivered, table.delay_ps
    if playout_ps is not None:
        played = played & (table.pdv_ps <= playout_ps)
        delay_ps = table.delay_ps - table.pdv_ps + np.int64(playout_ps)
    missed = (group >= 0) & ~table.unfinished & ~played
    heard = summarise(group, delay_ps, played, groups)
    missed_count = count_elements(np.where(missed, group, -1), groups)
    loss = ratio(missed_count, heard.number + missed_count)
    # Mean length of a period times (1 - loss ratio); 1 where nothing is lost.
    periods, _, _ = measure_runs(np.flatnonzero(missed), group, table.flow, table.seq, groups)
    burst = np.maximum(missed_count / np.maximum(periods, 1) * (1 - np.nan_to_num(loss)), 1)
    delay = heard.mean + codec_delay_ps * (heard.number > 0)
    rated = r_factor(delay / PS_PER_MS, 100 * loss, ie, bpl, burst)
    r = np.where(heard.number > 0, rated, np.where(missed_count > 0, 0.0, np.nan))
    return {
        "voice_delay_ps": delay,
        "voice_late": count_elements(np.where(missed & table.delivered, group, -1), groups),
        "voice_loss_ratio": loss,
        "burst_ratio": burst,
        "r_factor": r,
        "mos": mos_of_r(r),
    }
