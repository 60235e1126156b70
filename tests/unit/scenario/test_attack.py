"""Tables ``[[attack]]``: every mistake is reported at once, and each kind has its keys."""

import pytest

from handoff.protocol.attacks import KINDS
from handoff.scenario.load import ScenarioError, load_scenario

BASE = """
name = "attack"
duration = "10s"
home_agent = { name = "ha" }
correspondent = { name = "cn" }
node = [{ name = "rogue" }, { name = "gw" }]
link = [{ between = ["cn", "ha"], delay = "10ms" }, { between = ["ha", "gw"], delay = "1ms" }]
traffic = [{ interval = "20ms", size_bytes = 200 }]

[routers]
names = ["ar0", "ar1"]
wired = { delay = "5ms" }
cell = { delay = "2ms" }

[[region]]
gateway = "gw"
routers = ["ar0", "ar1"]

[movement.commuters]
mobile_nodes = 3
handoff_rate = "75/h"
gap = "20ms"
"""


def problems(tmp_path, *tables):
    path = tmp_path / "s.toml"
    path.write_text(BASE + "".join(f"\n[[attack]]\n{table}\n" for table in tables))
    try:
        load_scenario(path)
    except ScenarioError as error:
        return str(error).replace(str(path), "s.toml")
    return ""


NODE = '\nnode = "rogue"\n'
VALID = {
    "forged registration": "", "forged update": 'to = "cn"', "registration flood": 'to = "ar0"\nrate = "5/s"\npoisson = true',
    "tunnel loop": 'to = "ha"\ncare_of = "ar0"', "reflection": 'to = "gw"',
} | dict.fromkeys((kind for kind in KINDS if kind.startswith(("replayed", "delayed"))), 'delay = "1s"')  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_read(kind, tmp_path):
    assert problems(tmp_path, f'kind = "{kind}"{NODE}{VALID[kind]}') == ""


def test_all_mistakes_of_tables_are_reported_with_their_lines(tmp_path):
    first = BASE.count("\n") + 2  # line of the header of the first table
    text = problems(
        tmp_path, 'kind = "forged registraton"', 'kind = "registration flood"\nnode = "rogue"',
        'kind = "replayed update"\nnode = "rogue"\nrate = "5"', 'kind = "reflection"\nnode = "rogue"\nto = "ha"\ntos = "x"',
    )  # fmt: skip
    assert text.splitlines() == [
        f"s.toml:{first}: attack.0.node: is missing; its table needs it (name of the node that it sends from)",
        f"s.toml:{first + 1}: attack.0.kind: 'forged registraton' is not one of "
        + ", ".join(map(repr, KINDS[:-1])) + f" or {KINDS[-1]!r}; did you mean 'forged registration'?",
        f"s.toml:{first + 3}: attack.1: 'registration flood' needs 'to'; 'registration flood' needs 'rate'",
        f"s.toml:{first + 10}: attack.2.rate: '5' is not a rate of events: "
        "write a number and one of /Mh, /h, /min, /s, as in '75/h'",
        f"s.toml:{first + 16}: attack.3.tos: unknown key; did you mean 'to'?",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ('kind = "replayed update"', "'replayed update' needs a 'delay' above 0"),
        ('kind = "delayed update"\ndelay = "0s"', "'delayed update' needs a 'delay' above 0"),
        ('kind = "delayed update"\ndelay = "1s"\nto = "cn"', "'to' does not apply to 'delayed update'"),
        ('kind = "forged update"\ndelay = "1s"', "'delay' does not apply to 'forged update'"),
        ('kind = "forged update"\nrate = "0/s"', "'rate' is above 0"),
        ('kind = "forged update"\npoisson = true', "'poisson' needs a 'rate'"),
        ('kind = "forged update"\npoisson = true\nrate = "3/h"', "'poisson' needs a 'rate' of at least 4/h"),
        ('kind = "forged update"\nstart = "2s"\nstop = "2s"', "'stop' must be later than 'start'"),
        ('kind = "reflection"\nto = "rogue"', "'to' is the attacker's own node 'rogue'"),
        ('kind = "tunnel loop"\nto = "ha"\ncare_of = "ha"', "'care_of' and 'to' are both 'ha'"),
        ('kind = "forged update"\nto = "ha"', "attack.0.to: 'ha' is no correspondent, which 'forged update' needs"),
        ('kind = "forged update"\ncare_of = "x"', "attack.0.care_of: no node 'x'; there are ha, gw, ar0, ar1, cn, rogue"),
        ('kind = "forged update"\nstart = "10s"', "attack.0.start: is at or after the end of the run"),
        ('kind = "forged update"\nrate = "1000001/s"', "attack.0.rate: makes more than 10,000,000 messages"),
    ],
)
def test_a_wrong_key_is_named(keys, message, tmp_path):
    assert message in problems(tmp_path, keys + NODE)


def test_an_attacked_node_has_no_attacker(tmp_path):
    loop = 'kind = "tunnel loop"\nnode = "rogue"\nto = "ha"\ncare_of = "ar0"'
    replay = 'kind = "replayed update"\nnode = "ar0"\ndelay = "1s"'
    assert "attack.0: 'ar0' is the node of an attacker, which cannot be attacked" in problems(tmp_path, loop, replay)
