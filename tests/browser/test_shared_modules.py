"""The published page draws and checks with ES modules what the portal does with templates and forms: they agree."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator
from typing import Any

import pytest
from django.template.loader import render_to_string
from playwright.sync_api import Browser, Page

from portal.gateways.contract import telling_number
from portal.predictions import charts
from portal.predictions.feature_form import FeatureForm, defaults_of, initial_from
from portal.predictions.models import Prediction
from portal.predictions.views.single import _tell_answer
from portal.registry.models import Band, Feature, ModelVersion
from portal.registry.published_page import document_of
from portal.templatetags.portico import duration, figure, percent
from tests.browser.modules import open_modules, run
from tests.portal.factories import make_manifest, make_model, make_prediction, make_user, make_version

pytestmark = [pytest.mark.browser, pytest.mark.looks, pytest.mark.django_db]

SIZES = [["s", "Small"], ["l", "Large <b>&amp;"]]
FEATURES: list[dict[str, Any]] = [
    {"name": "a", "label": "Length", "unit": "mm", "minimum": 30, "maximum": 62, "default": "44.5", "step": 0.1},
    {"name": "b <i>", "help": "Along the “ridge” & <b>tip</b>", "is_required": False, "accepts_missing": True},
    {"name": "c", "kind": "integer", "minimum": -1e-05, "maximum": 12345678, "help": "whole", "step": 1000000},
    {"name": "d", "kind": "integer", "unit": "°C", "is_required": False, "minimum": 0.30000000000000004},
    {"name": "e", "kind": "boolean", "label": "Smokes", "help": "daily"},
    {"name": "f", "kind": "boolean", "is_required": False, "default": "no"},
    {"name": "g", "kind": "choice", "choices": SIZES, "label": "Size", "default": "l"},
    {"name": "h", "kind": "choice", "choices": SIZES},
    {"name": "i", "kind": "choice", "choices": SIZES, "is_required": False, "help": "if known"},
    {"name": "j", "kind": "text", "unit": "words", "default": "none"},
    {"name": "k", "kind": "text", "is_required": False, "label": "Remark"},
]
NUMBERS = [
    "", " ", "44.5", "44,5", " 4 4.5\t", "1,234,5", "1.234,5", "abc", "<b>", "−3.5", "+3", "-0", ".5", "5.", "1e3",
    "1E-3", "1e999", "-1e999", "nan", "-Inf", "Infinity", "1_000", "1__0", "_1", "1_", "0x10", "٤٤٫٥", "٤٤", "３５",
    "1e", "e5", "--1", "29.999999999", "30", "62", "62.0000001", "1 000", "1\u202f000", "12345679", "-0.00002", "0.3",
    "\ufeff5", "\x1c5\x85", "9" * 41, "9" * 40, "2008.5", "1e30", "🙂" * 41,
]  # fmt: skip
TEXTS = ["", " ", " two  words ", "x" * 2000, "x" * 2001, "🙂" * 2001, "<script>alert(1)</script>", "\u3000wide\u3000"]
CHOSEN = ["", "s", "l", "S", " s", "<x>", "yes", "no", "Yes"]
SAMPLES = {"number": NUMBERS, "integer": NUMBERS, "boolean": CHOSEN, "choice": CHOSEN, "text": TEXTS}


@pytest.fixture
def page_of_modules(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    yield open_modules(page)
    page.close()


@pytest.fixture
def version() -> ModelVersion:
    """A version with a field of every kind, required and not."""
    made = make_version()
    made.features.all().delete()
    for position, facts in enumerate(FEATURES):
        Feature.objects.create(version=made, position=position, **facts)
    return ModelVersion.objects.get(pk=made.pk)


def as_sent(value: Any) -> Any:
    """What a script reads out of the portal's JSON."""
    return json.loads(json.dumps(value))


def features_of(version: ModelVersion) -> list[dict[str, Any]]:
    return list(as_sent(document_of(version))["features"])


def drawn_by_django(form: FeatureForm) -> str:
    return "".join(render_to_string("_field.html", {"field": field}) for field in form)


