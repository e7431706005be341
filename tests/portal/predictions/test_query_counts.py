"""How often pages ask the database: as often with five times the rows, whatever they are asked for."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from portal.accounts import roles
from portal.accounts.models import User
from portal.gateways import inference
from portal.gateways.contract import Answer
from portal.predictions import narrowing, search
from portal.predictions.models import Batch, Prediction
from portal.predictions.paging import Place
from portal.registry.models import ModelVersion
from tests.portal.factories import make_batch, make_prediction, make_user, make_version

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FEW, MANY = 60, 300  # of each kind; both more than a page, and than what is looked at below
HISTORY = {
    "everything": "",
    "one model": "model=penguins",
    "one version": "model=penguins&version=1",
    "one person": "user=ada",
    "predictions": "kind=prediction",
    "batches": "kind=batch",
    "a class": "outcome=class:Gentoo",
    "a band": "outcome=band:Bad result",
    "a state": "outcome=state:answered",
    "the portal's own": "source=portal",
    "a source": "source=program",
    "a source and filters": "source=portal&model=penguins&text=dream",
    "a day": "since=2026-03-01&until=2026-03-01",
    "several filters": "user=ada&model=penguins&outcome=band:Bad result&since=2026-03-01",
    "filters that let nothing through": "model=penguins&outcome=class:Emperor",
    "a frequent word": "text=dream",
    "two letters": "text=dr",
    "a word that is nowhere": "text=xylophone",
    "a word and filters": "user=ada&model=penguins&text=dream",
    "the page before": "before={middle}",
    "the page after": "after={oldest}",
    "the page before, filtered": "model=penguins&outcome=class:Gentoo&before={middle}",
    "the page after, searched": "text=dream&after={oldest}",
}


def fill(ada: User, version: ModelVersion, *, rows: int) -> None:
    """So many rows of each kind in all, a minute apart."""
    for kind, make in ((Prediction, make_prediction), (Batch, make_batch)):
        pattern, had = make(ada, version, created_at=NOON - timedelta(days=1)), kind.objects.count()
        copies = []
        for number in range(had, rows):
            row = kind(**{field.attname: getattr(pattern, field.attname) for field in kind._meta.concrete_fields})
            row.pk, row.created_at = kind._meta.pk.get_default(), NOON + timedelta(minutes=number)
            copies.append(row)
        kind.objects.bulk_create(copies)


def count(ask: Callable[[], object]) -> int:
    ask()  # the first time, more has to be found out than later
    with CaptureQueriesContext(connection) as queries:
        ask()
    return len(queries)


@pytest.fixture
def version(monkeypatch: pytest.MonkeyPatch) -> ModelVersion:
    """A history that is long for what is looked at."""
    monkeypatch.setattr(narrowing, "LOOK_ROWS", 50)
    monkeypatch.setattr(narrowing, "FIRST_LOOK", 30)
    monkeypatch.setattr(search, "RARE_ROWS", 25)
    return make_version()


@pytest.fixture
def ada(version: ModelVersion) -> User:
    user = make_user()
    fill(user, version, rows=FEW)
    return user


@pytest.mark.parametrize("query", HISTORY.values(), ids=HISTORY)
def test_history_with_five_times_the_rows_asks_as_often(query: str, client: Client, ada: User, version: ModelVersion):
    client.force_login(make_user("olga", roles.MODEL_OWNER))
    rows = list(Prediction.objects.order_by("created_at"))
    places = {"middle": Place.of(rows[FEW // 2]), "oldest": Place.of(rows[3])}

    few = count(lambda: client.get(f"/history/?{query.format(**places)}"))
    fill(ada, version, rows=MANY)
    many = count(lambda: client.get(f"/history/?{query.format(**places)}"))

    assert many == few


@pytest.mark.parametrize("page", ["predictions:home", "predictions:history"])
def test_persons_own_pages_with_five_times_the_rows_ask_as_often(
    page: str, client: Client, ada: User, version: ModelVersion
):
    client.force_login(ada)

    few = count(lambda: client.get(reverse(page)))
    fill(ada, version, rows=MANY)
    many = count(lambda: client.get(reverse(page)))

    assert many == few


def test_console_with_five_times_the_rows_asks_as_often(client: Client, ada: User, version: ModelVersion):
    client.force_login(make_user("olga", roles.MODEL_OWNER))
    pages = [reverse("admin:registry_model_changelist"), version.model.get_absolute_url()]
    pages.append(reverse("admin:registry_model_change", args=[version.model_id]))

    few = [count(lambda page=page: client.get(page)) for page in pages]
    fill(ada, version, rows=MANY)
    many = [count(lambda page=page: client.get(page)) for page in pages]

    assert many == few


def test_prediction_asks_eight_times_and_its_page_six_times(
    client: Client, ada: User, version: ModelVersion, monkeypatch: pytest.MonkeyPatch
):
    # Session, person, permissions, version, features, bands, and the row twice: the question, and its answer.
    told = {
        "output": version.manifest["output"],
        "prediction": {"label": "Gentoo", "value": None, "probabilities": [0.25, 0.75]},
        "start": "warm",
        "milliseconds": 1.0,
    }
    monkeypatch.setattr(inference, "predict", lambda **asked: Answer.from_json(told))
    client.force_login(ada)
    form, answers = {"f0": "44.5", "f1": "Dream", "f2": "2008"}, []

    posted = count(lambda: answers.append(client.post("/models/penguins/", form)))
    shown = count(lambda: client.get(answers[-1]["Location"]))

    assert (posted, shown) == (8, 7)
