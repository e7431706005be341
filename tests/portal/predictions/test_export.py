import csv
import io
import json

import pytest

from portal.predictions import export, history
from portal.predictions.history import HistoryFilter, stream
from portal.predictions.paging import page_before
from tests.portal.factories import make_batch, make_prediction, make_user, make_version

pytestmark = pytest.mark.django_db


def exported(viewer, **chosen: str) -> list[dict[str, str]]:
    chosen_filter = HistoryFilter(chosen, viewer=viewer)
    text = "".join(export.lines(stream(chosen_filter.sources()), chosen_filter.cleaned_data.get("model")))
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def test_export_of_one_model_has_a_column_for_each_feature():
    ada, version = make_user(), make_version()
    make_prediction(ada, version)

    (row,) = exported(ada, model="penguins")

    assert row["bill_length_mm"] == "44.5"
    assert row["island"] == "Dream"
    assert row["year"] == ""


def test_export_of_all_models_keeps_the_inputs_as_json():
    ada, version = make_user(), make_version()
    make_prediction(ada, version)

    (row,) = exported(ada)

    assert json.loads(row["inputs"]) == {"bill_length_mm": 44.5, "island": "Dream", "year": None}


def test_export_of_probabilities_has_all_their_digits():
    ada, version = make_user(), make_version()
    make_prediction(ada, version, probabilities=[["Adelie", 0.1 + 0.2], ["Gentoo", 0.7]])

    (row,) = exported(ada)

    assert row["probabilities"] == "Adelie=0.30000000000000004; Gentoo=0.7"


def test_export_of_a_batch_has_its_counts():
    ada, version = make_user(), make_version()
    make_batch(ada, version)

    (row,) = exported(ada)

    assert (row["kind"], row["file"], row["rows"], row["scored"], row["failed"]) == (
        "batch",
        "penguins.csv",
        "3",
        "2",
        "1",
    )


@pytest.mark.parametrize("start", ["=1+1", "+cmd", "-cmd", "@SUM(A1)", "\t=1"])
def test_export_of_text_that_a_spreadsheet_would_run_is_disarmed(start: str):
    ada, version = make_user(), make_version()
    make_batch(ada, version, file_name=start)

    (row,) = exported(ada)

    assert row["file"] == f"'{start}"


def test_export_of_a_negative_number_stays_a_number():
    ada, version = make_user(), make_version()
    make_prediction(ada, version, outcome="-3.5", inputs={"bill_length_mm": -1.5, "island": "-2", "year": None})

    (row,) = exported(ada, model="penguins")

    assert (row["outcome"], row["bill_length_mm"], row["island"]) == ("-3.5", "-1.5", "-2")


def test_export_of_a_filter_has_exactly_its_rows():
    ada, version = make_user(), make_version()
    make_prediction(ada, version)
    wanted = make_batch(ada, version)

    rows = exported(ada, kind="batch")

    assert [row["id"] for row in rows] == [str(wanted.pk)]


def test_export_of_many_rows_reads_no_more_than_it_has_given(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(history, "CHUNK_ROWS", 3)
    ada, version = make_user(), make_version()
    for _ in range(12):
        make_prediction(ada, version)
    sources = HistoryFilter({"kind": "prediction"}, viewer=ada).sources()
    asked: list[int] = []
    monkeypatch.setattr(
        history, "page_before", lambda *given, size: asked.append(size) or page_before(*given, size=size)
    )
    rows = stream(sources)

    next(rows)
    after_the_first = len(asked)
    rest = list(rows)

    assert after_the_first == 1
    assert len(rest) == 11
    assert asked == [3] * 4


def test_export_begins_before_all_rows_are_read(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(export, "PIECE_ROWS", 2)
    ada, version = make_user(), make_version()
    row = make_prediction(ada, version)
    given: list[int] = []
    rows = (given.append(number) or row for number in range(100))

    next(export.lines(rows, None))

    assert len(given) <= 2


def test_export_is_the_same_however_it_is_cut(monkeypatch: pytest.MonkeyPatch):
    ada, version = make_user(), make_version()
    rows = [make_prediction(ada, version) for _ in range(7)]
    whole = "".join(export.lines(rows, None))

    monkeypatch.setattr(export, "PIECE_ROWS", 3)

    assert "".join(export.lines(rows, None)) == whole
    assert whole.count("\r\n") == 8
