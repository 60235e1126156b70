"""Names that are similar to an unknown one, for error messages."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import SequenceMatcher

CUTOFF = 0.6
"""Similarity from 0 to 1 that a name needs."""
_WORD_CUTOFF = 0.8
_SHARED_WORDS, _OWN_WORDS = 0.65, 0.2
"""Similarity of a name that has all words of the unknown one, and of a name that has no other words in addition."""
_SPREAD = 0.15
"""A name is left out if another one is more similar by this difference."""


def similar_names(name: str, names: Iterable[str], count: int = 1, cutoff: float = CUTOFF) -> list[str]:
    """Return the names that are most similar to an unknown name, the most similar one first.

    Two names are similar if their letters are (``difflib``), or if they have words in common: ``nodes`` is similar to
    ``mobile_nodes``, and ``bicast`` to ``options.bicast``. A word that few names have counts more. Case does not count.

    Parameters
    ----------
    name : str
        Unknown name.
    names : iterable of str
        Known names.
    count : int
        Maximum number of names to return.
    cutoff : float
        Least similarity, from 0 to 1.
    """
    wanted = _words(name)
    words = {known: _words(known) for known in names}
    matches = {known: [any(_is_same_word(a, b) for b in own) for a in wanted] for known, own in words.items()}
    # The weight of a word falls with the number of names that have it.
    weights = [max(1, sum(match[i] for match in matches.values())) ** -2.0 for i in range(len(wanted))]
    scores = {}
    for known, own in words.items():
        shared = sum(w for w, match in zip(weights, matches[known], strict=True) if match) / (sum(weights) or 1)
        asked = sum(any(_is_same_word(a, b) for a in wanted) for b in own) / len(own) if shared else 0.0
        by_words = _SHARED_WORDS * shared + _OWN_WORDS * asked
        # A text with blanks is a description rather than a misspelled name, unless the names have blanks too.
        is_description = " " in name and " " not in known
        letters = 0.0 if is_description else SequenceMatcher(None, known.casefold(), name.casefold()).ratio()
        scores[known] = max(by_words, letters)
    least = max(cutoff, max(scores.values(), default=0.0) - _SPREAD)
    ranked = sorted((known for known, score in scores.items() if score >= least), key=lambda known: -scores[known])
    return ranked[:count]


def name_hint(name: str, names: Iterable[str], otherwise: str = "", count: int = 1) -> str:
    """Return "did you mean 'x'?" with similar names, or a text if there are none.

    Parameters
    ----------
    name : str
        Unknown name.
    names : iterable of str
        Known names.
    otherwise : str
        Text without similar names. Default: all known names.
    count : int
        Maximum number of suggestions.
    """
    names = list(names)
    similar = similar_names(name, names, count)
    return f"did you mean {' or '.join(map(repr, similar))}?" if similar else otherwise or f"there are {', '.join(names)}"


def _is_same_word(a: str, b: str) -> bool:
    return a == b or (a[:1] == b[:1] and SequenceMatcher(None, a, b).ratio() >= _WORD_CUTOFF)


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"[\W_]+", name.casefold()) if word]
