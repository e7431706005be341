"""Golden rows of two versions, asked of both: which rows, what is read from the answers, and the sentence."""

from typing import Any

import pytest

from portal.gateways import inference
from portal.registry.models import ModelVersion
from portal.registry.side_by_side import set_side_by_side
from tests.portal.factories import make_manifest, make_model, make_version

pytestmark = pytest.mark.django_db
ROW = {"bill_length_mm": 40.0, "island": "Dream", "year": 2008}
SPECIES = {"type": "multiclass", "classes": ["Adelie", "Chinstrap", "Gentoo"], "probabilities": True}
NUMBER = {"type": "regression", "classes": None, "probabilities": False}
LABELS = {"type": "binary", "classes": ["Adelie", "Gentoo"], "probabilities": False}


def says(label: Any, *probabilities: float, value: float | None = None) -> dict[str, Any]:
    return {
        "prediction": {"label": label, "value": value, "probabilities": list(probabilities) or None, "scores": None}
    }


def golden(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"row": row, **says("Adelie", 0.9, 0.1)} for row in rows]


def two_versions(*, rows: int = 1, after: dict[str, Any] | None = None, **facts: Any) -> list[ModelVersion]:
    """A live version with golden rows, and one that is to follow it."""
    given = facts | {"golden": golden(*({**ROW, "bill_length_mm": 40.0 + i} for i in range(rows)))}
    live = make_version(make_model(), manifest=make_manifest(**given))
    return [live, make_version(live.model, is_live=False, manifest=make_manifest(**(facts | (after or {}))))]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[int, list[dict[str, Any]]]:
    """What each version will say, by its number; what it was asked is kept under the number's negative."""
    given: dict[int, list[dict[str, Any]]] = {}

    def answer_rows(*, number: int, rows: list[dict[str, Any]], **who: Any) -> list[dict[str, Any]]:
        given[-number] = rows
        return given[number][: len(rows)]

    monkeypatch.setattr(inference, "answer_rows", answer_rows)
    return given


def test_rows_are_asked_as_each_version_takes_them(answers: dict[int, Any]):
    features = [
        {"name": "bill_length_mm", "kind": "number", "default": 44.5},
        {"name": "age", "kind": "number", "default": 3},
    ]
    live, new = two_versions(after={"features": features})
    answers |= {1: [says("Adelie", 0.9, 0.1)], 2: [says("Adelie", 0.9, 0.1)]}

    set_side_by_side(live, new)

    assert (answers[-1], answers[-2]) == ([ROW], [{"bill_length_mm": 40.0, "age": 3}])


def test_rows_of_both_versions_are_taken_in_turn_without_doubles_and_at_most_twenty(answers: dict[int, Any]):
    new_rows = golden(ROW, *({**ROW, "bill_length_mm": 100.0 + i} for i in range(30)))
    live, new = two_versions(rows=15, after={"golden": new_rows})
    answers |= {1: [says("Adelie", 0.9, 0.1)] * 20, 2: [says("Adelie", 0.9, 0.1)] * 20}

    set_side_by_side(live, new)

    asked = [row["bill_length_mm"] for row in answers[-1]]
    assert (len(asked), len(set(asked))) == (20, 20)
    assert sum(length < 100 for length in asked) == 10


