"""Where the marks of the side by side stand."""

from typing import Any

import pytest

from portal.registry.charts import Tick, draw
from portal.registry.models import Model, ModelVersion
from portal.registry.side_by_side import AnsweredRow, Said, SideBySide
from tests.portal.factories import make_manifest

NUMBER = {"type": "regression", "classes": None, "probabilities": False}


def version(number: int, **facts: Any) -> ModelVersion:
    return ModelVersion(model=Model(name="Penguins", slug="penguins"), number=number, manifest=make_manifest(**facts))


def side_by_side(*pairs: tuple[Said | None, Said], of: str = "Probability of Gentoo", **facts: Any) -> SideBySide:
    rows = [AnsweredRow(i, {}, before, after) for i, (before, after) in enumerate(pairs, start=1)]
    return SideBySide(version(1, **facts) if pairs[0][0] else None, version(2, **facts), rows, of)


def test_probabilities_stand_on_the_whole_scale_of_probabilities():
    picture = draw(side_by_side((Said("a", "A", 0.4), Said("a", "A", 0.5))))

    assert [tick.text for tick in picture.ticks] == ["0", "0.25", "0.5", "0.75", "1"]
    assert (picture.dumbbells[0].before_x, picture.dumbbells[0].after_x) == pytest.approx((40.8, 50.0))
    assert (picture.dumbbells[0].words, picture.dumbbells[0].numbers) == ("A", "0.40 → 0.50")


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ((120.0, 250.0), ["100", "150", "200", "250"]),
        ((-0.3, 0.1), ["-0.3", "-0.2", "-0.1", "0", "0.1"]),
        ((7.0, 7.0), ["6", "8"]),
        ((0.0, 0.0), ["0", "0.25"]),
        ((1e9, 3e9), ["1e+09", "1.5e+09", "2e+09", "2.5e+09", "3e+09"]),
    ],
)
def test_values_stand_between_round_numbers(values: tuple[float, float], ticks: list[str]):
    picture = draw(side_by_side((Said(number=values[0]), Said(number=values[1])), of="Price", output=NUMBER))

    places = [picture.dumbbells[0].before_x, picture.dumbbells[0].after_x]
    assert [tick.text for tick in picture.ticks] == ticks
    assert all(place is not None and 4 <= place <= 96 for place in places)


def test_labels_without_numbers_have_a_place_each():
    picture = draw(side_by_side((Said("a", "A"), Said("b", "B")), (Said("b", "B"), Said("b", "B")), of=""))

    assert picture.ticks == [Tick(25, "A"), Tick(75, "B")]
    assert [(bell.before_x, bell.after_x) for bell in picture.dumbbells] == [(25, 75), (75, 75)]
    assert picture.dumbbells[0].words == "A → B"


def test_many_labels_without_numbers_stand_on_two_sides_without_a_scale():
    picture = draw(side_by_side(*((Said(label, label), Said("z", "z")) for label in "abcdefg"), of=""))

    assert picture.ticks == []
    assert (picture.dumbbells[0].before_x, picture.dumbbells[0].after_x) == (4, 96)


def test_row_without_an_answer_has_one_mark_and_says_whose_is_missing():
    picture = draw(side_by_side((Said("a", "A", 0.4), Said(error="year: is missing"))))

    assert picture.dumbbells[0].after_x is None
    assert picture.dumbbells[0].words == "no answer from version 2"


def test_rows_that_nobody_answers_can_be_drawn_all_the_same():
    picture = draw(side_by_side((Said(error="x"), Said(error="y")), of="Price", output=NUMBER))

    assert picture.dumbbells[0].words == "no answer from version 1 and version 2"
