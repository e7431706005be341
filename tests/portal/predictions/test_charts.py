import pytest

from portal.predictions.charts import class_bars, histogram, preview
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


def test_preview_shows_what_was_added_first_and_rounds_only_that():
    summary = {"columns": ["id", "x"], "added": ["prediction"], "preview": [["007", "0.123456789", "0.987654321"]]}

    ((added, first, second),) = preview(summary)

    assert (added.shown, added.exact, added.is_added) == ("0.9877", "0.987654321", True)
    assert (first.shown, first.exact) == ("007", "")
    assert (second.shown, second.exact) == ("0.123456789", "")


def test_preview_of_missing_cells_is_empty_text():
    ((added, first),) = preview({"columns": ["x"], "added": ["prediction"], "preview": [[None, ""]]})

    assert (added.shown, added.is_number, first.shown) == ("", False, "")
