"""Tables ``[sweep]`` and ``[slo]`` of a scenario file."""

from pathlib import Path

import pytest

from handoff.protocol.procedures import ALL_PROCEDURES
from handoff.scenario import ScenarioError, load_scenario
from handoff.scenario.experiment import zip_problems
from tests.unit.scenario.sample_scenarios import MINIMAL

LINES = MINIMAL.count("\n")
SWEEP = """
[sweep]
buffer = "10..50 step 20"
"routers.cell.delay" = ["4ms", "8ms", "4ms"]
options.upstream_early = [true, false]
agent_service = ["1ms..3ms step 1ms", "10ms"]
zip = [["routers.cell.delay", "options.upstream_early"]]
procedures = ["mipv4", "mipv6"]
runs = 7
warmup = "2s"
where = "buffer > 10"

[slo]
targets = ["loss_ratio<=1e-4", "registration_delay_p99 <= 50ms"]
"""


def load_text(tmp_path: Path, text: str):
    path = tmp_path / "s.toml"
    path.write_text(text)
    return load_scenario(path)[0]


def test_sweep_and_targets_are_read(tmp_path):
    scenario = load_text(tmp_path, MINIMAL + SWEEP)
    assert scenario.sweep.fields == {
        "buffer": ("10", "30", "50"),
        "routers.cell.delay": ("4ms", "8ms"),
        "options.upstream_early": ("true", "false"),
        "agent_service": ("1ms", "2ms", "3ms", "10ms"),
    }
    assert scenario.sweep.zip == [["routers.cell.delay", "options.upstream_early"]]
    assert (scenario.sweep.runs, scenario.sweep.warmup, scenario.sweep.batches) == (7, 2 * 10**12, 1)
    assert scenario.slo.targets == ["loss_ratio<=1e-4", "registration_delay_p99 <= 50ms"]


def test_all_selects_every_procedure_and_strict_targets_are_read(tmp_path):
    text = SWEEP.replace('["mipv4", "mipv6"]', '"all"').replace("loss_ratio<=1e-4", "ha>gw0.utilisation < 0.9")
    scenario = load_text(tmp_path, MINIMAL + text)
    assert scenario.sweep.procedures == list(ALL_PROCEDURES)
    assert scenario.slo.targets[0] == "ha>gw0.utilisation < 0.9"


MISTAKES = [
    ('buffer = "10..50 step 20"', 'buffer = "10..50 step"', "3: sweep.buffer: '10..50 step' is not a range: write '10..50 st"),
    ('buffer = "10..50 step 20"', 'bufer = "10..50 step 20"', "3: sweep: bufer: no field of a scenario; did you mean 'buffer'?"),
    ('buffer = "10..50 step 20"', "buffer = []", "3: sweep.buffer: there is no value: give some, or leave the field out"),
    ('buffer = "10..50 step 20"', "buffer = [[10, 20]]", "3: sweep.buffer: [10, 20] is not a value that can vary: give text"),
    ('"routers.cell.delay" =', '"routers.cel.delay" =', "2: sweep: zip: no field 'routers.cell.delay' varies; there are 'b"),
    ('agent_service = ["1ms', 'options.lifetim = ["1ms', "6: sweep: options.lifetim: unknown key; did you mean 'lifetime'?"),
    ('agent_service = ["1ms', 'lead_time = ["1ms', "6: sweep: lead_time: this scenario has no such field; it would be "),
    ('agent_service = ["1ms', 'agent_service = ["5s', "6: sweep.agent_service: '5s..3ms step 1ms' goes down: write the "),
    ("[true, false]", "[true]", "2: sweep: zip: fields of a group need equally many values: 'routers"),
    ('zip = [["routers.cell.delay", ', 'zip = [[', "7: sweep.zip.0: list should have at least 2 items"),
    ("procedures =", "proceduers =", "8: sweep: proceduers: no field of a scenario; did you mean 'procedures'?"),
    ("runs = 7", "runs = 0", "9: sweep.runs: input should be greater than or equal to 1, not 0"),
    ('warmup = "2s"', "warmup = 2", "10: sweep.warmup: 2 has no unit: write text with one, as in '20ms'"),
    ('"loss_ratio<=1e-4"', '"loss_ratio=1e-4"', "14: slo.targets: 'loss_ratio=1e-4' is not a target: write a "),
    ("targets =", "target =", "13: slo.targets: is missing; its table needs it"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "message"), MISTAKES, ids=[new for _, new, _ in MISTAKES])
def test_mistake_is_reported_with_its_line(tmp_path, old, new, message):
    line, _, words = message.partition(":")
    with pytest.raises(ScenarioError) as caught:
        load_text(tmp_path, MINIMAL + SWEEP.replace(old, new, 1))
    start = f"{tmp_path / 's.toml'}:{LINES + int(line)}:{words}"
    assert [problem.startswith(start) for problem in caught.value.problems].count(True) == 1, caught.value.problems


def test_all_mistakes_are_reported_together(tmp_path):
    text = MINIMAL + SWEEP
    for old, new in (("runs = 7", "runs = 0"), ('warmup = "2s"', "warmup = 2"), ("step 20", "step"), ('"loss_ratio<=1e-4"', "3")):
        text = text.replace(old, new, 1)
    with pytest.raises(ScenarioError) as caught:
        load_text(tmp_path, text)
    assert [int(problem.split(":")[1]) - LINES for problem in caught.value.problems] == [3, 9, 10, 14]


def test_zip_problems_are_all_reported():
    fields = {"a": ("1", "2"), "b": ("1",)}
    assert zip_problems(fields, [["a"]]) == ["zip: 'a': name at least two fields"]
    assert zip_problems(fields, [["a", "b"]]) == ["zip: fields of a group need equally many values: 'a' has 2, 'b' has 1"]
    assert zip_problems(fields, [["a", "c"], ["a", "a"]]) == [
        "zip: no field 'c' varies; there are 'a', 'b'",
        "zip: 'a' is listed twice: name each once",
    ]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ('["mipv4", "mipv4"]', "procedure 'mipv4'"),
        ('["mipv7"]', "no procedure 'mipv7'"),
        ("[4]", "should be a valid string, not 4"),
    ],
)
def test_mistake_in_procedures_is_reported(tmp_path, names, message):
    with pytest.raises(ScenarioError) as caught:
        load_text(tmp_path, MINIMAL + SWEEP.replace('["mipv4", "mipv6"]', names))
    (problem,) = caught.value.problems
    assert f":{LINES + 8}: sweep.procedures" in problem
    assert message in problem
