from datetime import UTC, datetime
from typing import Any

import pytest

from portal.accounts import roles
from portal.predictions.history import HistoryFilter, stream
from portal.predictions.models import Batch, Prediction
from tests.portal.factories import make_batch, make_model, make_prediction, make_user, make_version

pytestmark = pytest.mark.django_db


def shown(viewer: Any, **chosen: str) -> list[Prediction | Batch]:
    return list(stream(HistoryFilter(chosen, viewer=viewer).sources()))


def test_history_of_a_user_holds_both_kinds_newest_first():
    ada, version = make_user(), make_version()
    old = make_prediction(ada, version, created_at=datetime(2026, 1, 1, tzinfo=UTC))
    new = make_batch(ada, version, created_at=datetime(2026, 1, 2, tzinfo=UTC))

    assert shown(ada) == [new, old]


def test_history_of_a_user_leaves_out_what_others_asked():
    ada, bob, version = make_user(), make_user("bob"), make_version()
    make_prediction(bob, version)
    make_batch(bob, version)

    assert shown(ada) == []


def test_history_of_a_model_owner_holds_everybodys():
    ada, owner, version = make_user(), make_user("olga", roles.MODEL_OWNER), make_version()
    asked = make_prediction(ada, version)

    assert shown(owner) == [asked]


def test_user_filter_is_not_offered_to_those_who_see_only_their_own():
    ada = make_user()

    assert "user" not in HistoryFilter({}, viewer=ada).fields


def test_user_filter_in_the_address_of_a_predictor_narrows_nothing_and_widens_nothing():
    ada, bob, version = make_user(), make_user("bob"), make_version()
    own = make_prediction(ada, version)
    make_prediction(bob, version)

    assert shown(ada, user="bob") == [own]


@pytest.mark.parametrize(
    ("chosen", "names"),
    [
        ({"model": "penguins"}, ["prediction", "refused", "batch"]),
        ({"model": "diabetes"}, ["other"]),
        ({"version": "2"}, []),
        ({"kind": "prediction"}, ["prediction", "refused", "other"]),
        ({"kind": "batch"}, ["batch"]),
        ({"outcome": "state:answered"}, ["prediction", "other"]),
        ({"outcome": "state:refused"}, ["refused"]),
        ({"outcome": "state:done"}, ["batch"]),
        ({"outcome": "class:Gentoo"}, ["prediction"]),
        ({"outcome": "band:Bad result"}, ["prediction", "refused", "other"]),
        ({"since": "2026-03-02"}, ["refused", "batch", "other"]),
        ({"until": "2026-03-02"}, ["prediction", "refused"]),
        ({"text": "dream"}, ["prediction", "refused", "other"]),
        ({"text": "penguins.csv"}, ["batch"]),
        ({"text": "not a number"}, ["refused"]),
        ({"text": "100%"}, []),
        ({"kind": "batch", "model": "diabetes"}, []),
    ],
)
def test_filter_by_one_thing_shows_exactly_the_rows_that_match(chosen: dict[str, str], names: list[str]):
    ada, version, other = make_user(), make_version(), make_version(make_model("diabetes"))
    rows = {
        "prediction": make_prediction(ada, version, created_at=datetime(2026, 3, 1, 12, tzinfo=UTC)),
        "refused": make_prediction(
            ada, version, state="refused", outcome="", outcome_words="", error="x is not a number",
            created_at=datetime(2026, 3, 2, 23, 59, 59, tzinfo=UTC),
        ),
        "batch": make_batch(ada, version, created_at=datetime(2026, 3, 3, tzinfo=UTC)),
        "other": make_prediction(
            ada, other, outcome="152.5", outcome_words="", created_at=datetime(2026, 3, 4, tzinfo=UTC)
        ),
    }  # fmt: skip

    assert {row.pk for row in shown(ada, **chosen)} == {rows[name].pk for name in names}


def test_filter_by_failed_includes_rows_that_a_crash_left_without_an_answer():
    ada, version = make_user(), make_version()
    lost = make_prediction(ada, version, state="sending", outcome="")

    assert shown(ada, outcome="state:failed") == [lost]


@pytest.mark.parametrize("chosen", [{"version": "x"}, {"since": "soon"}, {"kind": "gift"}, {"model": "none-such"}])
def test_filter_with_nonsense_in_the_address_says_so_at_the_field(chosen: dict[str, str]):
    chosen_filter = HistoryFilter(chosen, viewer=make_user())

    assert not chosen_filter.is_valid()
    assert set(chosen_filter.errors) == set(chosen)