@pytest.mark.parametrize(
    ("facts", "before", "after", "numbers", "words"),
    [
        pytest.param(
            {},
            says("Adelie", 0.75, 0.25),
            says("Gentoo", 0.25, 0.75),
            (0.25, 0.75),
            "The only row does not keep its answer; the largest move is 0.5, for row 1; "
            "1 row changes from Adelie to Gentoo.",
            id="binary-follows-the-last-class",
        ),
        pytest.param(
            {"output": SPECIES},
            says("Adelie", 0.8, 0.1, 0.1),
            says("Adelie", 0.6, 0.1, 0.3),
            (0.8, 0.6),
            "The only row keeps its answer; the largest move is 0.2, for row 1.",
            id="multiclass-follows-the-first-answer",
        ),
        pytest.param(
            {"output": NUMBER},
            says(None, value=120.0),
            says(None, value=151.5),
            (120.0, 151.5),
            "The only row does not keep its number; the largest move is 31.5, for row 1.",
            id="regression",
        ),
        pytest.param(
            {"output": LABELS},
            says("Adelie"),
            says("Gentoo"),
            (None, None),
            "The only row does not keep its answer; 1 row changes from Adelie to Gentoo.",
            id="labels-alone",
        ),
        pytest.param(
            {},
            says("Adelie", 0.75, 0.25),
            says("Adelie", 0.75, 0.25 + 1e-13),
            (0.25, 0.25 + 1e-13),
            "The only row keeps its answer; no number moves.",
            id="last-digits-do-not-count",
        ),
        pytest.param(
            {},
            says("Adelie", 0.75, 0.25),
            {"error": "year: is missing"},
            (0.25, None),
            "The only row does not keep its answer; version 2 cannot answer 1 row.",
            id="no-answer",
        ),
    ],
)
def test_answers_are_read_and_told(
    answers: dict[int, Any], facts: dict[str, Any], before: Any, after: Any, numbers: Any, words: str
):
    live, new = two_versions(**facts)
    answers |= {1: [before], 2: [after]}

    found = set_side_by_side(live, new)

    assert found and found.rows[0].before
    assert (found.rows[0].before.number, found.rows[0].after.number) == numbers
    assert found.words == words


def test_numbers_that_all_move_are_told_by_their_middle_and_their_largest_move(answers: dict[int, Any]):
    live, new = two_versions(rows=3, output=NUMBER)
    answers |= {1: [says(None, value=100.0)] * 3, 2: [says(None, value=100.0 + move) for move in (1, 5, -20)]}

    found = set_side_by_side(live, new)

    assert found
    assert found.words == (
        "None of 3 rows keep their number; half of them move by 5 or less; the largest move is 20, for row 3."
    )


def test_a_classifier_after_a_regressor_has_words_and_no_numbers(answers: dict[int, Any]):
    live, new = two_versions(output=NUMBER, after={"output": SPECIES})
    answers |= {1: [says(None, value=120.5)], 2: [says("Gentoo", 0.1, 0.1, 0.8)]}

    found = set_side_by_side(live, new)

    assert found and found.of == "" and found.rows[0].before
    assert (found.rows[0].before.word, found.rows[0].after.word) == ("120.5", "Gentoo")
    assert found.rows[0].is_other_label


def test_many_changes_of_label_are_told_by_the_most_frequent(answers: dict[int, Any]):
    live, new = two_versions(rows=6, output=SPECIES)
    changes = ["AG", "AG", "AC", "GA", "CA", "GC"]
    names = {"A": "Adelie", "C": "Chinstrap", "G": "Gentoo"}
    for side in (0, 1):
        answers[side + 1] = [says(names[change[side]], 0.5, 0.25, 0.25) for change in changes]

    found = set_side_by_side(live, new)

    assert found
    assert "2 rows change from Adelie to Gentoo; 1 row changes from Adelie to Chinstrap" in found.words
    assert found.words.endswith("2 rows change otherwise.")


def test_words_of_the_classes_are_those_that_colleagues_will_read(answers: dict[int, Any]):
    live, new = two_versions()
    new.class_labels = {"Gentoo": "The tall one"}
    answers |= {1: [says("Adelie", 0.75, 0.25)], 2: [says("Gentoo", 0.25, 0.75)]}

    found = set_side_by_side(live, new)

    assert found and found.rows[0].after.word == "The tall one"


def test_first_version_shows_its_golden_answers_and_asks_nobody(answers: dict[int, Any]):
    version = make_version(is_live=False, manifest=make_manifest(golden=golden(ROW)))

    found = set_side_by_side(None, version)

    assert found and found.rows[0].before is None
    assert found.words == "When it was checked, version 1 answered 1 row: 1 with Adelie."
    assert answers == {}


def test_versions_without_golden_rows_have_nothing_to_show(answers: dict[int, Any]):
    live = make_version()

    assert set_side_by_side(live, make_version(live.model, is_live=False)) is None
