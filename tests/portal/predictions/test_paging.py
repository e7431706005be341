"""Pages found by place: none skipped, none twice, whatever is written meanwhile and however little is looked at."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from portal.accounts import roles
from portal.predictions import history, narrowing
from portal.predictions.history import HistoryFilter, stream
from portal.predictions.paging import Place, page_after, page_before
from tests.portal.factories import make_batch, make_model, make_prediction, make_user, make_version

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def fill(owner, version, *, rows: int) -> None:
    """Several rows share a moment, and every third is a batch."""
    for number in range(rows):
        make = make_batch if number % 3 == 0 else make_prediction
        make(owner, version, created_at=NOON + timedelta(minutes=number // 4))


def walk(sources, *, size: int) -> list:
    """The pages from the first to the last one."""
    pages, place = [], None
    while not pages or place:
        pages.append(page_before(sources, place, size=size))
        place = pages[-1].older
    return pages


def test_place_written_and_read_again_is_the_same():
    place = Place(datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC), uuid.uuid4())

    assert Place.read(str(place)) == place


@pytest.mark.parametrize("text", ["", "1", "1-", "x-" + "0" * 32, "9" * 40 + "-" + "0" * 32])
def test_place_that_is_none_is_not_read(text: str):
    assert Place.read(text) is None


@pytest.mark.parametrize("size", [1, 3, 4, 24, 25, 100])
def test_pages_together_hold_every_row_once_in_order(size: int):
    ada, version = make_user(), make_version()
    fill(ada, version, rows=25)
    sources = HistoryFilter({}, viewer=ada).sources()

    pages = walk(sources, size=size)

    rows = [row for page in pages for row in page.rows]
    assert [Place.of(row) for row in rows] == sorted((Place.of(row) for row in rows), reverse=True)
    assert len({row.pk for row in rows}) == len(rows) == 25
    assert [len(page.rows) for page in pages[:-1]] == [size] * (len(pages) - 1)


def test_pages_back_to_the_newest_are_those_of_the_way_there():
    ada, version = make_user(), make_version()
    fill(ada, version, rows=25)
    sources = HistoryFilter({}, viewer=ada).sources()
    there = walk(sources, size=4)

    page, back = there[-1], [there[-1]]
    while page.newer:
        page = page_after(sources, page.newer, size=4)
        back.append(page)

    assert [page.rows for page in reversed(back)] == [page.rows for page in there]


def test_page_after_newer_rows_came_goes_on_where_it_was():
    ada, version = make_user(), make_version()
    fill(ada, version, rows=10)
    sources = HistoryFilter({}, viewer=ada).sources()
    first, second = walk(sources, size=5)

    make_prediction(ada, version)

    assert page_before(sources, first.older, size=5).rows == second.rows


def test_page_that_nothing_is_newer_than_is_the_first_one_filled_up():
    ada, version = make_user(), make_version()
    fill(ada, version, rows=10)
    sources = HistoryFilter({}, viewer=ada).sources()
    third_newest = page_before(sources, None, size=3).rows[2]

    page = page_after(sources, Place.of(third_newest), size=5)

    assert page.rows == page_before(sources, None, size=5).rows
    assert page.is_first


def test_filters_together_look_at_so_many_rows_and_say_how_far(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(narrowing, "LOOK_ROWS", 4)
    ada, version = make_user(), make_version()
    wanted = make_prediction(ada, version, state="refused", created_at=NOON - timedelta(days=1))
    for number in range(10):
        make_prediction(ada, version, state="refused", outcome_words="x", created_at=NOON + timedelta(minutes=number))
    chosen = {"model": "penguins", "version": "1", "outcome": "state:refused", "text": "gentoo"}
    wanted.outcome_words = "Gentoo"
    wanted.save()
    for row in type(wanted).objects.exclude(pk=wanted.pk):
        row.outcome = row.outcome_words = "x"
        row.save()
    monkeypatch.setattr("portal.predictions.search.rare_matches", lambda text: None)
    sources = HistoryFilter(chosen, viewer=ada).sources()

    pages = walk(sources, size=5)

    assert [page.searched_to is not None for page in pages] == [True, True, False]
    assert [row for page in pages for row in page.rows] == [wanted]


@pytest.mark.parametrize("look_rows", [1, 2, 7, 1000])
@pytest.mark.parametrize(
    "chosen",
    [
        {"model": "penguins", "outcome": "class:Gentoo"},
        {"model": "diabetes", "outcome": "state:failed", "user": "ada"},
        {"version": "1", "text": "dream"},
        {"outcome": "band:Bad result", "text": "zz"},
        {"since": "2026-03-01", "model": "penguins", "version": "1", "outcome": "class:Gentoo"},
    ],
)
def test_filters_together_find_the_same_however_little_is_looked_at(
    chosen: dict[str, str], look_rows: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(narrowing, "LOOK_ROWS", look_rows)
    ada, owner = make_user(), make_user("olga", roles.MODEL_OWNER)
    versions = [make_version(), make_version(make_model("diabetes"))]
    expected = set()
    for number in range(24):
        version, by = versions[number % 2], (ada, owner)[number % 3 == 0]
        facts = {
            "outcome_words": ("Gentoo", "Adelie")[number % 5 == 0],
            "state": ("answered", "failed")[number % 7 == 0],
        }
        inputs = {"island": "Dream" if number % 4 else "pizzza"}
        row = make_prediction(by, version, inputs=inputs, created_at=NOON + timedelta(minutes=number // 3), **facts)
        meets = {
            "model": version.model.slug == chosen.get("model"),
            "user": by == ada,
            "version": True,
            "since": True,
            "text": chosen.get("text", "") in inputs["island"].lower(),
            "outcome": chosen.get("outcome")
            in (f"class:{row.outcome_words}", f"state:{row.state}", f"band:{row.band_label}"),
        }
        if all(meets[name] for name in chosen):
            expected.add(row.pk)

    found = [row.pk for row in stream(HistoryFilter(chosen, viewer=owner).sources())]

    assert len(found) == len(set(found))
    assert set(found) == expected


@pytest.mark.parametrize(
    "query",
    ["", "model=penguins&outcome=class:Gentoo", "text=dream", "text=dr", "kind=prediction&outcome=state:answered"],
)
def test_history_with_many_rows_asks_the_database_no_more_often(query: str, client: Client):
    owner, version = make_user("olga", roles.MODEL_OWNER), make_version()
    client.force_login(owner)
    fill(owner, version, rows=120)  # of each kind more than a page
    client.get(f"/history/?{query}")

    with CaptureQueriesContext(connection) as few:
        client.get(f"/history/?{query}")
    fill(owner, version, rows=300)
    with CaptureQueriesContext(connection) as many:
        client.get(f"/history/?{query}")

    assert len(many) == len(few)


def test_history_of_more_rows_than_are_counted_says_so(client: Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(history, "MANY", 30)
    ada, version = make_user(), make_version()
    client.force_login(ada)
    fill(ada, version, rows=31)

    page = client.get("/history/").content.decode()

    assert "rows or more as CSV" in page
