"""Where a row of the history was asked for: in its list, its filter, its export and on its page."""

import csv
import io

import pytest
from django.test import Client

from portal.accounts import roles
from portal.predictions.history import HistoryFilter, stream
from tests.portal.factories import make_batch, make_prediction, make_user, make_version

pytestmark = pytest.mark.django_db
NOT_KEPT = "The values were not kept: this model keeps outputs only."


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("portal", {"own", "own batch"}),
        ("page", {"page"}),
        ("program", {"program", "job"}),
        ("", {"own", "own batch", "page", "program", "job"}),
    ],
)
@pytest.mark.parametrize("narrowed", [{}, {"user": "ada", "text": "dream", "kind": "prediction"}])
def test_filter_by_source_shows_exactly_those_rows(source: str, names: set[str], narrowed: dict[str, str]):
    ada, olga, version = make_user(), make_user("olga", roles.MODEL_OWNER), make_version()
    rows = {
        "own": make_prediction(ada, version),
        "page": make_prediction(ada, version, source="page"),
        "program": make_prediction(ada, version, source="program"),
        "own batch": make_batch(ada, version),
        "job": make_batch(ada, version, source="program", owner="x"),
    }

    found = {row.pk for row in stream(HistoryFilter({"source": source} | narrowed, viewer=olga).sources())}

    wanted = {name for name in names if not narrowed or "batch" not in name and name != "job"}
    assert found == {rows[name].pk for name in wanted}


def test_list_and_export_say_where_each_row_was_asked_for(client: Client):
    ada, version = make_user(), make_version()
    for source in (None, "page", "program"):
        make_prediction(ada, version, source=source)
    client.force_login(ada)

    page = client.get("/history/").content.decode()
    exported = b"".join(client.get("/history/export.csv?model=penguins")).decode().removeprefix("\ufeff")

    assert [page.count(f"<td>{words}</td>") for words in ("Portal", "Published page", "Program")] == [1, 1, 1]
    assert {row["source"] for row in csv.DictReader(io.StringIO(exported))} == {"portal", "page", "program"}


def test_answer_says_where_it_was_asked_for_and_shows_its_values(client: Client):
    ada, version = make_user(), make_version()
    client.force_login(ada)

    page = client.get(make_prediction(ada, version, source="page").get_absolute_url()).content.decode()
    own = client.get(make_prediction(ada, version).get_absolute_url()).content.decode()

    assert "<dd>Published page</dd>" in page and NOT_KEPT not in page
    assert "<dt>Source</dt>" not in own


@pytest.mark.parametrize("is_live", [True, False])
def test_answer_without_its_values_says_that_they_were_not_kept(client: Client, is_live: bool):
    ada, version = make_user(role=roles.VIEWER if not is_live else roles.PREDICTOR), make_version(is_live=is_live)
    client.force_login(ada)
    row = make_prediction(ada, version, source="program", inputs={}, is_without_values=True)

    page = client.get(row.get_absolute_url()).content.decode()
    listed = client.get("/history/").content.decode()

    assert NOT_KEPT in page
    assert "not kept" in listed
    assert ('value="44.5"' in page) == is_live  # the form beside it begins with the usual values


def test_answer_with_values_that_no_form_sends_has_its_page(client: Client):
    ada, version = make_user(), make_version()
    client.force_login(ada)
    row = make_prediction(ada, version, source="program", inputs={"island": ["Dream", {"deep": 1}], "other": True})

    assert client.get(row.get_absolute_url()).status_code == 200
    assert client.get("/history/").status_code == 200
    assert b"deep" in b"".join(client.get("/history/export.csv"))


def test_answer_of_somebody_else_from_elsewhere_is_not_there(client: Client):
    row = make_prediction(make_user("bob"), make_version(), source="page")
    client.force_login(make_user())

    assert client.get(row.get_absolute_url()).status_code == 404
    assert b"Published page</td>" not in client.get("/history/").content


@pytest.mark.parametrize(
    ("capture", "words"),
    [
        ("all", "with the values that were asked about"),
        ("outputs", "without the values that were asked about"),
        ("off", "Nothing is kept"),
    ],
)
def test_about_page_says_what_is_kept_of_answers_elsewhere(client: Client, capture: str, words: str):
    version = make_version()
    version.model.capture = capture
    version.model.save()
    client.force_login(make_user())

    assert words in client.get("/models/penguins/about/").content.decode()
