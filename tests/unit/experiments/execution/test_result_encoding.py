"""Results of runs as bytes: the same values of the same types, and nothing but results from bytes."""

import copy
import dataclasses
import json
import pickle

import numpy as np
import pytest

from handoff.experiments.execution.result_encoding import decode_result, encode_result
from handoff.scenario.scenario import Scenario
from handoff.simulation.study import run_study
from handoff.workload.build import build_setup
from tests.unit.experiments.execution.short_tasks import walk_scenario

LIMIT = 10**8


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Return a run of one procedure and one of a mixture, with everything that a run can record."""
    folder = tmp_path_factory.mktemp("study")
    tables = json.loads(walk_scenario(folder)) | {"mixture": [{"procedure": "sync-mipv4"}]}
    setup = build_setup(Scenario.model_validate(tables), folder / "walk.toml", 1)
    return run_study(setup, ["mipv4", "mixture"], detail=True, series_ps=10**11, packets_around=True)


@pytest.fixture
def runs(study):
    """Return copies of both runs, which a test can change."""
    return copy.deepcopy(study)


def parts(value):
    """Return types and values all the way down; arrays with the types and bytes of their elements."""
    if dataclasses.is_dataclass(value):
        return type(value), {field.name: parts(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return dict, {name: parts(item) for name, item in value.items()}, list(value)
    if isinstance(value, tuple | list):
        return type(value), [parts(item) for item in value]
    if isinstance(value, np.ndarray) and value.dtype == object:
        return "object", value.shape, [(type(item), item) for item in value.tolist()]
    if isinstance(value, np.ndarray | np.generic):
        return type(value), value.dtype, value.shape, value.tobytes()
    return type(value), repr(value)


def test_a_decoded_result_has_the_same_values_of_the_same_types(runs):
    plain, mixed = runs
    assert (len(plain.series.links["row"]) > 0, len(plain.packets_around["packets"]) > 0, len(mixed.groups)) == (True, True, 1)
    for run in (plain, mixed):
        again = decode_result(encode_result(run, LIMIT))
        assert parts(again) == parts(run)
        again.handoffs["lost"][:] = 0  # the arrays can be changed, as those of a run
    plain.result.flows["delay_sum_ps"][0] = 2**70  # 37 years: beyond an int64
    plain.batches = (mixed,)
    assert parts(decode_result(encode_result(plain, LIMIT))) == parts(plain)


def test_values_of_other_types_are_refused(runs):
    run, _ = runs
    for value in ({1}, np.array([{}, {}]), np.array([None]), object(), {1: "one"}, np.datetime64(0, "s"), True + 0j):
        run.ended_by = value
        with pytest.raises(TypeError, match="cannot be stored"):
            encode_result(run, LIMIT)


def framed(text, rest=b""):
    """Return a JSON text with its length before it, as in a result."""
    return len(text).to_bytes(8, "little") + text + rest


HOSTILE = {
    "empty": b"",
    "pickle": pickle.dumps(print),
    "length": (2**63).to_bytes(8, "little"),
    "no JSON": framed(b"{"),
    "number": framed(b"3"),
    "object": framed(b'{"a": 1}'),
    "unknown class": framed(b'["Path", {"a": "b"}]'),
    "module": framed(b'["os.system", {"command": "true"}]'),
    "fields": framed(b'["RunResult", {"procedure": "mipv4"}]'),
    "another class": framed(b'["ByteCounts", {"air": 1, "core": 2}]'),
    "objects": framed(b'["array", "|O", [1]]', bytes(8)),
    "void": framed(b'["array", "V8", [1]]', bytes(8)),
    "negative": framed(b'["array", "<i8", [-1]]', bytes(8)),
    "product of two negatives": framed(b'["array", "<i8", [-1, -1]]', bytes(8)),
    "fraction": framed(b'["array", "<i8", [1.0]]', bytes(8)),
    "too short": framed(b'["array", "<i8", [2]]', bytes(8)),
    "huge": framed(b'["array", "<i8", [4611686018427387904]]'),
    "depth": framed(b"[" * 10**5),
    "deep lists": framed(b'["list", [' * 5000 + b"]]" * 5000),
    "text among sums": framed(b'["integers", ["1"]]'),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=list(HOSTILE))
def test_other_bytes_are_no_result(data):
    with pytest.raises(ValueError, match="no result"):
        decode_result(data)


def test_bytes_behind_a_result_are_refused(runs):
    run, _ = runs
    with pytest.raises(ValueError, match="no result"):
        decode_result(encode_result(run, LIMIT) + b"\0")
    with pytest.raises(ValueError, match="no result"):
        decode_result(encode_result(run, LIMIT)[:-1])


def test_a_result_above_the_limit_is_refused_before_its_arrays_are_copied(study):
    size = len(encode_result(study[0], LIMIT))
    assert len(encode_result(study[0], size)) == size
    with pytest.raises(ValueError, match=f"{size:,} bytes are more than {size - 1:,}"):
        encode_result(study[0], size - 1)
