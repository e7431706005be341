"""The settings of a version's page: what is saved, and what is told at which field."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from portal.registry.models import Band, Event, Feature, ModelVersion
from tests.portal.factories import make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def version() -> ModelVersion:
    return make_version()


def post(client: Client, version: ModelVersion, **changes: Any) -> Any:
    """Post the page's form as it stands, with some fields changed. Answers the response."""
    address = reverse("admin:registry_modelversion_change", args=[version.pk])
    context = client.get(address).context
    forms = [context["adminform"].form]
    for inline in context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    fields = {field.html_name: field.value() for form in forms for field in form}
    sent = {name: "" if value is None else value for name, value in fields.items() if value is not False}
    return client.post(address, {**sent, **changes})


def shown(answer: Any) -> str:
    return answer.content.decode()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"features-0-minimum": "70"}, "The highest value must be above the lowest."),
        ({"features-0-default": "99"}, "The default lies outside the range."),
        ({"features-0-default": "long"}, "“long” is not a number."),
        ({"features-0-step": "0"}, "The step must be above zero."),
        ({"features-1-choices": ""}, "A choice needs at least one line."),
        ({"features-1-choices": "Atlantis"}, "The model does not know “Atlantis”."),
        ({"features-1-choices": "Dream\nDream = Dream island"}, "“Dream” is there twice."),
        ({"features-1-default": "Torgersen"}, "The default must be one of the choices."),
        ({"features-1-kind": "number"}, "number is not one of the available choices."),
        ({"bands-1-upper": "0.9"}, "Exactly one band is open at its upper end"),
        ({"bands-0-upper": "1.5"}, "A probability lies between 0 and 1."),
        ({"class_labels": "Emperor = A large one"}, "The model has no class “Emperor”."),
        ({"examples-0-name": "One", "examples-0-row": "wings = 2"}, "The model has no feature “wings”."),
    ],
)
def test_settings_that_cannot_be_are_told_and_not_saved(
    owner: Client, version: ModelVersion, changes: dict[str, str], told: str
):
    answer = post(owner, version, **changes)

    assert answer.status_code == 200
    assert told in shown(answer)
    assert not Event.objects.exists()


def test_settings_of_a_value_the_model_needs_stay_required(owner: Client, version: ModelVersion):
    answer = post(owner, version, **{"features-0-is_required": ""})

    assert "The model cannot do without this value" in shown(answer)


def test_settings_saved_are_kept_and_written_down(owner: Client, version: ModelVersion):
    answer = post(
        owner,
        version,
        **{
            "features-0-label": "Length of the bill",
            "features-1-choices": "Dream = Dream island\nBiscoe",
            "features-1-default": "Dream",
            "class_labels": "Adelie = Adélie\nGentoo",
            "examples-0-name": "A long bill",
            "examples-0-row": "bill_length_mm = 59.5\nisland = Dream",
        },
    )

    version.refresh_from_db()
    first, second = Feature.objects.filter(version=version)[:2]
    assert answer.status_code == 302
    assert first.label == "Length of the bill"
    assert second.choices == [["Dream", "Dream island"], ["Biscoe", "Biscoe"]]
    assert version.class_labels == {"Adelie": "Adélie"}
    assert version.examples.get().row == {"bill_length_mm": 59.5, "island": "Dream", "year": None}
    assert Event.objects.get().did == "settings changed"


def test_bands_may_trade_ends(owner: Client, version: ModelVersion):
    post(owner, version, **{"bands-0-upper": "", "bands-1-upper": "0.3"})

    assert list(Band.objects.values_list("upper", "label")) == [(0.3, "Bad result"), (None, "Good result")]


def test_bands_all_removed_leave_no_wording(owner: Client, version: ModelVersion):
    post(owner, version, **{"bands-0-DELETE": "on", "bands-1-DELETE": "on"})

    assert not version.bands.exists()


def test_settings_saved_without_a_change_leave_no_event(owner: Client, version: ModelVersion):
    post(owner, version)

    assert not Event.objects.exists()


def test_model_says_how_long_its_files_are_kept(owner: Client):
    version = make_version()
    address = reverse("admin:registry_model_change", args=[version.model.pk])
    shown = owner.get(address).content.decode()

    owner.post(address, {"name": "Penguins", "keep_batches_days": "90", "capture": "all", "_continue": ""})

    version.model.refresh_from_db()
    assert re.search(r'<option value="30" selected>\s*30 days', shown)
    assert version.model.keep_batches_days == 90
