"""One observation: the form, and the permalink of its answer. The page's script asks for the same as JSON."""

import uuid
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import dateformat, timezone
from django.views.decorators.http import require_http_methods, require_safe

from portal.accounts.signed_in import person
from portal.errors import BadInput, GatewayError
from portal.middleware import log_reference
from portal.predictions import actions
from portal.predictions.feature_form import FeatureForm, defaults_of, initial_from
from portal.predictions.models import Prediction
from portal.predictions.views.models import UNSEEN, live_version_or_404
from portal.registry.models import ModelVersion
from portal.registry.published_page import document_of

MAX_DIGITS = 9
LOAD_AGAIN = "Load the page again to ask it."
OTHER_VALUES = "Version {number} has become live meanwhile, and asks for other values."


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("predictions.add_prediction", raise_exception=True)
def predict(request: HttpRequest, slug: str) -> HttpResponse:
    """The form of the live version; posting it leads to the answer's own page, a script is told the answer."""
    version = live_version_or_404(slug)
    if request.method != "POST":
        return _page(request, version, FeatureForm(version, initial=_initial(request, version)))
    is_script = request.get_preferred_type(["text/html", "application/json"]) == "application/json"
    moved = _form_after_a_change(request, version)
    if moved:
        said = OTHER_VALUES.format(number=version.number)
        return (
            JsonResponse({"message": f"{said} {LOAD_AGAIN}"}, status=409)
            if is_script
            else _page(request, version, moved, news=said, status=409)
        )
    form, answered = FeatureForm(version, request.POST), None
    try:
        if form.is_valid():
            answered = actions.predict_one(version, form.row(), by=person(request))
    except BadInput as error:
        form.add_feature_errors(error.fields)
        if not error.fields:
            form.add_error(None, error.user_message)
    except GatewayError as error:
        return _tell_failure(error) if is_script else _page(request, version, form, failure=error, status=503)
    if answered is None:
        return _tell_problems(form) if is_script else _page(request, version, form, status=422)
    return _tell_answer(answered) if is_script else redirect(answered)


@require_safe
@permission_required("predictions.view_prediction", raise_exception=True)
def prediction(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """An answer, for good; with the form beside it where the same version is still live."""
    rows = Prediction.objects.visible_to(person(request)).select_related("version__model", "user")
    rows = rows.prefetch_related("version__features").defer("words", *(f"version__{name}" for name in UNSEEN))
    found = get_object_or_404(rows, pk=pk)
    version = found.version
    may_ask = version.is_live and request.user.has_perm("predictions.add_prediction")
    asked = defaults_of(version) if found.is_without_values else initial_from(version, found.inputs)
    form = FeatureForm(version, initial=asked) if may_ask else None
    return _page(request, version, form, prediction=found)


def _page(
    request: HttpRequest,
    version: ModelVersion,
    form: FeatureForm | None,
    *,
    prediction: Prediction | None = None,
    failure: GatewayError | None = None,
    news: str = "",
    status: int = 200,
) -> HttpResponse:
    if form:
        prefetch_related_objects([version], "bands", "examples")
    context = {
        "version": version,
        "model": version.model,
        "form": form,
        "page": document_of(version) if form else None,
        "prediction": prediction,
        "failure": failure,
        "news": news,
        "reference": log_reference(failure) if failure else "",
    }
    return render(request, "predictions/predict.html", context, status=status)


def _initial(request: HttpRequest, version: ModelVersion) -> dict[str, str]:
    """What the form shows first: an example, an earlier prediction's values, or the defaults."""
    chosen = request.GET.get("example", "")
    example = version.examples.filter(pk=int(chosen)).first() if chosen.isdecimal() else None
    return initial_from(version, example.row) if example else defaults_of(version)


def _form_after_a_change(request: HttpRequest, version: ModelVersion) -> FeatureForm | None:
    """Where other features were asked for when the page was loaded: the live version's form, with what was typed."""
    number = request.POST.get("version", "")
    if number == str(version.number) or not number.isdecimal() or len(number) > MAX_DIGITS:
        return None
    before = version.model.versions.filter(number=int(number)).prefetch_related("features").first()
    now = [feature.name for feature in version.features.all()]
    then = [feature.name for feature in before.features.all()] if before else now
    if then == now:
        return None
    typed = {name: request.POST.get(f"f{i}", "") for i, name in enumerate(then)}
    carried = {f"f{i}": typed[name] for i, name in enumerate(now) if name in typed}
    return FeatureForm(version, initial=defaults_of(version) | carried)


def _tell_answer(answered: Prediction) -> JsonResponse:
    """What the page's script draws: page.json of the version that answered, its answer, when, and the answer's page."""
    version, asked = answered.version, timezone.localtime(answered.created_at)
    return JsonResponse(
        {
            "page": document_of(version),
            "answer": _as_contract(answered),
            "asked": {"datetime": dateformat.format(asked, "c"), "shown": dateformat.format(asked, "j F Y, H:i")},
            "url": answered.get_absolute_url(),
        }
    )


def _tell_problems(form: FeatureForm) -> JsonResponse:
    fields = {name: list(form.errors[name]) for name in form.fields if name in form.errors}
    message = " ".join(str(said) for said in form.non_field_errors())
    return JsonResponse({"fields": fields, "message": message}, status=422)


def _tell_failure(failure: GatewayError) -> JsonResponse:
    return JsonResponse({"message": failure.user_message, "reference": log_reference(failure)}, status=503)


def _as_contract(answered: Prediction) -> dict[str, Any]:
    """An answer that was kept, as the container gave it: docs/contract.md section 3."""
    version, shares = answered.version, answered.probabilities
    classes = version.output.classes
    label = next((name for name in classes if str(name)[:200] == answered.outcome), answered.outcome)
    return {
        "model": {"slug": version.model.slug, "version": version.number, "sha256": version.sha256},
        "output": version.manifest["output"],
        "prediction": {
            "label": label if answered.value is None else None,
            "value": answered.value,
            "probabilities": None if shares is None else [share for _, share in shares],
            "scores": answered.scores,
        },
        "start": "cold" if answered.is_cold else "warm",
        "milliseconds": answered.milliseconds,
        "request_id": answered.request_id,
    }
