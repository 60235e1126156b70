"""Similar names: typing errors, words in common, no suggestion for a name that is like none."""

import pytest

from engine.similar_names import name_hint, similar_names
from handoff.metrics.catalogue import MEASURES
from handoff.protocol.procedures import PROCEDURES

FIELDS = ("mobile_nodes", "buffer", "new_buffer", "options.bicast", "options.bicast_linger", "handoff_rate", "moving")


@pytest.mark.parametrize(
    ("name", "names", "first"),
    [
        ("mipv", PROCEDURES, "mipv4"),
        ("synch-mipv4", PROCEDURES, "sync-mipv4"),
        ("MIPV4-Smoth", PROCEDURES, "mipv4-smooth"),
        ("nodes", FIELDS, "mobile_nodes"),
        ("bicast", FIELDS, "options.bicast"),
        ("bufer", FIELDS, "buffer"),
        ("handoffrate", FIELDS, "handoff_rate"),
        ("mean delay", MEASURES, "delay_mean"),
    ],
)
def test_the_nearest_name_comes_first(name, names, first):
    assert similar_names(name, names)[0] == first


def test_a_description_is_compared_by_its_words():
    assert "loss_ratio" in similar_names("packet loss", MEASURES, 3, 0.4)


def test_a_word_that_few_names_have_counts_more():
    """Three of the names have packets, and one has mean."""
    assert similar_names("packets mean", ("packets_sent", "packets_lost", "packets_late", "delay_mean"))[0] == "delay_mean"


def test_names_that_are_far_less_similar_are_left_out():
    assert similar_names("bufer", FIELDS, 3) == ["buffer"]


def test_no_name_is_similar():
    assert similar_names("fast-handover", PROCEDURES) == similar_names("", FIELDS) == similar_names("x", ()) == []
    assert name_hint("zz", ("ab", "cd")) == "there are ab, cd"
    assert name_hint("zz", ("ab", "cd"), "there is only ab") == "there is only ab"
    assert name_hint("ac", ("ab", "xc"), "", 2) == "there are ab, xc"  # one letter of two is not enough
