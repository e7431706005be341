"""One version: what the check found, the settings of its page, and the step of making it live."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from unfold.admin import ModelAdmin, StackedInline

from portal.accounts.signed_in import person
from portal.registry import actions
from portal.registry.admin import living
from portal.registry.admin.checking import check, progress
from portal.registry.admin.pages import publish_after
from portal.registry.admin.pictures import add_picture, remove_picture
from portal.registry.findings import findings_of
from portal.registry.forms.bands import BandForm, BandFormSet
from portal.registry.forms.examples import ExampleForm
from portal.registry.forms.features import FeatureForm
from portal.registry.forms.pictures import PictureForm
from portal.registry.forms.version import VersionForm
from portal.registry.models import Band, Example, Feature, ModelVersion

CHANGE = "admin:registry_modelversion_change"


class FeatureInline(StackedInline):
    model = Feature
    form = FeatureForm
    template = "registry/_features.html"
    fields = FeatureForm.Meta.fields
    extra = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Feature]:
        return super().get_queryset(request).select_related("version")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The model says which features there are."""
        return False


class BandInline(StackedInline):
    model = Band
    form = BandForm
    formset = BandFormSet
    template = "registry/_bands.html"
    fields = BandForm.Meta.fields
    extra = 2


class ExampleInline(StackedInline):
    model = Example
    form = ExampleForm
    template = "registry/_examples.html"
    fields = ExampleForm.Meta.fields
    extra = 1


@admin.register(ModelVersion)
class VersionAdmin(ModelAdmin):
    form = VersionForm
    change_form_template = "registry/version.html"
    actions = None

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/live/", wrap(living.make_live), name="registry_modelversion_live"),
            path("<int:pk>/archive/", wrap(living.archive), name="registry_modelversion_archive"),
            path("<int:pk>/check/", wrap(check), name="registry_modelversion_check"),
            path("<int:pk>/progress/", wrap(progress), name="registry_modelversion_progress"),
            path("<int:pk>/pictures/", wrap(add_picture), name="registry_picture_add"),
            path("<int:pk>/pictures/<int:position>/remove/", wrap(remove_picture), name="registry_picture_remove"),
            *super().get_urls(),
        ]

    def get_inlines(self, request: HttpRequest, obj: ModelVersion | None) -> list[type[StackedInline]]:
        if obj is None or not obj.has_passed:
            return []
        return [FeatureInline, *([BandInline] if obj.uses_bands else []), ExampleInline]

    def get_fields(self, request: HttpRequest, obj: ModelVersion | None = None) -> list[str]:
        return ["notes", "class_labels"] if obj and obj.is_classifier else ["notes"]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return redirect("admin:registry_model_changelist")

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        version = get_object_or_404(ModelVersion, pk=object_id)
        return redirect("admin:registry_model_change", version.model_id)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        version: ModelVersion = context["original"]
        context["title"] = f"{version.model.name}, version {version.number}"
        context["version"], context["model"] = version, version.model
        context["live"] = version.model.live_version
        context["switch"] = actions.last_switch(version.model)
        context["findings"] = findings_of(version)
        context["picture_form"] = PictureForm(prefix="picture")
        context["may_activate"] = request.user.has_perm("registry.activate_modelversion")
        return super().render_change_form(request, context, *args, **kwargs)

    def save_related(self, request: HttpRequest, form: Any, formsets: list[Any], change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if form.changed_data or any(formset.has_changed() for formset in formsets):
            actions.record(form.instance.model, form.instance, "settings changed", by=person(request))
            if form.instance.is_live:
                publish_after(request, form.instance.model)

    def response_change(self, request: HttpRequest, obj: ModelVersion) -> HttpResponse:
        effect = "They show on its page at once." if obj.is_live else "They show once it is live."
        messages.success(request, f"The settings of version {obj.number} are saved. {effect}")
        return redirect(CHANGE, obj.pk)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Versions come by upload."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ModelVersion | None = None) -> bool:
        """Answers in the history point at versions: they stay."""
        return False