def samples_of_all() -> list[dict[str, str]]:
    """Values for all fields at once, until every sample of every field was there."""
    most = max(len(samples) for samples in SAMPLES.values())
    kinds = [facts.get("kind", "number") for facts in FEATURES]
    return [{f"f{i}": SAMPLES[kind][n % len(SAMPLES[kind])] for i, kind in enumerate(kinds)} for n in range(most)]


def test_fields_of_every_kind_are_drawn_as_django_draws_them(page_of_modules: Page, version: ModelVersion):
    script = "(made, normal, features, typed, html) => [normal(made.drawFields(features, typed)), normal(html)]"
    for typed in (defaults_of(version), initial_from(version, {"e": True, "f": 0, "h": "s", "a": 1.5}), {}):
        html = drawn_by_django(FeatureForm(version, initial=typed))

        drawn, wanted = run(page_of_modules, "feature_fields.js", script, features_of(version), typed, html)

        assert drawn == wanted
        assert len(drawn) == len(FEATURES)


def test_fields_with_problems_are_drawn_as_django_draws_them(page_of_modules: Page, version: ModelVersion):
    script = """(made, normal, features, typed, problems, html) => {
      const form = document.createElement("form");
      form.append(...made.drawFields(features, typed));
      made.showProblems(form, features, Object.fromEntries(features.map((_, i) => [`f${i}`, "An older one."])));
      made.showProblems(form, features, problems);
      return [normal([...form.children]), normal(html)];
    }"""
    for typed in samples_of_all()[::7]:
        form = FeatureForm(version, typed)
        problems = {name: list(said) for name, said in form.errors.items()}

        given = (features_of(version), typed, problems, drawn_by_django(form))
        drawn, wanted = run(page_of_modules, "feature_fields.js", script, *given)

        assert problems
        assert drawn == wanted


def test_values_of_every_kind_are_read_as_the_form_reads_them(page_of_modules: Page, version: ModelVersion):
    table = samples_of_all()
    wanted = []
    for typed in table:
        form = FeatureForm(version, typed)
        form.is_valid()
        row = {feature.name: form.cleaned_data.get(name) for name, feature in form.features.items()}
        problems = {name: said[0] for name, said in form.errors.items()}
        wanted.append(
            {"row": {key: None if value == "" else value for key, value in row.items()}, "problems": problems}
        )

    script = "(made, _, features, table) => table.map((typed) => made.check(features, typed))"
    told = run(page_of_modules, "checking.js", script, features_of(version), table)

    names = [facts["name"] for facts in FEATURES]
    for typed, one, other in zip(table, told, wanted, strict=True):
        assert one["problems"] == other["problems"], typed
        assert [one["row"].get(name) for name in names] == [other["row"][name] for name in names], typed


def test_an_examples_values_are_typed_as_the_portal_types_them(page_of_modules: Page, version: ModelVersion):
    rows = [
        {"a": 44.5, "b <i>": None, "c": 3, "e": True, "f": 0, "g": "l", "j": "word"},
        {"a": "44.5", "e": "true", "f": "False", "h": "s", "k": ""},
        {},
    ]
    script = "(made, _, features, rows) => rows.map((row) => made.typedOf(features, row))"

    told = run(page_of_modules, "checking.js", script, features_of(version), rows)

    assert told == [initial_from(version, row) for row in rows]


def numbers() -> list[float]:
    chance = random.Random(8)  # noqa: S311 -- no secret
    drawn = [chance.uniform(-1, 1) * 10 ** chance.uniform(-8, 18) for _ in range(400)]
    halves = [1234.5, 1233.5, 0.5, 2.5, 12.345, 0.125, 99.95, 999.95, 1234567.5, 12345678.5, 1000500000000000.0]
    ends = [0.0, 1.0, -1.0, 1e-4, 9.9999e-5, 1e7, 1e15, 1e16, 123456789012345680.0, 5e-324, 1.7976931348623157e308]
    return [*drawn, *halves, *ends, *(-number for number in halves), 0.1, 1 / 3, 1e-5, 100.0, 4100.0]


