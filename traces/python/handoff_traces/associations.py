"""Association logs: which mobile was attached to which router, from when to when."""

from dataclasses import dataclass
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from traces import _native


@dataclass(frozen=True, slots=True, eq=False)
class Associations:
    """An association log, one entry of each column an attachment, in the order of the file.

    Attributes
    ----------
    mobile, router : ndarray of uint32, shape (n,)
        Indices into ``mobile_names`` and ``router_names``.
    up_ps : ndarray of int64, shape (n,)
        When the link comes up, in picoseconds.
    down_ps : ndarray of int64, shape (n,)
        When it goes down; -1 where it stays up until the end.
    predict_ps : ndarray of int64, shape (n,)
        When layer 2 predicts that the mobile will leave this attachment; -1 where it does not.
    going_down_ps : ndarray of int64, shape (n,)
        When layer 2 says that this link is about to go down; -1 where it does not.
    mobile_names, router_names : list of str
        In order of first appearance.
    """

    mobile: NDArray[np.uint32]
    router: NDArray[np.uint32]
    up_ps: NDArray[np.int64]
    down_ps: NDArray[np.int64]
    predict_ps: NDArray[np.int64]
    going_down_ps: NDArray[np.int64]
    mobile_names: list[str]
    router_names: list[str]

    def __len__(self) -> int:
        return len(self.mobile)


def read_associations(path: str | PathLike[str]) -> Associations:
    """Read an association log.

    A CSV file with the header ``mobile,router,up_s,down_s,predict_s,going_down_s``; times are decimal seconds, not
    negative, with up to 12 decimals, and converted exactly. ``down_s``, ``predict_s`` and ``going_down_s`` may be empty.
    The lines of one mobile are in order of ``up_s``; its attachments may overlap at different routers, not at one.

    Parameters
    ----------
    path : path
        The log.

    Returns
    -------
    Associations
        All attachments.

    Raises
    ------
    TraceError
        If the file cannot be read or any line is wrong; names the first 20 of all problems and their count.
    """
    return Associations(**_native.read_associations(path))
