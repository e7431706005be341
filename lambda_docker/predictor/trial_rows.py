"""Rows to try a model with: real ones where some are known, then varied ones, the same at each check.

Source: docs/contract.md §3 (rows) and §5 (golden)
"""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from predictor.coercion import row_reader
from predictor.discovery import Hint
from predictor.errors import BadInput
from predictor.features import Choice, Feature

Row = list[Choice | None]

ROWS = 20
# A manifest travels through answers of at most 6 MB.
_MOST_CELLS = 20_000
# Multiples of these spread over any stretch more evenly than chance would.
_GOLDEN_RATIO = (math.sqrt(5) - 1) / 2
_PLASTIC_RATIO = 0.7548776662466927
_WORDS = ("a", "good", "not so good", "the best of them all", "1")


def make_rows(features: Sequence[Feature], hints: Sequence[Hint], real: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Up to ROWS different rows: `real` ones that the features take, the defaults, varied ones, ones with gaps.

    Each could come from the form: none has a choice that the encoder does not know.
    """
    most = max(1, min(ROWS, _MOST_CELLS // len(features)))
    gaps = _rows_with_gaps(features)
    varied = (vary(features, hints, number) for number in range(3 * ROWS))
    found: list[Row] = []
    for row in itertools.chain(_read_real(features, real), varied):
        if len(found) >= max(1, most - len(gaps)):
            break
        if row not in found:
            found.append(row)
    found += [row for row in gaps if row not in found]
    return found[:most]


def vary(features: Sequence[Feature], hints: Sequence[Hint], number: int) -> Row:
    """Synthetic row `number`; row 0 is the defaults, rows 1 and 2 all a step below and above them."""
    pairs = zip(features, hints, strict=True)
    return [_vary(feature, hint, number, place) for place, (feature, hint) in enumerate(pairs)]


def _read_real(features: Sequence[Feature], rows: Iterable[Mapping[str, Any]]) -> Iterable[Row]:
    read = row_reader(features)
    for row in itertools.islice(rows, ROWS):
        try:
            yield read(row)
        except BadInput:
            continue


def _rows_with_gaps(features: Sequence[Feature]) -> list[Row]:
    """The defaults without the first value that may be missing, and without any of those that may."""
    places = {place for place, feature in enumerate(features) if feature.accepts_missing}
    if not places:
        return []
    sets = [{min(places)}, places] if len(places) > 1 else [places]
    return [[None if place in gaps else feature.default for place, feature in enumerate(features)] for gaps in sets]


def _vary(feature: Feature, hint: Hint, number: int, place: int) -> Choice | None:
    if number == 0:
        return feature.default
    if feature.kind == "choice" and feature.choices:
        start = feature.choices.index(feature.default) if feature.default in feature.choices else 0
        # Later rows leave step, so that choices of different features meet.
        return feature.choices[(start + number * (1 + place % 3 if number > 2 else 1)) % len(feature.choices)]
    if feature.kind == "text":
        return _vary_text(hint, number)
    if isinstance(feature.default, bool) or not isinstance(feature.default, int | float):
        return feature.default
    step = hint.spread or abs(feature.default) / 10 or 1.0
    if number <= 2:
        return feature.default + (-step if number == 1 else step)
    share = (number * _GOLDEN_RATIO + place * _PLASTIC_RATIO) % 1.0
    return float(f"{feature.default + (4 * share - 2) * step:.6g}")


def _vary_text(hint: Hint, number: int) -> str:
    words = hint.words or _WORDS
    return " ".join(words[(number * (count + 1) + count) % len(words)] for count in range(1 + number % 3))
