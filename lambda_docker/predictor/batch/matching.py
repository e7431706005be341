"""Which column of a file is which feature of the model."""

import difflib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from predictor.coercion import quoted
from predictor.features import Feature

_NAMED_AT_MOST = 10
_NEAR_AT_MOST = 3
_NEAR_ENOUGH = 0.6
_MEANT_ENOUGH = 0.7
# Every name is compared with every other: a file of thousands of columns must not take minutes.
_COMPARED_FEATURES = 20
_COMPARED_COLUMNS = 1000


@dataclass
class Match:
    """What was found. `refusals`: sentences, the first the most telling; without one, no position is None."""

    positions: list[int | None] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    near: dict[str, list[str]] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)


def match_columns(columns: Sequence[str], features: Sequence[Feature], chosen: Mapping[str, str]) -> Match:
    """The column of each feature: the chosen one, else that of its name, else one that differs in case or padding."""
    if not columns:
        return Match(
            positions=[None] * len(features),
            refusals=[
                "The first row cannot be read as a header. It must hold the columns' names, separated by commas."
            ],
        )
    found = Match()
    strange = [name for name in chosen if name not in {feature.name for feature in features}]
    if strange:
        found.refusals.append(
            f"The model has no feature {enumerate_names(strange)} for which a column could be chosen."
        )
    missing = []
    for feature in features:
        places = _candidates(columns, feature.name, chosen)
        found.positions.append(places[0] if len(places) == 1 else None)
        if not places:
            missing.append(feature.name)
        elif len(places) > 1:
            _note_ambiguous(found, feature.name, [columns[place] for place in places])
        elif feature.name not in chosen and columns[places[0]] != feature.name:
            found.notes.append(f"The column {quoted(columns[places[0]])} was taken for {quoted(feature.name)}.")
    if missing:
        _note_missing(found, missing, columns=columns, features=features, chosen=chosen)
    return found


def enumerate_names(names: Sequence[str]) -> str:
    """Names for a sentence, the first few of them."""
    shown = ", ".join(quoted(name) for name in names[:_NAMED_AT_MOST])
    rest = len(names) - _NAMED_AT_MOST
    return f"{shown} and {rest} more" if rest > 0 else shown


def _candidates(columns: Sequence[str], name: str, chosen: Mapping[str, str]) -> list[int]:
    exact = [place for place, column in enumerate(columns) if column == chosen.get(name, name)]
    if exact or name in chosen:
        return exact
    return [place for place, column in enumerate(columns) if column.strip().casefold() == name.strip().casefold()]


def _note_ambiguous(found: Match, name: str, candidates: list[str]) -> None:
    found.near[name] = list(dict.fromkeys(candidates))[:_NEAR_AT_MOST]
    if len(set(candidates)) == 1:
        found.refusals.append(f"The file has more than one column called {quoted(candidates[0])}. Keep one of each.")
    else:
        found.refusals.append(
            f"More than one column could be {quoted(name)}: {enumerate_names(candidates)}. Keep one of them."
        )


def _note_missing(
    found: Match, missing: list[str], *, columns: Sequence[str], features: Sequence[Feature], chosen: Mapping[str, str]
) -> None:
    taken = {columns[place] for place in found.positions if place is not None}
    spare = [name for name, _ in Counter(columns).most_common() if name.strip() and name not in taken]
    hints = []
    for name in missing:
        near = _near(name, spare) if len(found.near) < _COMPARED_FEATURES else []
        found.near[name] = [column for _, column in near]
        if near and near[0][0] >= _MEANT_ENOUGH and name not in chosen:
            hints.append(f"{quoted(near[0][1])} for {quoted(name)}")
    absent = [chosen[name] for name in missing if name in chosen]
    if absent:
        found.refusals.append(
            f"The file has no column {enumerate_names(absent)}, which was chosen. Choose another one."
        )
        return
    message = f"The file lacks the column{'s' if len(missing) > 1 else ''} {enumerate_names(missing)}."
    if hints:
        message += f" Did you mean {', '.join(hints[:_NAMED_AT_MOST])}?"
    elif len(missing) == len(features):
        message += f" The first row must name the columns; it holds {enumerate_names(columns)}."
    found.refusals.append(message)


def _near(name: str, columns: Sequence[str]) -> list[tuple[float, str]]:
    """The columns whose names are like this one, the nearest first, with how near they are."""
    # It remembers what it knows of its second sequence.
    matcher = difflib.SequenceMatcher(None, "", _letters(name), autojunk=False)
    rated = [(_likeness(matcher, _letters(column), _letters(name)), column) for column in columns[:_COMPARED_COLUMNS]]
    return sorted((pair for pair in rated if pair[0] >= _NEAR_ENOUGH), key=lambda pair: -pair[0])[:_NEAR_AT_MOST]


def _likeness(matcher: difflib.SequenceMatcher[str], one: str, other: str) -> float:
    if one == other and one:
        return 1.0
    # "BMI (kg/m²)" is bmi.
    is_part = min(len(one), len(other)) > 1 and (one in other or other in one)
    least = _MEANT_ENOUGH if is_part else 0.0
    matcher.set_seq1(one)
    if matcher.real_quick_ratio() < _NEAR_ENOUGH or matcher.quick_ratio() < _NEAR_ENOUGH:
        return least
    return max(matcher.ratio(), least)


def _letters(text: str) -> str:
    return "".join(mark for mark in text[:100].casefold() if mark.isalnum())