def test_numbers_are_written_digit_for_digit_as_the_portal_writes_them(page_of_modules: Page):
    given = numbers()
    script = """(made, _, given) => given.map((number) => [
      made.exact(number), made.figure(number).outerHTML, made.general(number), made.fixed(number % 1e15, 2)])"""

    told = run(page_of_modules, "numbers.js", script, given)

    wanted = [[repr(number), str(figure(number)), f"{number:g}", f"{math.fmod(number, 1e15):.2f}"] for number in given]
    assert told == wanted


def test_shares_and_durations_are_written_as_the_portal_writes_them(page_of_modules: Page):
    shares = [0.0, 1.0, 0.5, 0.9995, 0.99949, 1 - 1e-9, 1e-9, 0.0005, 0.00049, 0.1235, 0.12345, 1 / 3]
    lengths = [0.0, 0.04, 0.05, 0.25, 1.5, 99.94, 99.95, 99.96, 100.5, 101.5, 999.5, 1000.0, 1250.0, 12345.0]
    script = "(made, _, shares, lengths) => [shares.map((s) => made.percent(s).outerHTML), lengths.map(made.duration)]"

    told = run(page_of_modules, "numbers.js", script, shares, lengths)

    assert told == [[str(percent(share)) for share in shares], [duration(length) for length in lengths]]


def regression(value: float) -> dict[str, Any]:
    return {"outcome": str(value), "outcome_words": "", "value": value, "probabilities": None}


OF_CLASSES = {"type": "multiclass", "classes": ["Adelie", "Chinstrap", "Gentoo"], "probabilities": True}
SURE = "Bad result"
ANSWERS: dict[str, tuple[dict[str, Any], dict[str, str], dict[str, Any]]] = {
    "binary": (
        {"type": "binary", "classes": [0, 1], "probabilities": True},
        {"1": "Malignant"},
        {"outcome": "1", "outcome_words": "Malignant", "probabilities": [[0, 1e-9], [1, 1 - 1e-9]]},
    ),
    "binary, at a band's end": (
        {"type": "binary", "classes": [0.0, 1.0], "probabilities": True},
        {},
        {"outcome": "0.0", "outcome_words": "0.0", "probabilities": [[0.0, 0.5], [1.0, 0.5]]},
    ),
    "truth values": (
        {"type": "binary", "classes": [False, True], "probabilities": True},
        {"True": "It <b>is</b>"},
        {"outcome": "True", "outcome_words": "It <b>is</b>", "probabilities": [[False, 0.25], [True, 0.75]]},
    ),
    "classes": (
        OF_CLASSES,
        {"Gentoo": "A gentoo"},
        {
            "outcome": "Gentoo", "outcome_words": "A gentoo", "is_cold": True, "milliseconds": 1234.5,
            "probabilities": [["Adelie", 0.2], ["Chinstrap", 0.2], ["Gentoo", 0.6]],
        },
    ),
    "classes, the band is the class": (
        OF_CLASSES | {"classes": ["Adelie", "Chinstrap", SURE]},
        {},
        {
            "outcome": SURE, "outcome_words": SURE,
            "probabilities": [["Adelie", 0.05], ["Chinstrap", 0.05], [SURE, 0.9]],
        },
    ),
    "scores": (
        OF_CLASSES | {"probabilities": False},
        {},
        {"outcome": "Adelie", "outcome_words": "Adelie", "probabilities": None, "scores": [1.25, -3.0, 0.333333333]},
    ),
    "one score": (
        {"type": "binary", "classes": ["no", "yes"], "probabilities": False},
        {},
        {"outcome": "yes", "outcome_words": "yes", "probabilities": None, "scores": [0.125]},
    ),
    "value": ({"type": "regression", "classes": None, "probabilities": False}, {}, regression(152.13348416)),
    "value of a lower band": ({"type": "regression", "classes": None, "probabilities": False}, {}, regression(-3.0)),
    "label": (
        {"type": "labels", "classes": None, "probabilities": False},
        {},
        {"outcome": "-1", "outcome_words": "", "probabilities": None},
    ),
}  # fmt: skip


