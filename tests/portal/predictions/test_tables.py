from portal.gateways.contract import Look
from portal.predictions.tables import first_rows, preview
from tests.portal.predictions.conftest import GOOD_LOOK, LOOK


def test_preview_shows_what_was_added_first_and_rounds_only_that():
    summary = {"columns": ["id", "x"], "added": ["prediction"], "preview": [["007", "0.123456789", "0.987654321"]]}

    ((added, first, second),) = preview(summary)

    assert (added.shown, added.exact, added.is_added) == ("0.9877", "0.987654321", True)
    assert (first.shown, first.exact) == ("007", "")
    assert (second.shown, second.exact) == ("0.123456789", "")


def test_preview_of_a_file_with_decimal_commas_rounds_as_that_file_writes():
    ((added, _),) = preview({"columns": ["x"], "added": ["prediction"], "preview": [["0,5", "0,987654321"]]})

    assert (added.shown, added.exact, added.is_number) == ("0,9877", "0,987654321", True)


def test_preview_of_missing_cells_is_empty_text():
    ((added, first),) = preview({"columns": ["x"], "added": ["prediction"], "preview": [[None, ""]]})

    assert (added.shown, added.is_number, first.shown) == ("", False, "")


def test_first_rows_say_what_is_wrong_at_the_cell_where_it_is_wrong():
    rows = first_rows(Look.from_json(GOOD_LOOK))

    wrong = [(row, cell.shown, cell.problem) for row, cells in enumerate(rows, 1) for cell in cells if cell.problem]
    assert wrong == [(2, "abc", "'abc' is not a number")]


def test_first_rows_tell_columns_that_are_used_from_others():
    rows = first_rows(Look.from_json(LOOK))

    assert [cell.is_used for cell in rows[0]] == [False, True, True]
