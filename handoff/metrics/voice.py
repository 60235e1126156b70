"""Voice quality (ITU-T G.107, the E-model, with its defaults for everything but delay, codec and loss)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.columns import Int
from handoff.metrics.grouped import Float, count, mean, ratio
from handoff.metrics.loss import loss_periods
from handoff.metrics.packet_table import build_packet_table

CODECS = {"G.711": (0.0, 25.1), "G.729A": (11.0, 19.0)}
"""Equipment impairment Ie and packet-loss robustness Bpl (ITU-T G.113, appendix I; G.711 with loss concealment)."""

PS_PER_MS = 10**9


def r_factor(
    delay_ms: npt.ArrayLike, loss_percent: npt.ArrayLike, ie: float, bpl: float, burst_ratio: npt.ArrayLike = 1
) -> Float:
    """Transmission rating factor R.

    ``R = 93.2 - Id - Ie,eff`` with ``Id = 0.024 d + 0.11 (d - 177.3) H(d - 177.3)`` (Cole and Rosenbluth's fit of the
    delay impairment) and ``Ie,eff = Ie + (95 - Ie) P / (P / BurstR + Bpl)`` (G.107, 7-29).

    Parameters
    ----------
    delay_ms : array_like
        One-way delay from mouth to ear, ms.
    loss_percent : array_like
        Packets lost, percent.
    ie, bpl : float
        Of the codec, see :data:`CODECS`.
    burst_ratio : array_like
        Mean length of the loss periods over that of random loss at the same ratio; 1 for random loss.
    """
    d, p, burst = (np.asarray(x, np.float64) for x in (delay_ms, loss_percent, burst_ratio))
    impairment = 0.024 * d + 0.11 * np.maximum(d - 177.3, 0)
    return np.asarray(93.2 - impairment - (ie + (95 - ie) * p / (p / burst + bpl)), np.float64)


def mos_of_r(r: npt.ArrayLike) -> Float:
    """Mean opinion score of a rating factor (G.107, B-4): 1 to 4.5.

    The cubic dips below 1 for R under 6.5; 1 is meant, because it is the scale's end.
    """
    x = np.clip(np.asarray(r, np.float64), 0, 100)
    return np.asarray(np.maximum(1 + 0.035 * x + 7e-6 * x * (x - 60) * (100 - x), 1), np.float64)


def mos(
    delay_ms: npt.ArrayLike, loss_percent: npt.ArrayLike, ie: float, bpl: float, burst_ratio: npt.ArrayLike = 1
) -> Float:
    """Mean opinion score, 1 to 4.5; parameters as of :func:`r_factor`."""
    return mos_of_r(r_factor(delay_ms, loss_percent, ie, bpl, burst_ratio))


def voice_metrics(
    columns: Mapping[str, Int], group: Int, groups: int, *,
    ie: float = 0.0, bpl: float = 25.1, playout_ps: int | None = None, codec_delay_ps: int = 0,
) -> dict[str, npt.NDArray[Any]]:  # fmt: skip
    """Voice quality of each group of packets.

    Parameters
    ----------
    columns, group, groups
        As of :func:`handoff.metrics.group_metrics`.
    ie, bpl : float
        Of the codec, see :data:`CODECS`; G.711 if not given.
    playout_ps : int, optional
        Depth of a fixed playout buffer: a packet is played the flow's smallest delay plus this after it was sent, and
        is lost to the listener if it arrives later. Without one, delay is the mean one-way delay and nothing is late.
    codec_delay_ps : int
        Delay of coding, packetisation and decoding, added to the network's.

    Returns
    -------
    dict of str to ndarray
        ``voice_delay_ps`` (mean from mouth to ear; -1 if nothing is played), ``voice_late`` (delivered, but too late to be
        played), ``voice_loss_ratio`` (lost or late, of those that are not unfinished), ``burst_ratio`` (mean length of the
        loss periods times ``1 - loss ratio``, not below 1), ``r_factor`` and ``mos``. The ratio, R and MOS of a group
        without a finished packet are NaN; R is 0 and MOS 1 where everything was lost.
    """
    table = build_packet_table(columns, group, groups)
    used = table.group >= 0
    played = table.delivered & used
    heard_ps = table.delay_ps
    if playout_ps is not None:
        played &= table.pdv_ps <= playout_ps
        heard_ps = table.delay_ps - table.pdv_ps + np.int64(playout_ps)
    missed = used & ~table.unfinished & ~played
    heard = count(table.group[played], groups)
    gone = count(table.group[missed], groups)
    loss = ratio(gone, heard + gone)
    periods = loss_periods(table, missed)
    # mean length * (1 - p) = (gone / periods) * (1 - p); nothing is lost: 1
    number = np.maximum(count(periods.group, groups), 1)
    burst = np.maximum(gone / number * (1 - np.nan_to_num(loss)), 1)
    delay = mean(heard_ps[played], table.group[played], groups)
    delay[heard > 0] += codec_delay_ps
    r = np.where(heard > 0, r_factor(delay / PS_PER_MS, 100 * loss, ie, bpl, burst), np.where(gone > 0, 0.0, np.nan))
    return {
        "voice_delay_ps": delay,
        "voice_late": count(table.group[missed & table.delivered], groups),
        "voice_loss_ratio": loss,
        "burst_ratio": burst,
        "r_factor": r,
        "mos": mos_of_r(r),
    }
