"""The console's pages for going live, rolling back and archiving, with the cloud side stood in by functions."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from portal.accounts import roles
from portal.gateways import inference
from portal.gateways.contract import Replay
from portal.registry import states
from portal.registry.models import Event, Model, ModelVersion
from tests.portal.factories import make_manifest, make_user, make_version
from tests.portal.registry.conftest import away

pytestmark = pytest.mark.django_db
ROW = {"bill_length_mm": 40.0, "island": "Dream", "year": 2008}
ADELIE = {"label": "Adelie", "value": None, "probabilities": [0.75, 0.25], "scores": None}
GENTOO = {"label": "Gentoo", "value": None, "probabilities": [0.25, 0.75], "scores": None}
GOLDEN = make_manifest(golden=[{"row": ROW, "prediction": ADELIE}])


@pytest.fixture
def swap(quiet_cloud: None, monkeypatch: pytest.MonkeyPatch) -> tuple[ModelVersion, ModelVersion]:
    """A live version that says Adelie, and a ready one that says Gentoo to the same row."""
    monkeypatch.setattr(
        inference, "answer_rows", lambda number, **asked: [{"prediction": ADELIE if number == 1 else GENTOO}]
    )
    live = make_version(manifest=GOLDEN)
    return live, make_version(live.model, is_live=False, manifest=GOLDEN)


def address(version: ModelVersion, step: str = "live") -> str:
    return reverse(f"admin:registry_modelversion_{step}", args=[version.pk])


def roll_back_address(model: Model) -> str:
    return reverse("admin:registry_model_roll_back", args=[model.pk])


def test_make_live_page_draws_the_answers_and_says_them(owner: Client, swap: Any):
    page = owner.get(address(swap[1])).content.decode()

    assert "The only row does not keep its answer; the largest move is 0.5, for row 1" in page
    assert '<path class="other"' in page
    assert "Adelie → Gentoo" in page
    assert "style=" not in page.partition("<main")[2]


def test_make_live_page_of_a_first_version_shows_the_answers_of_its_check(owner: Client):
    version = make_version(is_live=False, manifest=GOLDEN)

    page = owner.get(address(version)).content.decode()

    assert "When it was checked, version 1 answered 1 row: 1 with Adelie." in page
    assert "Answers of its check" in page


def test_make_live_page_with_the_service_away_works_without_the_picture(
    owner: Client, swap: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(inference, "answer_rows", away)

    answer = owner.get(address(swap[1]))

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "There is no picture of what both versions answer" in page and "Reference: " in page
    assert "Make version 2 live</button>" in page
    assert "secret host name" not in page


def test_make_live_page_of_rows_that_a_version_cannot_answer_says_why(
    owner: Client, swap: Any, monkeypatch: pytest.MonkeyPatch
):
    said = {1: {"prediction": ADELIE}, 2: {"error": "year: is missing"}}
    monkeypatch.setattr(inference, "answer_rows", lambda number, **asked: [said[number]])

    page = owner.get(address(swap[1])).content.decode()

    assert "version 2 cannot answer 1 row" in page
    assert "No answer: year: is missing" in page


def test_make_live_with_moved_rows_shows_them_and_changes_nothing(
    owner: Client, swap: Any, monkeypatch: pytest.MonkeyPatch
):
    moved = [
        {"row": ROW, "before": ADELIE, "now": GENTOO, "error": None},
        {"row": ROW, "before": ADELIE, "now": None, "error": "It raised ValueError."},
    ]
    monkeypatch.setattr(inference, "replay", lambda **kwargs: Replay(rows=5, moved=moved))

    answer = owner.post(address(swap[1]), {"seen": "1"})

    page = answer.content.decode()
    assert answer.status_code == 409
    assert "answers 2 of its 5 golden rows otherwise" in page
    assert (
        "Probability of Gentoo <strong>0.25</strong>" in page and "Probability of Gentoo <strong>0.75</strong>" in page
    )
    assert "It raised ValueError." in page
    assert swap[0].model.live_version == swap[0]


def test_make_live_by_two_people_tells_the_second_who_was_faster(client: Client, owner: Client, swap: Any):
    grace, third = Client(), make_version(swap[0].model, is_live=False, manifest=GOLDEN)
    grace.force_login(make_user("grace", roles.MODEL_OWNER))
    seen = owner.get(address(third)).context["live"].number

    grace.post(address(swap[1]), {"seen": str(seen)})
    answer = owner.post(address(third), {"seen": str(seen)})

    page = answer.content.decode()
    assert answer.status_code == 409
    assert "grace has made version 2 live since this page was shown, so nothing was changed." in page
    assert 'name="seen" value="2"' in page
    assert swap[0].model.live_version == swap[1]


def test_make_live_of_a_version_that_somebody_else_made_live_says_who(owner: Client, swap: Any):
    grace = Client()
    grace.force_login(make_user("grace", roles.MODEL_OWNER))
    grace.post(address(swap[1]), {"seen": "1"})

    answer = owner.post(address(swap[1]), {"seen": "1"}, follow=True)

    assert "Version 2 is live already: grace has made it so." in answer.content.decode()


def test_make_live_while_somebody_else_changes_it_is_refused_with_their_name(owner: Client, swap: Any):
    Model.objects.update(changing_since=timezone.now(), changing_by=make_user("grace", roles.MODEL_OWNER))

    answer = owner.post(address(swap[1]), {"seen": "1"})

    assert answer.status_code == 409
    assert "grace is changing which version of “Penguins” is live just now." in answer.content.decode()


@pytest.mark.parametrize("place", ["admin:registry_model_change", "admin:registry_modelversion_change"])
def test_roll_back_is_one_click_on_both_pages(owner: Client, swap: Any, place: str):
    ModelVersion.objects.filter(pk=swap[0].pk).update(live_at=timezone.now())
    owner.post(address(swap[1]), {"seen": "1"})
    shown = owner.get(reverse(place, args=[swap[0].model_id if "model_" in place else swap[1].pk])).content.decode()

    answer = owner.post(roll_back_address(swap[0].model), {"seen": "2", "to": "1"}, follow=True)

    assert "Roll back to version 1</button>" in shown
    assert "version 1 of Penguins is live again, in place of version 2." in answer.content.decode()
    assert swap[0].model.live_version == swap[0]


def test_roll_back_is_not_offered_where_there_is_nothing_to_go_back_to(owner: Client, swap: Any):
    page = owner.get(reverse("admin:registry_model_change", args=[swap[0].model_id])).content.decode()

    assert "Roll back" not in page


def test_roll_back_of_a_page_that_is_out_of_date_changes_nothing(owner: Client, swap: Any):
    ModelVersion.objects.filter(pk=swap[1].pk).update(live_at=timezone.now())

    answer = owner.post(roll_back_address(swap[0].model), {"seen": "7", "to": "2"}, follow=True)

    assert "Nothing was changed." in answer.content.decode() or "has changed since" in answer.content.decode()
    assert swap[0].model.live_version == swap[0]


@pytest.mark.parametrize("role", [roles.VIEWER, roles.PREDICTOR])
def test_changes_of_what_is_live_by_a_colleague_are_forbidden(client: Client, swap: Any, role: str):
    client.force_login(make_user("carl", role))

    for place in (address(swap[1]), address(swap[1], "archive"), roll_back_address(swap[0].model)):
        assert client.post(place).status_code in (302, 403)

    assert not Event.objects.exists()


def test_archived_version_leaves_the_list_and_its_page_says_so(owner: Client, swap: Any):
    offered = owner.get(address(swap[1], "change")).content.decode()

    owner.post(address(swap[1], "archive"))

    model_page = owner.get(reverse("admin:registry_model_change", args=[swap[0].model_id]))
    page = owner.get(address(swap[1], "change")).content.decode()
    assert "Archive version 2 for good" in offered
    assert [version.number for version in model_page.context["versions"]] == [1]
    assert "Archived (1)" in model_page.content.decode()
    assert "It is archived</strong> and cannot be made live or checked any more." in page
    assert "Make live" not in page and "Check again" not in page


def test_archive_of_the_live_version_is_refused(owner: Client, swap: Any):
    answer = owner.post(address(swap[0], "archive"), follow=True)

    assert "A version that is live cannot become archived." in answer.content.decode()


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (states.UPLOADED, "It was uploaded and waits for its check"),
        (states.CHECKING, "Its check is not finished"),
        (states.READY, "It passed the check."),
        (states.LIVE, "It is live"),
        (states.REJECTED, "It was rejected and cannot be made live."),
        (states.ARCHIVED, "It is archived"),
    ],
)
def test_every_state_has_its_label_and_its_next_step(owner: Client, state: str, words: str):
    version = make_version(is_live=False, state=state)

    page = owner.get(address(version, "change")).content.decode()

    assert f">{state.capitalize()}</span>" in page
    assert words in page


def test_live_version_says_since_when_and_by_whom(owner: Client, swap: Any):
    owner.post(address(swap[1]), {"seen": "1"})

    page = owner.get(address(swap[1], "change")).content.decode()

    assert "made live by olga" in page
