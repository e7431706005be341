"""The list of models, and one model: its description, its versions, who did what."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Exists, IntegerField, Max, OuterRef, Prefetch, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.admin import ModelAdmin as UnfoldModelAdmin

from portal.accounts.signed_in import person
from portal.registry import actions, states
from portal.registry.admin import living, uploading
from portal.registry.admin.pages import publish_after
from portal.registry.models import Model, ModelVersion

RECENT_DAYS = 30
COUNTED_ROWS = 1_000  # of a model; beyond, nobody needs the number and the database would have to go through all
EVENTS = 50
# What others than the portal are told of a model: the functions, and the published page.
PUBLISHED = {"name", "summary", "target_label", "target_unit", "capture"}


class RowCount(Subquery):
    """How many rows a query has. Unlike Count, it counts no further than the query's slice."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()


@admin.register(Model)
class ModelAdmin(UnfoldModelAdmin):
    change_list_template = "registry/models.html"
    change_form_template = "registry/model.html"
    fields = ["name", "summary", "target_label", "target_unit", "keep_batches_days", "capture"]
    search_fields = ["name", "slug", "summary"]
    actions = None
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        since = timezone.now() - timedelta(days=RECENT_DAYS)
        shown = ModelVersion.objects.exclude(state=states.ARCHIVED)
        versions = shown.order_by("-number").defer("scan", "manifest", "pending")
        recent = ModelVersion.objects.filter(model=OuterRef("pk"), predictions__created_at__gte=since).order_by()
        return (
            super()
            .get_queryset(request)
            .prefetch_related(Prefetch("versions", versions))
            .annotate(
                recent_predictions=RowCount(recent.values("predictions__pk")[:COUNTED_ROWS]),
                changed_at=Max("events__at"),
                has_live=Exists(ModelVersion.objects.filter(model=OuterRef("pk"), state=states.LIVE)),
            )
        )

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("upload/", wrap(uploading.upload), name="registry_model_upload"),
            path("<int:pk>/upload/", wrap(uploading.upload), name="registry_modelversion_upload"),
            path("<int:pk>/roll-back/", wrap(living.roll_back), name="registry_model_roll_back"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(
            request,
            {"title": "Models", "recent_days": RECENT_DAYS, "counted_rows": COUNTED_ROWS, **(extra_context or {})},
        )

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return redirect("admin:registry_model_upload")

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        return redirect(f"{reverse('admin:registry_model_change', args=[object_id])}#events")

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        model: Model = context["original"]
        context["title"] = model.name
        # Not model.versions: what the list has fetched for it lacks the archived ones.
        all_of_it = ModelVersion.objects.filter(model=model).order_by("-number")
        versions = list(all_of_it.select_related("created_by").defer("scan", "pending"))
        context["versions"] = [version for version in versions if not version.is_archived]
        context["live"] = next((version for version in versions if version.is_live), None)
        context["archived"] = [version for version in versions if version.is_archived]
        context["switch"] = actions.last_switch(model)
        context["events"] = model.events.select_related("by", "version")[:EVENTS]
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        if not form.changed_data:
            return
        # Not the whole row: a change of the live version may have it claimed.
        obj.save(update_fields=form.changed_data)
        if PUBLISHED & set(form.changed_data):
            publish_after(request, obj)
        detail = f"kept of answers outside: {obj.get_capture_display()}" if "capture" in form.changed_data else ""
        actions.record(obj, None, "description changed", by=person(request), detail=detail)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Answers in the history point at models: they stay."""
        return False
