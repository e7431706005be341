import pytest

from portal.predictions.charts import band_bars, class_bars, histogram
from tests.portal.factories import make_version

pytestmark = pytest.mark.django_db


def test_class_bars_of_counts_are_words_and_shares_largest_first():
    version = make_version(class_labels={"0": "Benign", "1": "Malignant"})

    bars = class_bars(version, {"distribution": {"classes": [["0", 1], ["1", 3]]}})

    assert [(bar.word, bar.count, bar.percent) for bar in bars] == [("Malignant", 3, 75.0), ("Benign", 1, 25.0)]


@pytest.mark.parametrize("summary", [{}, {"distribution": {"classes": None, "histogram": None}}])
def test_pictures_of_a_batch_without_a_distribution_are_left_out(summary: dict):
    version = make_version()

    assert class_bars(version, summary) == []
    assert histogram(version, summary) is None


def test_histogram_fills_its_width_and_the_highest_column_its_height():
    version = make_version(class_labels={"1": "Malignant"})
    given = {"of": "probability of 1", "edges": [0, 0.5, 0.75, 1], "counts": [1, 4, 2]}

    picture = histogram(version, {"distribution": {"histogram": given}})

    assert picture.of == "Probability of Malignant"
    assert sum(column.width for column in picture.columns) == pytest.approx(100)
    assert [column.height for column in picture.columns] == [25, 100, 50]
    assert [column.y for column in picture.columns] == [75, 0, 50]
    assert "most rows (4) lie between 0.5 and 0.75" in picture.words


def test_histogram_of_a_regression_is_named_after_the_result():
    version = make_version()
    version.model.target_label, version.model.target_unit = "Progression", "points"

    picture = histogram(version, {"distribution": {"histogram": {"of": "prediction", "edges": [0, 1], "counts": [1]}}})

    assert picture.of == "Progression (points)"


def test_bars_beside_training_data_show_both_as_shares():
    version = make_version(training_answers={"rows": 4, "labels": [["Adelie", 3], ["Gentoo", 1]], "numbers": []})

    bars = class_bars(version, {"distribution": {"classes": [["Adelie", 5], ["Gentoo", 5]]}})

    assert [(bar.word, bar.percent, bar.training) for bar in bars] == [("Adelie", 50, 75), ("Gentoo", 50, 25)]


def test_bands_stand_in_their_order_with_their_tones_and_the_training_datas_shares():
    version = make_version(training_answers={"rows": 4, "labels": [], "numbers": [0.1, 0.2, 0.5, 0.9]})

    bars = band_bars(version, {"distribution": {"bands": [["Good result", 1], ["Bad result", 1]]}})

    assert [(bar.word, bar.tone, bar.percent, bar.training) for bar in bars] == [
        ("Good result", "good", 50, 75),
        ("Bad result", "bad", 50, 25),
    ]


def test_histogram_beside_training_data_is_drawn_to_the_same_scale_in_the_same_bins():
    version = make_version(training_answers={"rows": 4, "labels": [], "numbers": [0.1, 0.2, 0.6, 1.0]})
    given = {"of": "probability of 1", "edges": [0, 0.5, 1], "counts": [3, 1]}

    picture = histogram(version, {"distribution": {"histogram": given}})

    assert [column.height for column in picture.columns] == pytest.approx([100, 100 / 3])
    assert picture.outline == "M0,100V33.333H50.000V33.333H100.000V100"
    assert "of the training data, most rows (2) lie between 0 and 0.5" in picture.words


def test_histogram_of_a_model_without_training_data_has_no_outline():
    given = {"of": "prediction", "edges": [0, 1], "counts": [1]}

    assert histogram(make_version(), {"distribution": {"histogram": given}}).outline == ""


def test_histogram_far_from_the_training_data_has_no_outline():
    version = make_version(training_answers={"rows": 1, "labels": [], "numbers": [99.0]})

    picture = histogram(version, {"distribution": {"histogram": {"of": "prediction", "edges": [0, 1], "counts": [1]}}})

    assert (picture.outline, picture.columns[0].height) == ("", 100)
