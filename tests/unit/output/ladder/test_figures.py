"""Figures of the seed document: numbers, procedures and phases, as its list of drawings and its text name them."""

import pytest

from handoff.output.ladder.figures import FIGURES, find_figure
from handoff.protocol.procedures import PROCEDURES

TEXT = {
    # "Referring now to Figures 11A & 11B to 13, a handoff according to the first scenario … five operational phases"
    "sync-mipv4": ("11A 11B 12A 12B 13", "14 15A 15B", "16A 16B 17A 17B"),
    "sync-mipv4-ro": ("18A 18B 19A 19B 20", "21 22A 22B", "23A 23B 24A 24B"),
    "sync-hmipv4": ("25A 25B 26A 26B 27", "28 29A 29B", "30A 30B 31A 31B"),
    "sync-mipv6": ("32A 32B 33A 33B 34", "35 36A 36B", "37A 37B 38A 38B"),
    "sync-mipv6-ro": ("39A 39B 40A 40B 41", "42 43A 43B", "44A 44B 45A 45B"),
    "sync-hmipv6": ("46A 46B 47A 47B 48", "49 50A 50B", "51A 51B 52A 52B"),
}
"""Figures of each variant in scenario I, II and III, as the paragraphs about its phases give them."""
PHASES = ("I-1 I-2 I-3 I-4 I-5", "II-4 II-5 II-6", "III-3 III-4 III-5 III-6")
"""The others are "identical to" phases of scenario I "and are therefore not shown separately"."""
CONVENTIONAL = (
    "mipv4", "mipv6-ro", "mipv6", "mipv4-smooth", "mipv4-bicast", "hmipv4-bicast", "hmipv6-bicast", "hmipv6-ro-bicast",
)  # fmt: skip


@pytest.mark.parametrize("procedure", TEXT)
def test_synchronized_figures_have_the_phases_of_the_text(procedure):
    numbers = [number for scenario in TEXT[procedure] for number in scenario.split()]
    phases = [phase for scenario in PHASES for phase in scenario.split()]
    assert [(f.number, f.phase) for f in FIGURES.values() if f.procedure == procedure] == list(zip(numbers, phases, strict=True))
    for number in numbers:
        assert FIGURES[number].scenario == FIGURES[number].phase.split("-")[0]


def test_conventional_figures_show_phase_1_and_phase_2():
    """Figures 3A and 3B to 10A and 10B, in the order of the list of drawings."""
    for number, procedure in enumerate(CONVENTIONAL, 3):
        for letter, phase in (("A", "1"), ("B", "2")):
            figure = FIGURES[f"{number}{letter}"]
            assert (figure.procedure, figure.scenario, figure.phase) == (procedure, "", phase)


def test_figures_have_the_numbers_of_the_procedures():
    """``figures`` of a procedure is the range of its numbers."""
    for procedure in PROCEDURES.values():
        numbers = [f.number for f in FIGURES.values() if f.procedure == procedure.name and f.access]
        assert procedure.figures == (f"{numbers[0]}-{numbers[-1]}" if numbers else ""), procedure.name


def test_the_document_has_ninety_figures():
    """1 and 2; two for each of 3 to 10; twelve for each of the six variants."""
    assert len(FIGURES) == 2 + 2 * 8 + 6 * 12
    assert list(FIGURES)[:4] == ["1", "2", "3A", "3B"]
    assert list(FIGURES)[-1] == "52B"


def test_a_figure_is_found_in_lower_case():
    assert find_figure("44b").phase == "III-4"


@pytest.mark.parametrize(
    ("number", "hint"),
    [("13A", "there is 13$"), ("12", "there is 12A and 12B$"), ("53", "^no figure '53': give 1 to 52B")],
)
def test_an_unknown_figure_is_refused_with_a_hint(number, hint):
    with pytest.raises(ValueError, match=hint):
        find_figure(number)
