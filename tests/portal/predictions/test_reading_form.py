"""What was recognised of a file, as a form, and what a person makes of it."""

import pytest

from portal.gateways.contract import Look
from portal.predictions.reading_form import ReadingForm
from tests.portal.factories import make_version
from tests.portal.predictions.conftest import GOOD_LOOK, LOOK, READING

pytestmark = pytest.mark.django_db


def form_of(look: dict, chosen: dict | None = None) -> ReadingForm:
    return ReadingForm(make_version(), look=Look.from_json(look), chosen=chosen)


def chosen_by(**posted: str) -> dict:
    return ReadingForm(make_version(), posted).chosen()


def options(form: ReadingForm, name: str) -> list[tuple[str, str]]:
    return list(form.fields[name].widget.choices)


def test_form_left_as_it_is_overrides_nothing():
    assert chosen_by() == {"reading": None, "columns": None, "result": "csv"}


def test_form_names_marks_by_words_and_keeps_them_as_marks():
    chosen = chosen_by(
        delimiter="tab", decimal="comma", encoding="cp1252", nulls=" NA, - ,", sheet="Mai", result="parquet"
    )

    assert chosen["reading"] == {
        "encoding": "cp1252", "delimiter": "\t", "decimal": ",", "nulls": ["NA", "-"], "sheet": "Mai",
    }  # fmt: skip
    assert chosen["result"] == "parquet"


def test_form_keeps_the_columns_that_were_chosen_by_feature():
    assert chosen_by(c0="bill", c1="", c2="Jahr")["columns"] == {"bill_length_mm": "bill", "year": "Jahr"}


def test_form_with_nonsense_in_it_counts_that_as_blank():
    assert chosen_by(delimiter="x", encoding="ebcdic", result="exe") == {
        "reading": None, "columns": None, "result": "csv",
    }  # fmt: skip


def test_near_name_is_chosen_beforehand_and_marked_as_a_suggestion():
    form = form_of(LOOK)

    row = next(iter(form.column_rows))
    assert (form.fields["c0"].initial, row.is_suggested, form.unmatched) == ("bill", True, 1)
    assert options(form, "c0")[:2] == [("", "No column"), ("bill", "bill")]


def test_column_found_by_its_name_is_the_blank_choice():
    form = form_of(GOOD_LOOK)

    assert form.fields["c0"].initial == ""
    assert options(form, "c0")[0] == ("", "bill_length_mm (by its name)")
    assert form.unmatched == 0


def test_column_chosen_before_stays_chosen():
    look = GOOD_LOOK | {"mapping": GOOD_LOOK["mapping"] | {"year": "island"}}

    form = form_of(look, {"columns": {"year": "island"}})

    assert form.fields["c2"].initial == "island"
    assert options(form, "c2")[0] == ("", "No column")


def test_reading_shows_what_was_found_out_and_what_was_chosen():
    form = form_of(GOOD_LOOK, {"reading": {"decimal": ","}})

    assert options(form, "delimiter")[0] == ("", "Comma (found out)")
    assert options(form, "decimal")[0] == ("", "Find it out")
    assert form.initial["decimal"] == "comma"


def test_reading_of_a_workbook_asks_for_the_sheet_and_not_for_a_delimiter():
    reading = READING | {
        "format": "xlsx", "encoding": None, "delimiter": None, "decimal": None, "sheet": "Mai",
        "sheets": ["Mai", "Juni"],
    }  # fmt: skip

    form = form_of(GOOD_LOOK | {"reading": reading})

    assert [field.name for field in form.reading_fields] == ["sheet", "nulls"]
    assert options(form, "sheet") == [("", "Mai (found out)"), ("Mai", "Mai"), ("Juni", "Juni")]


def test_very_wide_file_has_one_list_of_columns_for_all():
    form = form_of(GOOD_LOOK | {"columns": [f"column {n}" for n in range(2_000)]})

    assert form.shares_one_list
    assert form.fields["c0"].widget.attrs["list"] == "columns"
