"""One observation: the form, and the permalink of its answer."""

import uuid

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from portal.accounts.signed_in import person
from portal.errors import BadInput, GatewayError
from portal.middleware import log_reference
from portal.predictions import actions
from portal.predictions.feature_form import FeatureForm, defaults_of, initial_from
from portal.predictions.models import Prediction
from portal.predictions.views.models import UNSEEN, live_version_or_404
from portal.registry.models import ModelVersion


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("predictions.add_prediction", raise_exception=True)
def predict(request: HttpRequest, slug: str) -> HttpResponse:
    """The form of the live version; posting it leads to the answer's own page."""
    version = live_version_or_404(slug)
    if request.method != "POST":
        return _page(request, version, FeatureForm(version, initial=_initial(request, version)))
    form = FeatureForm(version, request.POST)
    if not form.is_valid():
        return _page(request, version, form, status=422)
    try:
        return redirect(actions.predict_one(version, form.row(), by=person(request)))
    except BadInput as error:
        form.add_feature_errors(error.fields)
        if not error.fields:
            form.add_error(None, error.user_message)
        return _page(request, version, form, status=422)
    except GatewayError as error:
        return _page(request, version, form, failure=error, status=503)


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
    status: int = 200,
) -> HttpResponse:
    context = {
        "version": version,
        "model": version.model,
        "form": form,
        "prediction": prediction,
        "failure": failure,
        "reference": log_reference(failure) if failure else "",
    }
    return render(request, "predictions/predict.html", context, status=status)


def _initial(request: HttpRequest, version: ModelVersion) -> dict[str, str]:
    """What the form shows first: an example, an earlier prediction's values, or the defaults."""
    chosen = request.GET.get("example", "")
    example = version.examples.filter(pk=int(chosen)).first() if chosen.isdecimal() else None
    return initial_from(version, example.row) if example else defaults_of(version)
