"""The index of words: kept by the database itself, and no other in its answers than a look at every row."""

import pytest
from django.db import connection

from portal.predictions import search
from portal.predictions.history import HistoryFilter, stream
from portal.predictions.models import Prediction
from tests.portal.factories import make_prediction, make_user, make_version

pytestmark = pytest.mark.django_db
NO_INDEX = "this SQLite has no FTS5 with trigrams"


@pytest.fixture
def index() -> None:
    if search.rare_matches("anything") is None:
        pytest.skip(NO_INDEX)


def keys(text: str) -> set:
    return set(Prediction.objects.filter(pk__in=search.rare_matches(text)).values_list("pk", flat=True))


def test_search_finds_a_prediction_as_soon_as_it_is_asked(index: None):
    row = make_prediction(make_user(), make_version(), state="sending", outcome="", outcome_words="")

    assert keys("dream") == {row.pk}


def test_search_finds_an_answer_that_came_later(index: None):
    row = make_prediction(make_user(), make_version(), state="sending", outcome="", outcome_words="")
    row.outcome_words = "Emperor"
    row.save()

    assert keys("emperor") == {row.pk}


def test_search_finds_rows_that_were_written_in_bulk(index: None):
    ada, version = make_user(), make_version()
    row = Prediction(user=ada, version=version, inputs={"island": "Torgersen"})
    row.derive()
    Prediction.objects.bulk_create([row])

    assert keys("torgersen") == {row.pk}


@pytest.mark.parametrize("text", ["GRÖSSE", "größe", "öße", '"quoted"', "50% of_it", "a OR b", "und*", "\n"])
def test_search_takes_every_text_literally_and_capitals_for_small_letters(index: None, text: str):
    ada, version = make_user(), make_version()
    row = make_prediction(ada, version, inputs={"text": 'Größe "quoted" 50% of_it a OR b und* more'})
    make_prediction(ada, version, inputs={"text": "Grosz 500 of it, a, b, under more"})

    found = list(stream(HistoryFilter({"text": text}, viewer=ada).sources()))

    assert found == ([row] if text.strip() else found)


@pytest.mark.parametrize("text", ["47.13", "not a num", "13 not"])
def test_search_tells_signs_from_the_letters_that_an_index_has_in_their_place(index: None, text: str):
    ada, version = make_user(), make_version()
    row = make_prediction(ada, version, inputs={"text": "47.13 not a number"})
    make_prediction(ada, version, inputs={"text": "47q13xnotxaxnumber"})

    assert keys(text) == {row.pk}


@pytest.mark.parametrize("text", ["---", "-_-", "(1)"])
def test_search_for_signs_that_are_in_no_index_finds_them(text: str):
    ada, version = make_user(), make_version()
    row = make_prediction(ada, version, inputs={"text": "(1)---, -_-"})
    make_prediction(ada, version)

    assert list(stream(HistoryFilter({"text": text}, viewer=ada).sources())) == [row]


def test_search_for_what_many_rows_hold_is_left_to_the_list(index: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(search, "RARE_ROWS", 2)
    ada, version = make_user(), make_version()
    rows = [make_prediction(ada, version) for _ in range(4)]

    assert search.rare_matches("dream") is None
    assert {row.pk for row in stream(HistoryFilter({"text": "dream"}, viewer=ada).sources())} == {
        row.pk for row in rows
    }


@pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite may lack its index")
def test_search_without_the_index_finds_the_same():
    with connection.cursor() as cursor:
        for statement in (
            "DROP TRIGGER IF EXISTS predictions_search_asked",
            "DROP TRIGGER IF EXISTS predictions_search_answered",
            "DROP TABLE IF EXISTS predictions_search",
        ):
            cursor.execute(statement)
    ada, version = make_user(), make_version()
    row = make_prediction(ada, version)
    make_prediction(ada, version, inputs={"island": "Biscoe"})

    assert list(stream(HistoryFilter({"text": "dream"}, viewer=ada).sources())) == [row]
