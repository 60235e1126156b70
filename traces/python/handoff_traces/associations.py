"""Association logs: intervals in which mobile nodes were attached to routers."""

from dataclasses import dataclass, field
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from handoff_traces import _native
from handoff_traces.bad_records import OnBadRecord


@dataclass(frozen=True, slots=True, eq=False)
class Associations:
    """Columns of an association log. Each entry is an attachment, in the order of the file.

    Attributes
    ----------
    mobile, router : ndarray of uint32, shape (n,)
        Indices into ``mobile_names`` and ``router_names``.
    up_ps : ndarray of int64, shape (n,)
        Time in picoseconds at which the link comes up.
    down_ps : ndarray of int64, shape (n,)
        Time in picoseconds at which it goes down; -1 if it stays up until the end.
    predict_ps : ndarray of int64, shape (n,)
        Time in picoseconds at which layer 2 predicts the end of the attachment; -1 without a prediction.
    going_down_ps : ndarray of int64, shape (n,)
        Time in picoseconds at which layer 2 announces that the link is about to go down; -1 without an announcement.
    mobile_names, router_names : list of str
        In order of first appearance.
    begin_ps : int
        Time of the file that is 0 in the columns, in picoseconds.
    skipped : dict of str to int
        Numbers of bad records that were left out, by reason.
    format : str
        Format of the file.
    epoch_ps : int or None
        Time 0 in picoseconds since 1970 (UTC); None if the file has no dates.
    """

    mobile: NDArray[np.uint32]
    router: NDArray[np.uint32]
    up_ps: NDArray[np.int64]
    down_ps: NDArray[np.int64]
    predict_ps: NDArray[np.int64]
    going_down_ps: NDArray[np.int64]
    mobile_names: list[str]
    router_names: list[str]
    begin_ps: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    format: str = "associations"
    epoch_ps: int | None = None

    def __len__(self) -> int:
        return len(self.mobile)


def read_associations(
    path: str | PathLike[str], begin_ps: int | None = 0, *, on_bad_record: OnBadRecord = "refuse"
) -> Associations:
    """Read an association log.

    The log is a CSV file with the header ``mobile,router,up_s,down_s,predict_s,going_down_s``. Times are non-negative decimal
    seconds with up to 12 decimals; they are converted exactly. ``down_s``, ``predict_s`` and ``going_down_s`` may be empty. The
    lines of a mobile node are in the order of ``up_s``. Its attachments may overlap at different routers, but not at the same
    router. ``read_cell_log`` reads logs of other programs.

    Parameters
    ----------
    path : path
        The log.
    begin_ps : int or None
        Time of the file that becomes 0, in picoseconds, so that a log of UNIX times fits int64; None for the first ``up_s``.
        Attachments that end by then are left out.
    on_bad_record : {"refuse", "skip", "keep-first"}
        What happens to a wrong line: the file is refused; the line is left out; or only a line that contradicts an earlier one is
        left out.

    Returns
    -------
    Associations
        All attachments.

    Raises
    ------
    TraceError
        If the file cannot be read or a line is wrong. The error lists the first 20 problems and the number of all.
    """
    return Associations(**_native.read_associations(path, begin_ps, on_bad_record))
