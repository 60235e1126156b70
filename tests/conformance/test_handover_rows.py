"""Prepared handovers: messages with every hop and their sizes, tables over time, paths of data, by hand."""

from __future__ import annotations

from typing import Any

import pytest

from handoff.protocol.messages import MessageFields
from handoff.protocol.procedures import HANDOVERS
from tests.conformance.case_runs import assert_messages, path_rows, run_case, table_rows
from tests.conformance.cases_handovers import CASES as GATED_CASES
from tests.conformance.cases_ungated import UNGATED_CASES

CASES = GATED_CASES | UNGATED_CASES
SAME_STEPS = {"xn-ungated": "x2-ungated", "xn-um": "x2-um"}
"""Variants of ``xn`` that differ from it as those of ``x2`` differ from ``x2``."""
IN_EVERY_RUN = ("x2", "s1-indirect", "cho-early", "fmipv6-reactive")
"""Cases whose paths of data are checked without ``--deep``."""
R, R2 = 1000, 100
"""Sizes of the containers in the request and in the command."""
SIZES = {  # bytes of IP; a message that is not listed has the size of the row's family
    "lte": {
        "MR": 60, "HC": 120, "HOC": 30, "HRQ": 184 + R, "HRA": 108 + R2, "SN": 88, "PSR": 124, "MBQ": 62, "EM": 36, "MBR": 74,
        "PSA": 108, "UCR": 68, "RRE": 30,
        "RCQ": 48 + 40, "RCR": 48 + 100 + R,  # payloads of 37 and 98 bytes, padded to 4
    },
    "s1-indirect": {
        "HRD": 140 + R, "HRQ": 192 + R, "HRA": 124 + R2, "CFQ": 62, "CFR": 74, "HCD": 120 + R2, "EST": 92, "MST": 92, "HN": 96,
        "UCC": 76, "UCM": 72, "DFQ": 40, "DFR": 46,
    },
    # XnAP: payloads of 155, 53, 39, 34, 36 and 23 bytes (HRQ, HRA, SN, ES, HS, UCR) behind 48 bytes, padded to 4
    "5g": {
        "MR": 60, "HC": 120, "HOC": 30, "HRQ": 204 + R, "HRA": 104 + R2, "SN": 88, "ES": 84, "HS": 84, "PSR": 124, "SMQ": 1500,
        "SMR": 600, "SRQ": 89, "SRR": 49, "EM": 44, "PSA": 124, "UCR": 72, "REL": 40,
    },
    "n2": {
        "SMQ1": 1500, "SMQ2": 1500, "SMQ3": 1500, "SMR1": 600, "SMR2": 600, "SMR3": 600, "HRD": 152 + R, "HRQ": 236 + R,
        "HRA": 116 + R2, "SRQ2": 137, "SRQ3": 89, "SRR2": 49, "SRR3": 49, "HCD": 108 + R2, "EST": 88, "MST": 88, "HN": 92,
        "UCC": 76, "UCM": 72, "DFQ": 66, "DFR": 49,
    },
    "fast": {
        "RSP": 80, "PRA": 104, "FBU": 120, "HI": 104, "HAK": 56, "FBA": 96, "FBN": 96, "UNA": 72, "BU1": 96, "BA1": 80,
        "FBU2": 96, "FBA2": 96, "HI2": 80, "HAK2": 56,
    },
    # F1 carries MR and HOC as they are; FA is like FR; the cell switch has 10 bytes on the air, and here a UDP packet of 28
    "ltm": {"FQ": 200, "FR": 150, "CFG": 200, "LR": 28, "HC": 28, "CSN": 60, "HOC": 30, "HOC1": 30, "FA": 150},
    "pmipv6-transient": {"ATT": 56, "BUT": 104, "BAT": 104, "BU": 96, "BA": 96},
    "dmm": {"ATT": 56, "BU": 96, "BUS": 120, "BAS": 120, "BAP": 136},
    "dmm-locator": {"BAP": 96},
    "pfmipv6": {"MR": 60, "HI": 120, "HAK": 72, "ATT1": 56, "ATT": 56, "HC": 56, "BU": 96, "BA": 96, "HI2": 72, "HAK2": 120},
}  # fmt: skip


def expected_sizes(name: str) -> dict[str, int]:
    procedure = CASES[name].procedure
    sizes = SIZES[HANDOVERS[procedure].family]
    for prefix in ("s1-indirect", "n2", "ltm", "pfmipv6", "pmipv6-transient", "dmm", "dmm-locator"):
        sizes = sizes | (SIZES[prefix] if procedure.startswith(prefix) else {})
    return sizes


def test_every_row_has_a_case():
    assert {case.procedure for case in CASES.values()} | SAME_STEPS.keys() == HANDOVERS.keys()


@pytest.mark.parametrize("name", CASES)
def test_messages_with_every_hop(name):
    assert_messages(CASES[name])


@pytest.mark.parametrize("name", CASES)
def test_sizes_of_messages(name):
    view = run_case(CASES[name], request_container_bytes=R, command_container_bytes=R2)
    sent = [
        (view.message(MessageFields.unpack(action.arguments["args"])), action.arguments["size_bytes"])
        for action in view.actions if action.verb == "send"
    ]  # fmt: skip
    expected = expected_sizes(name)
    assert sent == [(message, expected[message]) for message, _ in sent]


@pytest.mark.parametrize(("name", "node", "at", "entry"), table_rows(CASES))
def test_tables(name, node, at, entry):
    assert run_case(CASES[name]).table(node, at) == entry


def paths(direction: str) -> list[Any]:
    """Return the rows of paths, of which those of ``IN_EVERY_RUN`` run without ``--deep``."""
    others = {name: case for name, case in CASES.items() if name not in IN_EVERY_RUN}
    deep = [pytest.param(*row.values, marks=pytest.mark.deep) for row in path_rows(others, direction)]
    return path_rows({name: CASES[name] for name in IN_EVERY_RUN}, direction, deep_ends=True) + deep


@pytest.mark.parametrize(("name", "sent", "path"), paths("down"))
def test_paths_downstream(name, sent, path):
    case = CASES[name]
    assert case.scene.path(case.procedure, down=sent, **case.options) == path


@pytest.mark.parametrize(("name", "sent", "path"), paths("up"))
def test_paths_upstream(name, sent, path):
    case = CASES[name]
    assert case.scene.path(case.procedure, up=sent, **case.options) == path


@pytest.mark.parametrize(("name", "like"), SAME_STEPS.items())
def test_variants_of_xn_differ_from_it_as_those_of_x2(name, like):
    """``-ungated`` has no gate; ``-um`` stops instead of forwarding, and sends no status."""
    row, base, other, other_base = HANDOVERS[name], HANDOVERS["xn"], HANDOVERS[like], HANDOVERS["x2"]
    assert (row.gate, row.forwarding) == (other.gate, other.forwarding)
    own, others = set(base.signalling) ^ set(row.signalling), set(other_base.signalling) ^ set(other.signalling)
    assert [(s.message, s.first) for s in sorted(own, key=str)] == [(s.message, s.first) for s in sorted(others, key=str)]
