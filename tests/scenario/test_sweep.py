"""``[sweep]`` and ``[slo]``: what they say, and each mistake with its line."""

from pathlib import Path

import pytest

from handoff.protocol.procedures import PROCEDURES
from handoff.scenario import ScenarioError, load_scenario
from tests.scenario.test_errors import GOOD

LINES = GOOD.count("\n")
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


def loaded(tmp_path: Path, text: str):
    path = tmp_path / "s.toml"
    path.write_text(text)
    return load_scenario(path)[0]


def test_what_is_said(tmp_path):
    scenario = loaded(tmp_path, GOOD + SWEEP)
    assert scenario.sweep.fields == {
        "buffer": ("10", "30", "50"),
        "routers.cell.delay": ("4ms", "8ms"),
        "options.upstream_early": ("true", "false"),
        "agent_service": ("1ms", "2ms", "3ms", "10ms"),
    }
    assert scenario.sweep.zip == [["routers.cell.delay", "options.upstream_early"]]
    assert (scenario.sweep.runs, scenario.sweep.warmup, scenario.sweep.batches) == (7, 2 * 10**12, 1)
    assert scenario.slo.targets == ["loss_ratio<=1e-4", "registration_delay_p99 <= 50ms"]


def test_all_procedures_and_strict_targets(tmp_path):
    text = SWEEP.replace('["mipv4", "mipv6"]', '"all"').replace("loss_ratio<=1e-4", "ha>gw0.utilisation < 0.9")
    scenario = loaded(tmp_path, GOOD + text)
    assert scenario.sweep.procedures == list(PROCEDURES)
    assert scenario.slo.targets[0] == "ha>gw0.utilisation < 0.9"


MISTAKES = [
    ('buffer = "10..50 step 20"', 'buffer = "10..50 step"', "3: sweep.buffer: '10..50 step' is not a range: write '10..50 st"),
    ('buffer = "10..50 step 20"', 'bufer = "10..50 step 20"', "3: sweep: bufer: nothing of a scenario; did you mean 'buffer'?"),
    ('buffer = "10..50 step 20"', "buffer = []", "3: sweep.buffer: there is no value: give some, or leave the field out"),
    ('buffer = "10..50 step 20"', "buffer = [[10, 20]]", "3: sweep.buffer: [10, 20] is not a value that can vary: give texts"),
    ('"routers.cell.delay" =', '"routers.cel.delay" =', "2: sweep: zip: no field 'routers.cell.delay' varies; there are 'b"),
    ('agent_service = ["1ms', 'options.lifetim = ["1ms', "6: sweep: options.lifetim: unknown key; did you mean 'lifetime'?"),
    ('agent_service = ["1ms', 'lead_time = ["1ms', "6: sweep: lead_time: this scenario has none; it would be movement.commuters"),
    ('agent_service = ["1ms', 'agent_service = ["5s', "6: sweep.agent_service: '5s..3ms step 1ms' goes down: write the "),
    ("[true, false]", "[true]", "2: sweep: zip: fields that go side by side have equally many values: 'routers"),
    ('zip = [["routers.cell.delay", ', 'zip = [[', "7: sweep.zip.0: list should have at least 2 items"),
    ("procedures =", "proceduers =", "8: sweep: proceduers: no field of a scenario; did you mean 'procedures'?"),
    ("runs = 7", "runs = 0", "9: sweep.runs: input should be greater than or equal to 1, not 0"),
    ('warmup = "2s"', "warmup = 2", "10: sweep.warmup: 2 has no unit: write text with one, as in '20ms'"),
    ('"loss_ratio<=1e-4"', '"loss_ratio=1e-4"', "14: slo.targets: 'loss_ratio=1e-4' is not a target: write a "),
    ("targets =", "target =", "13: slo.targets: is missing; it has to be given"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "message"), MISTAKES, ids=[new for _, new, _ in MISTAKES])
def test_each_mistake_has_its_line(tmp_path, old, new, message):
    line, _, words = message.partition(":")
    with pytest.raises(ScenarioError) as caught:
        loaded(tmp_path, GOOD + SWEEP.replace(old, new, 1))
    told = f"{tmp_path / 's.toml'}:{LINES + int(line)}:{words}"
    assert [problem.startswith(told) for problem in caught.value.problems].count(True) == 1, caught.value.problems


def test_all_mistakes_are_said_at_once(tmp_path):
    text = GOOD + SWEEP
    for old, new in (("runs = 7", "runs = 0"), ('warmup = "2s"', "warmup = 2"), ("step 20", "step"), ('"loss_ratio<=1e-4"', "3")):
        text = text.replace(old, new, 1)
    with pytest.raises(ScenarioError) as caught:
        loaded(tmp_path, text)
    assert [int(problem.split(":")[1]) - LINES for problem in caught.value.problems] == [3, 9, 10, 14]