def answered(kind: str) -> Prediction:
    """An answer that was kept, with the band that the portal gives it."""
    output, words, facts = ANSWERS[kind]
    facts = {"scores": None, "value": None, **facts}
    unit = "mg/dL" if output["type"] == "regression" else ""
    model = make_model(target_label="Species & kind", target_unit=unit)
    version = make_version(model, manifest=make_manifest(output=output), class_labels=words)
    shares = facts["probabilities"] and [share for _, share in facts["probabilities"]]
    number = telling_number(version.output, {"value": facts["value"], "probabilities": shares})
    band = version.band_for(number)
    shown = {"band_label": band.label, "band_tone": band.tone} if band else {"band_label": "", "band_tone": ""}
    made = make_prediction(make_user(), version, **facts, **shown, band_value=number)
    return Prediction.objects.get(pk=made.pk)


@pytest.mark.parametrize("kind", ANSWERS)
def test_answer_is_drawn_as_the_template_draws_it(page_of_modules: Page, kind: str):
    prediction = answered(kind)
    context = {"prediction": prediction, "version": prediction.version, "model": prediction.version.model}
    html = render_to_string("predictions/_result.html", context | {"user": prediction.user})
    told = json.loads(_tell_answer(prediction).content)

    script = "(made, normal, told, html) => [normal([made.drawAnswer(told.page, told.answer, told)]), normal(html)]"
    drawn, wanted = run(page_of_modules, "answer.js", script, told, html)

    assert drawn == wanted


def test_answer_without_bands_has_none(page_of_modules: Page):
    prediction = answered("binary")
    Band.objects.all().delete()
    told = json.loads(_tell_answer(Prediction.objects.get(pk=prediction.pk)).content)

    said = run(page_of_modules, "answer.js", "(made, _, told) => made.sayAnswer(told.page, told.answer)", told)

    assert said == "Species & kind: Malignant"


def spread(of: str, counts: list[int], *, low: float = 0.0) -> dict[str, Any]:
    return {"of": of, "edges": [low + place / len(counts) for place in range(len(counts) + 1)], "counts": counts}


SPREADS: dict[str, tuple[str, dict[str, Any]]] = {
    "two classes and bands": (
        "binary",
        {
            "classes": [["0", 12], ["1", 3401]],
            "histogram": spread("probability of 1", [1, 0, 7, 3405]),
            "bands": [["Good result", 12], ["Bad result", 3400], ["Of another version", 1]],
        },
    ),
    "classes": (
        "classes",
        {
            "classes": [["Adelie", 3], ["Gentoo", 3], ["Chinstrap", 1]],
            "histogram": spread("probability of the predicted class", [0, 1, 6]),
            "bands": None,
        },
    ),
    "truth values": ("truth values", {"classes": [["True", 1]], "histogram": None, "bands": None}),
    "values": ("value", {"classes": None, "histogram": spread("prediction", [1, 1, 0], low=-12345.678), "bands": None}),
    "nothing yet": ("binary", {"classes": None, "histogram": spread("probability of 1", [0, 0]), "bands": None}),
}


@pytest.mark.parametrize("kind", SPREADS)
def test_answers_of_a_file_are_drawn_as_the_template_draws_them(page_of_modules: Page, kind: str):
    answers, distribution = SPREADS[kind]
    version = answered(answers).version
    counted = {"distribution": distribution}
    context = {
        "model": version.model,
        "class_bars": charts.class_bars(version, counted),
        "band_bars": charts.band_bars(version, counted),
        "histogram": charts.histogram(version, counted),
    }
    html = render_to_string("predictions/_batch_charts.html", context)
    script = (
        "(made, normal, page, given, html) => [normal([made.drawCharts(page, given)].filter(Boolean)), normal(html)]"
    )

    drawn, wanted = run(page_of_modules, "charts.js", script, document_of(version), distribution, html)

    assert drawn == wanted
