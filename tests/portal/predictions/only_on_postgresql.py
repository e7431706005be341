"""What PostgreSQL alone has: plans that are kept, and statistics. Run by test_on_postgresql.py."""

from typing import Any

import pytest
from django.db import connection

from portal.database import planned_each_time
from portal.predictions import search
from portal.predictions.history import HistoryFilter, stream
from portal.predictions.models import Prediction
from tests.portal.factories import make_prediction, make_user, make_version

pytestmark = pytest.mark.django_db


def kept_plans() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        return [statement for (statement,) in cursor.fetchall()]


def ask_often(rows: Any) -> None:
    for _ in range(5):
        list(rows.all())


def test_query_that_is_asked_again_is_planned_once():
    ask_often(Prediction.objects.filter(outcome="planned once"))

    assert any("outcome" in statement for statement in kept_plans())


def test_query_of_a_list_is_planned_for_its_values_and_those_that_follow_are_not():
    rows = Prediction.objects.filter(band_value=0.25)
    with planned_each_time():
        ask_often(rows)
        meanwhile = kept_plans()
    ask_often(rows)

    assert not any('"band_value" = ' in statement for statement in meanwhile)
    assert any('"band_value" = ' in statement for statement in kept_plans())


def test_history_keeps_no_plan_of_its_rows():
    ada = make_user()
    make_prediction(ada, make_version())

    for _ in range(5):
        list(stream(HistoryFilter({"outcome": "class:Adelie", "text": "dream"}, viewer=ada).sources()))

    assert not any("COALESCE" in statement or "LIKE" in statement for statement in kept_plans())


def test_search_for_what_statistics_know_to_be_frequent_asks_no_index(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(search, "FREQUENT_ROWS", 150)
    version = make_version()
    ada = make_user()
    make_prediction(ada, version)
    template = Prediction.objects.get()
    for number in range(400):
        template.pk, template.words = None, f"row{number:04} dream"
        template._state.adding = True
        Prediction.objects.bulk_create([template])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE predictions_prediction")

    assert search.rare_matches("dream") is None
    assert len(search.rare_matches("row0007") or []) == 1
