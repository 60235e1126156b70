"""``handoff explain``, ``measures``, ``schema`` and ``completion``."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from handoff.cli.commands.completion import SHELLS
from handoff.cli.main import main
from handoff.cli.message_terms import EFFECT_WORDS, EVENT_WORDS, FIRST_WORDS, MESSAGE_WORDS, ROLE_WORDS
from handoff.cli.tables import COLUMNS
from handoff.cli.terms import GLOSSARY, all_terms, find_terms
from handoff.metrics.catalogue import LINK_PARTS, MEASURES, NODE_PARTS
from handoff.protocol.messages import KINDS, message_kind
from handoff.protocol.procedures import ALL_PROCEDURES, EVENTS
from handoff.protocol.procedures.steps import EFFECTS, FIRST_ACTIONS, ROLES

ROOT = Path(__file__).parents[2]
COMMUTE = str(ROOT / "examples" / "commute.toml")


def invoke(*words):
    done = CliRunner().invoke(main, words)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("term", "heading", "words"),
    [
        ("marker", "Marker (term)", "last on the old path"),
        ("markers", "Marker (term)", "last on the old path"),
        ("I/II/III", "Scenario I, II, III (term)", "- II: the warning comes before the marker"),
        ("III", "Scenario I, II, III (term)", "- III: single access"),
        ("GFA", "Gateway (GFA, MAP), region (term)", "gateway foreign agent (GFA)"),
        ("DRR", "Message names (RQ, RR, DRR, BU, BA, DBU, DBA) (term)", "deregistration reply (DRR)"),
        ("loss_ratio", "loss_ratio (measure)", "lost / (lost + delivered) (RFC 7680); ratio"),
        ("ha.registration_wait_mean", "NODE.registration_wait_mean (measure)", "registration server"),
        ("sync-mipv4", "sync-mipv4 (procedure)", "synchronized procedure; anchor HA; RFC 5944"),
        ("options.bicast", "options.bicast (key)", "Time that the old binding remains"),
        ("up_rate", "routers.cell.up_rate (key)", "Transmission rate of the uplink"),
        ("seamless", "Seamless handoff (seamless, late) (term)", "A packet is late if"),
        ("disruption p99", "disruption_p99 (measure)", "time"),
        ("latency p50/p99", "latency_p99 (measure)", "time"),
        ("HO COMMAND", "HC (message)", "Handover command, by which the source sends the mobile node to the target."),
        ("Handover Command", "HCD (message)", "AMF or MME to old router"),
        ("MR", "MR (message)", "mobile node to old router, when the move is announced (x2, "),
        ("HRQ", "HRQ (message)", "old router to new router, on MR; the new router then buffers for the mobile node (x2, "),
        ("XnAP Handover Success", "HS (message)", "the old router then forwards to the new router (cho-late, cho-early, daps)"),
        ("BU2", "BU (message)", "Binding update (RFC 6275)"),
        ("DRR", "DRR (message)", "home agent to mobile node by way of old router, on RQ (sync-mipv4)"),
        ("BUS", "BUS (message)", "of the database to the first router (RFC 8885)"),
        ("synchronized", "synchronized (family of procedures)", "sync-mipv4, sync-mipv4-ro, sync-hmipv4"),
        ("5g", "5g (set of procedures)", "With --procedures 5g: xn, xn-ungated, xn-um"),
        ("oAR", "oAR (role)", "the source base station"),
        ("UPF", "HA (role)", "which is the serving gateway or the UPF"),
        ("CoTI", "CoTI (message)", "Care-of test init of return routability"),
        ("buffer", "buffer (short name)", "options.new_buffer_packets and options.old_buffer_packets"),
    ],
)
def test_a_term_is_explained(term, heading, words):
    code, out, err = invoke("explain", term)
    assert (code, err) == (0, "")
    assert heading in out.splitlines()
    assert words in " ".join(out.split())


@pytest.mark.parametrize("column", COLUMNS)
def test_every_column_of_a_comparison_is_explained(column):
    if column != "procedure":
        assert {term.kind for term in find_terms(column)} & {"term", "measure"}


def test_a_term_of_several_words_needs_no_quotes():
    assert invoke("explain", "care-of", "address")[1].startswith("Care-of address (term)\n")


@pytest.mark.parametrize(
    ("term", "hint"),
    [("mipv5", "did you mean 'mipv4'"), ("markr", "did you mean 'Marker'"), ("xyzzy", "handoff explain --list shows all")],
)
def test_an_unknown_term_is_answered_with_similar_ones(term, hint):
    code, out, err = invoke("explain", term)
    assert (code, out) == (2, "")
    assert err.startswith(f"no term {term!r}; {hint}")


def test_every_term_of_the_glossary_every_procedure_measure_and_key_is_found():
    headings = re.findall(r"^\*\*([^*]+)\.\*\*", GLOSSARY.read_text(), re.M)
    terms = all_terms()
    assert [" ".join(heading.split()) for heading in headings] == [term.names[0] for term in terms if term.kind == "term"]
    names = {name for term in terms for name in term.names}
    assert {*ALL_PROCEDURES, *MEASURES, *NODE_PARTS, *LINK_PARTS, "link.rate", "traffic.select.port", "link_rate"} <= names
    assert all(term.text.strip() and term in find_terms(term.names[0]) for term in terms[::25])


def test_every_message_of_a_procedure_and_every_name_in_its_protocol_is_found():
    for kind in KINDS:
        assert [term.names[0] for term in find_terms(kind) if term.kind == "message"] == [kind]
    assert set(MESSAGE_WORDS) == set(KINDS)
    assert set(ROLE_WORDS) == set(ROLES)
    assert (set(EFFECT_WORDS), set(FIRST_WORDS), set(EVENT_WORDS)) == (set(EFFECTS), set(FIRST_ACTIONS), set(EVENTS))
    messages = {name: term for term in all_terms() if term.kind == "message" for name in term.names}
    for procedure in ALL_PROCEDURES.values():
        for step in (*procedure.signalling, *procedure.between, *procedure.rescue):
            kind = message_kind(step.message)
            assert step.format == "" or kind in {term.names[0] for term in find_terms(step.format)}
            assert f"{procedure.name}" in messages[kind].text or " more" in messages[kind].text


def test_the_glossary_is_that_of_the_documentation():
    assert GLOSSARY.resolve() == ROOT / "docs" / "glossary.md"


def test_list_names_all_terms():
    code, out, _ = invoke("explain", "--list")
    assert code == 0
    assert {"term", "  Marker", "procedure", "  mipv4", "measure", "  loss_ratio", "key", "  link.rate"} <= set(out.splitlines())
    assert invoke("explain")[0] == invoke("explain", "marker", "--list")[0] == 2


def test_measures_are_listed_with_unit_and_definition():
    code, out, _ = invoke("measures")
    lines = [line.split() for line in out.splitlines() if line]
    assert code == 0
    assert ["loss_ratio", "ratio", "lost", "/", "(lost", "+", "delivered)"] in lines
    assert {line[0] for line in lines} >= {*MEASURES, *(f"NODE.{name}" for name in NODE_PARTS)}
    rows = json.loads(invoke("measures", "--json")[1])["measures"]
    assert len(rows) == len(MEASURES) + len(NODE_PARTS) + len(LINK_PARTS)
    assert rows[3] == {"name": "loss_ratio", "unit": "ratio", "definition": "lost / (lost + delivered)", "source": "RFC 7680"}


def test_schema_is_json_or_a_page():
    assert json.loads(invoke("schema")[1])["properties"]["duration"]["description"] == "Simulated time of the run."
    assert invoke("schema", "--markdown")[1] == (ROOT / "docs" / "keys.md").read_text()


def complete(*words):
    """Return the completions of the last word, as the script of fish asks for them."""
    *before, last = words
    values = {
        "_HANDOFF_COMPLETE": "fish_complete", "COMP_WORDS": " ".join(["handoff", *before, last]), "COMP_CWORD": last,
    }  # fmt: skip
    done = CliRunner().invoke(main, [], env=values, prog_name="handoff")
    return [line.split(",", 1)[1].split("\t")[0] for line in done.stdout.splitlines() if line]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("com",), {"compare", "completion"}),
        (("run", COMMUTE, "--procedure", "sync-mipv4"), {"sync-mipv4", "sync-mipv4-ro"}),
        (("compare", COMMUTE, "--procedures", "mipv4,pm"), {"mipv4,pmipv6", "mipv4,pmipv6-transient"}),
        (("compare", COMMUTE, "--procedures", "al"), {"all"}),
        (("compare", COMMUTE, "--procedures", "mipv4,lt"), {"mipv4,lte", "mipv4,ltm-intra-cu"}),
        (("diff", "a", "--procedures", "al"), set()),
        (("diff", "a", "--procedures", "mipv4,pm"), {"mipv4,pmipv6", "mipv4,pmipv6-transient"}),
        (("run", COMMUTE, "--set", "options.bic"), {"options.bicast=", "options.bicast_linger="}),
        (("run", COMMUTE, "--set", "link.4.de"), {"link.4.delay="}),
        (("run", "--set", "options.bicast_"), {"options.bicast_linger="}),
        (("sweep", COMMUTE, "--vary", "link_"), {"link_rate=", "link_buffer="}),
        (("plan", COMMUTE, "--slo", "loss_ra"), {"loss_ratio"}),
        (("sweep", COMMUTE, "--metric", "mo"), {"mos"}),
        (("explain", "Mark"), {"Marker"}),
        (("init", "--from", "me"), {"metro"}),
        (("completion", "z"), {"zsh"}),
    ],
)
def test_values_are_completed(words, expected):
    assert set(complete(*words)) == expected


def test_a_scenario_that_cannot_be_read_gives_no_completion(tmp_path):
    (tmp_path / "bad.toml").write_text("name = ")
    assert complete("run", str(tmp_path / "bad.toml"), "--set", "opt") == []


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_of_a_shell_is_printed(shell):
    code, out, _ = invoke("completion", shell)
    assert code == 0
    assert f"_HANDOFF_COMPLETE={shell}_complete" in out


def test_bash_completes_with_the_script(tmp_path):
    script = invoke("completion", "bash")[1]
    (tmp_path / "handoff").write_text(f'#!/bin/sh\nexec {sys.executable} -m handoff "$@"\n')
    (tmp_path / "handoff").chmod(0o755)
    ask = "COMP_WORDS=(handoff compl); COMP_CWORD=1; _handoff_completion handoff; printf '%s\\n' \"${COMPREPLY[@]}\""
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", f"{script}\n{ask}"], capture_output=True, text=True, timeout=60, env=environment, cwd=ROOT
    )
    assert done.stdout.split() == ["completion"], done.stderr
