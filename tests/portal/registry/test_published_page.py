"""What the published page is told of a model, in the very words of the portal's form."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from portal.predictions.feature_form import FeatureForm
from portal.registry.models import Example, Feature
from portal.registry.published_page import document_of, index_of
from tests.portal.factories import make_manifest, make_model, make_user, make_version

pytestmark = pytest.mark.django_db
CONTRACT = Path(__file__).parents[3] / "docs" / "contract.md"
REGRESSION: dict[str, Any] = {"type": "regression", "classes": None, "probabilities": False}
LABELS: dict[str, Any] = {"type": "labels", "classes": None, "probabilities": False}


def test_document_holds_the_page_of_the_version():
    model = make_model(summary="Which penguin it is.", target_label="Species", target_unit="", capture="outputs")
    version = make_version(model, class_labels={"Gentoo": "A gentoo"})
    Example.objects.create(version=version, name="A long bill", row={"bill_length_mm": 59.5, "island": None})

    document = document_of(version)

    assert {name: document[name] for name in document if name not in ("features", "bands", "examples")} == {
        "v": 1,
        "slug": "penguins",
        "version": 1,
        "sha256": "0" * 64,
        "name": "Penguins",
        "summary": "Which penguin it is.",
        "result_label": "Species",
        "result_unit": "",
        "capture": "outputs",
        "output": version.manifest["output"],
        "class_words": {"Adelie": "Adelie", "Gentoo": "A gentoo"},
    }
    assert document["bands"] == [
        {"upper": 0.5, "label": "Good result", "tone": "good"},
        {"upper": None, "label": "Bad result", "tone": "bad"},
    ]
    assert document["examples"] == [{"name": "A long bill", "row": {"bill_length_mm": 59.5, "island": None}}]


def test_features_are_in_the_forms_order_with_all_that_the_form_shows():
    version = make_version()
    Feature.objects.filter(version=version, name="island").update(position=9)

    features = document_of(version)["features"]

    assert [feature["name"] for feature in features] == ["bill_length_mm", "year", "island"]
    assert features[0] == {
        "name": "bill_length_mm",
        "label": "Bill length",
        "unit": "mm",
        "kind": "number",
        "choices": [],
        "minimum": 30.0,
        "maximum": 62.0,
        "step": None,
        "default": "44.5",
        "required": True,
        "accepts_missing": False,
        "help": "30 to 62",
    }
    assert (features[1]["label"], features[1]["required"], features[1]["accepts_missing"]) == ("year", False, True)
    assert features[2]["choices"] == [["Biscoe", "Biscoe"], ["Dream", "Dream"]]


def test_features_help_and_choices_are_those_of_the_portals_form():
    version = make_version()
    Feature.objects.filter(version=version, name="bill_length_mm").update(help="along the upper ridge", minimum=30.5)
    form = FeatureForm(version)

    features = document_of(version)["features"]

    assert [feature["help"] for feature in features] == [field.help_text for field in form.fields.values()]
    assert features[0]["help"] == "30.5 to 62 · along the upper ridge"
    shown = [[value, str(word)] for value, word in form.fields["f1"].choices if value]
    assert features[1]["choices"] == shown


@pytest.mark.parametrize(("output", "has_bands"), [(REGRESSION, True), (LABELS, False)])
def test_bands_are_told_where_the_answer_has_a_number_that_they_look_at(output: dict[str, Any], has_bands: bool):
    version = make_version(manifest=make_manifest(output=output))

    assert bool(document_of(version)["bands"]) == has_bands


def test_document_has_the_entries_of_the_contract_and_is_json():
    text = CONTRACT.read_text("utf-8").partition("pages/<slug>/page.json    {")[2].partition("\n\n")[0]
    version = make_version()
    Example.objects.create(version=version, name="x", row={})

    document = document_of(version)

    named = set(re.findall(r'"([a-z0-9_]+)"(?=[:,}])', text))
    told = {*document, *document["features"][0], *document["output"], *document["bands"][0], *document["examples"][0]}
    assert told <= named
    assert json.loads(json.dumps(document)) == document


def test_index_says_of_each_model_what_the_portals_first_page_says(client: Client):
    version = make_version(make_model(summary="Which penguin it is.", target_label="Species"))
    client.force_login(make_user())

    (entry,) = index_of([version])["models"]

    assert entry == {
        "slug": "penguins",
        "name": "Penguins",
        "summary": "Which penguin it is.",
        "result_label": "Species",
        "values": 3,
        "version": 1,
    }
    page = client.get("/").content.decode()
    assert "Species from 3 values · version 1" in page
