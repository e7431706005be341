"""The upload: a new model with its first version, or a new version."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.text import slugify
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from portal.errors import BadInput
from portal.registry import training_data
from portal.registry.forms.pictures import PictureForm
from portal.registry.models import SLUG, Model
from portal.registry.pictures import NewPicture
from portal.registry.training_data import TrainingData

MIB = 1024**2
PICTURES = 3
TRAINING_MAX_BYTES = 20 * MIB


class AnnouncementForm(forms.Form):
    """What is told of a file before it is sent to the bucket."""

    file_name = forms.CharField(max_length=200, error_messages={"required": "Choose the model file."})
    size_bytes = forms.IntegerField(min_value=0)


class NewVersionForm(forms.Form):
    """A model file and what goes with it. Files are looked at only as far as is safe here; the check does the rest.

    `brings_file` is False where the script of the page sends the file straight to the bucket.
    """

    file = forms.FileField(
        label="Model file",
        help_text="A fitted scikit-learn estimator or pipeline: pickle, joblib, skops, or a zipped MLflow model. "
        "Which of these it is, its content tells.",
        error_messages={"empty": "The file is empty. Save the fitted model again and upload that file."},
        widget=forms.FileInput(attrs={"accept": ".pkl,.pickle,.joblib,.skops,.zip,.gz,.bz2,.xz"}),
    )
    notes = forms.CharField(
        required=False,
        help_text="What changed, where the data comes from, how good it is.",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
    )
    training = forms.FileField(
        label="Training data (CSV)",
        required=False,
        help_text="Its columns give ranges, choices and examples; what the model answers to it is drawn beside scored "
        "files. The file itself is not kept; some of its rows are until the check has passed.",
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
    )

    def __init__(self, data: Any = None, files: Any = None, *, brings_file: bool = True) -> None:
        super().__init__(data, files)
        self.fields["file"].required = brings_file
        self.fields["file"].widget.attrs["data-max-bytes"] = settings.PORTICO_MODEL_MAX_BYTES
        self.pictures = [
            PictureForm(data, files, prefix=f"picture_{number}", empty_permitted=True)
            for number in range(1, PICTURES + 1)
        ]

    @property
    def main_fields(self) -> list[forms.BoundField]:
        return [field for field in self if field.name != "training"]

    @property
    def has_extra_errors(self) -> bool:
        """Is there an error in the part that is folded away?"""
        return "training" in self.errors or any(form.errors for form in self.pictures)

    @property
    def all_errors(self) -> dict[str, Any]:
        """Messages by the name of the input, those of the pictures included."""
        named = {form.add_prefix(name): told for form in self.pictures for name, told in form.errors.items()}
        return {**self.errors, **named}

    def is_valid(self) -> bool:
        # Both are looked at, so that every mistake is told at once.
        return all([super().is_valid(), *(form.is_valid() for form in self.pictures)])

    def clean_file(self) -> UploadedFile | None:
        file = self.cleaned_data["file"]
        if file and file.size > settings.PORTICO_MODEL_MAX_BYTES:
            limit = settings.PORTICO_MODEL_MAX_BYTES // MIB
            raise ValidationError(f"The file is larger than {limit} MB, the most that Portico takes.")
        return file

    def clean_training(self) -> TrainingData | None:
        file = self.cleaned_data["training"]
        if not file:
            return None
        if file.size > TRAINING_MAX_BYTES:
            limit = TRAINING_MAX_BYTES // MIB
            raise ValidationError(f"The training data is larger than {limit} MB. Give a sample of its rows.")
        try:
            return training_data.read(file)
        except BadInput as error:
            raise ValidationError(error.fields.get("training") or error.user_message) from error

    def new_pictures(self) -> list[NewPicture]:
        """The pictures that came along. Only after is_valid()."""
        return [form.picture() for form in self.pictures if form.has_changed()]


class NewModelForm(NewVersionForm):
    """The first version brings its model along."""

    name = forms.CharField(max_length=80, help_text="What colleagues see.", widget=UnfoldAdminTextInputWidget)
    slug = forms.CharField(
        label="Short name",
        required=False,
        max_length=60,
        help_text="For addresses; cannot change later. Left empty, it is made from the name.",
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    summary = forms.CharField(
        required=False,
        max_length=240,
        help_text="One sentence: what it predicts, and for whom.",
        widget=UnfoldAdminTextInputWidget,
    )
    field_order = ["file", "name", "slug", "summary", "notes", "training"]

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if "name" in cleaned and "slug" in cleaned:
            self._check_slug(cleaned)
        return cleaned

    def _check_slug(self, cleaned: dict[str, Any]) -> None:
        slug = cleaned["slug"] = cleaned["slug"] or slugify(cleaned["name"])[:60].strip("-_").replace("_", "-")
        try:
            SLUG(slug)
        except ValidationError:
            self.add_error("slug", "Small letters, digits and single hyphens only, for example loan-default.")
            return
        if Model.objects.filter(slug=slug).exists():
            self.add_error(
                "slug",
                f"There is a model “{slug}” already. Choose another short name, or upload a version on its page.",
            )
