"""Tables ``[[background]]``: every mistake is reported at once."""

import pytest

from handoff.scenario.load import ScenarioError, load_scenario

BASE = """
name = "core"
duration = "10s"
home_agent = { name = "upf" }
correspondent = { name = "dn" }
node = [{ name = "amf" }, { name = "rogue" }]
link = [
    { between = ["dn", "upf"], delay = "10ms" }, { between = ["upf", "amf"], delay = "1ms" },
    { between = ["upf", "rogue"], delay = "1ms" },
]
traffic = [{ interval = "20ms", size_bytes = 200 }]
attack = [{ kind = "registration flood", node = "rogue", to = "upf", rate = "1/s" }]

[routers]
names = ["gnb0", "gnb1"]
wired_to = "upf"
wired = { delay = "5ms" }
cell = { delay = "2ms" }

[movement.commuters]
mobile_nodes = 3
handoff_rate = "75/h"
gap = "20ms"
"""


def problems(tmp_path, *tables):
    path = tmp_path / "s.toml"
    path.write_text(BASE + "".join(f"\n[[background]]\n{table}\n" for table in tables))
    try:
        load_scenario(path)
    except ScenarioError as error:
        return [line.partition("s.toml:")[2].partition(" ")[2] for line in str(error).splitlines()]
    return []


VALID = 'name = "{}"\nrate = "3/h"\nmessages = {{ amf = 6, upf = 1 }}'


def test_a_valid_background(tmp_path):
    profile = "\nsize_bytes = 200\nprofile = [0.2, 1, 1.5]"
    assert problems(tmp_path, VALID.format("area-update") + profile, VALID.format("session")) == []


def test_names_that_the_background_cannot_have(tmp_path):
    rest = 'rate = "3/h"\nmessages = {{ {} = 6 }}'
    names = [f'name = "{i}"\n' + rest.format(node) for i, node in enumerate(("mme", "gnb1", "rogue"))]
    assert problems(tmp_path, *names, 'name = "2"\n' + rest.format("amf")) == [
        "background.0.messages: no node 'mme'; there are upf, dn, amf, rogue, gnb0, gnb1",
        "background.1.messages: 'gnb1' is an access router: name an agent or a control node",
        "background.2.messages: 'rogue' is the node of an attacker: name another node",
        "background.3.name: '2' is listed twice: give each kind a name of its own",
    ]


@pytest.mark.parametrize("change", ['rate = "3"', "profile = []", "profile = [-1]", "messages = {}", "size_bytes = 20"])
def test_values_that_the_background_cannot_have(tmp_path, change):
    key = change.split()[0]
    table = "\n".join(line for line in VALID.format("x").splitlines() if not line.startswith(key))
    found = problems(tmp_path, f"{table}\n{change}")
    assert len(found) == 1
    assert found[0].startswith(f"background.0.{key}")
