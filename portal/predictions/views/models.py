"""Which models there are, and what is known about one."""

from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from portal.accounts.signed_in import person
from portal.gateways import storage
from portal.predictions.models import Batch, Prediction
from portal.registry import states
from portal.registry.models import Model, ModelVersion, Picture

RECENT = 5
# Of a version, long and for the console alone.
UNSEEN = ("scan", "pending", "refusals", "training_answers")


def live_version_or_404(slug: str) -> ModelVersion:
    """The version that answers for this model; a model without one is not there for users."""
    versions = ModelVersion.objects.select_related("model").prefetch_related("features").defer(*UNSEEN)
    return get_object_or_404(versions, model__slug=slug, state=states.LIVE)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The models that answer just now, and what this person did last."""
    models = Model.objects.live() if request.user.has_perm("registry.view_live_model") else Model.objects.none()
    return render(
        request,
        "predictions/home.html",
        {
            "versions": ModelVersion.objects.filter(state=states.LIVE, model__in=models)
            .select_related("model")
            .order_by("model__name"),
            "recent": Prediction.objects.filter(user=person(request)).select_related("version__model")[:RECENT],
            "recent_batches": Batch.objects.filter(user=person(request)).select_related("version__model")[:RECENT],
        },
    )


@require_safe
@permission_required("registry.view_live_model", raise_exception=True)
def about(request: HttpRequest, slug: str) -> HttpResponse:
    """What the live version is, how good it is, and what it asks for."""
    version = live_version_or_404(slug)
    return render(request, "predictions/about.html", {"version": version, "model": version.model})


@require_safe
@permission_required("registry.view_live_model", raise_exception=True)
def picture(request: HttpRequest, slug: str, number: int, position: int) -> HttpResponse:
    """A plot of a version's quality. Versions are immutable, so browsers may keep it."""
    found = get_object_or_404(Picture, version__model__slug=slug, version__number=number, position=position)
    content = storage.get_bytes(storage.version_key(slug, number, f"pictures/{found.position}.png"))
    if content is None:
        raise Http404
    return HttpResponse(content, content_type="image/png", headers={"Cache-Control": "private, max-age=86400"})
