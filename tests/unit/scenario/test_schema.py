"""JSON schema of scenario files: it accepts every example, refuses mistakes, and describes every key."""

import json
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from jsonschema.validators import validator_for

from handoff.protocol.options import Options
from handoff.scenario.load import validate
from handoff.scenario.schema import build_schema, markdown_page, scenario_keys
from tests.unit.scenario.sample_scenarios import COMMUTERS, MINIMAL

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "examples").glob("*.toml"))
SCHEMA = build_schema()
VALIDATOR = validator_for(SCHEMA)(SCHEMA)


def errors(text):
    return [(list(error.absolute_path), error.validator) for error in VALIDATOR.iter_errors(tomllib.loads(text))]


def test_the_schema_is_valid():
    VALIDATOR.check_schema(SCHEMA)
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_accepted(path):
    assert errors(path.read_text()) == []


@pytest.mark.deep  # only where taplo is installed
def test_taplo_accepts_every_example(tmp_path):
    if (taplo := shutil.which("taplo")) is None:
        pytest.skip("taplo is not installed here")
    (tmp_path / "schema.json").write_text(json.dumps(SCHEMA))
    command = [taplo, "check", "--schema", (tmp_path / "schema.json").as_uri(), *map(str, EXAMPLES)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    (tmp_path / "bad.toml").write_text(MINIMAL.replace('"10s"', "10"))
    assert subprocess.run([*command, str(tmp_path / "bad.toml")], capture_output=True, timeout=60).returncode != 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[movement", '[options]\nlifetime = "1h30min"\nold_buffer_packets = "unlimited"\ndad = 0\n[movement'),
        ("size_bytes = 200", "size_bytes = 200\npoisson = true\nmobile_correspondent = { mn0 = 'mn1' }"),
        ('delay = "4ms"', 'delay = "4 ms"\nrate = "10Mbps"\nloss = "0.1%"\nup_loss = 1e-3\nbuffer_bytes = "64KiB"'),
        ("[movement", "[sweep]\nbuffer = ['10..50 step 10', 7]\nprocedures = 'all'\noptions.bicast = ['1s']\n[movement"),
        ("[movement", "[slo]\ntargets = 'loss_ratio<=1%'\n[[mixture]]\nprocedure = 'mipv6'\nmobiles = 'mn*'\n[movement"),
        ("[movement", "[[attack]]\nkind = 'registration flood'\nnode = 'cn'\nto = 'ha'\nrate = '9/s'\n[movement"),
    ],
)
def test_schema_and_models_accept_the_same_values(old, new):
    assert old in MINIMAL
    changed = MINIMAL.replace(old, new, 1)
    assert errors(changed) == []
    validate(tomllib.loads(changed), "s.toml")


def test_tables_may_be_inline():
    assert errors(COMMUTERS) == []


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('duration = "10s"', "duration = 10", ["duration"]),
        ('duration = "10s"', 'duration = "5m"', ["duration"]),
        ('duration = "10s"', 'duration = "-1s"', ["duration"]),
        ('name = "study"', 'name = "a b"', ["name"]),
        ('name = "study"', "", []),
        ('delay = "4ms"', 'delay = "4ms"\nshared = "yes"', ["routers", "cell", "shared"]),
        ('delay = "4ms"', 'delay = "4ms"\nloss = 1', ["routers", "cell", "loss"]),
        ('delay = "4ms"', 'delay = "4ms"\nbuffer_packets = 0', ["routers", "cell", "buffer_packets"]),
        ('delay = "4ms"', 'delay = "4ms"\nspeed = 3', ["routers", "cell"]),
        ("size_bytes = 200", "size_bytes = 70000", ["traffic", 0, "size_bytes"]),
        ("[movement]", '[options]\nrace = "last"\n[movement]', ["options", "race"]),
        ("[movement]", '[[mixture]]\nprocedure = "mipv5"\n[movement]', ["mixture", 0, "procedure"]),
    ],
)
def test_a_mistake_is_refused_at_its_place(old, new, place):
    assert old in MINIMAL
    assert [path for path, _ in errors(MINIMAL.replace(old, new, 1))] == [place]


def test_every_key_has_a_description_and_no_other_keyword_that_editors_do_not_know():
    for name, table in [("Scenario", SCHEMA), *SCHEMA["$defs"].items()]:
        for key, field in table["properties"].items():
            # pydantic leaves out a text that is also that of the table.
            text = field.get("description") or SCHEMA["$defs"][field["$ref"].rpartition("/")[2]]["description"]
            assert text.endswith((".", ")")), f"{name}.{key}"
            assert "title" not in field, f"{name}.{key}"
            assert {"type": "null"} not in field.get("anyOf", ()), f"{name}.{key}"
    assert all(key.description for key in scenario_keys())


def test_defaults_are_written_as_in_a_file():
    """Defaults of docs/procedures.md and docs/movement.md."""
    defaults = {key.path: key.default for key in scenario_keys()}
    assert defaults["options.lifetime"] == '"10min"'
    assert defaults["options.upstream_hold"] == "true"
    assert defaults["coverage.minimum"] == '"-100dBm"'
    assert defaults["coverage.exponent"] == "3.5"
    assert defaults["movement.gauss_markov.memory"] == "0.9"
    assert defaults["routers.cell.rate"] == defaults["duration"] == ""


def test_options_have_the_texts_of_their_class():
    texts = Options.descriptions()
    assert sorted(texts) == sorted(Options.__dataclass_fields__)
    assert texts["dad_ps"].startswith("Duration of duplicate address detection of a new care-of address")
    assert texts["old_buffer_packets"] == texts["old_buffer_bytes"]
    descriptions = {key.path: key.description for key in scenario_keys()}
    assert descriptions["options.bicast"].startswith("Time that the old binding remains in addition to the new one.")
    assert "'bicast_linger'" in descriptions["options.bicast"]


def test_the_page_of_keys_is_up_to_date():
    """Write it with ``handoff schema --markdown > docs/keys.md``."""
    assert (ROOT / "docs" / "keys.md").read_text() == markdown_page() + "\n"
