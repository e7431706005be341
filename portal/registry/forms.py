"""Forms about models: the upload, and the settings of a version's page."""

from __future__ import annotations

import math
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.forms.models import BaseInlineFormSet
from django.utils.text import slugify
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from portal.errors import BadInput
from portal.registry import training_data
from portal.registry.lines import PairsField
from portal.registry.models import SLUG, Band, Example, Feature, Model, ModelVersion
from portal.registry.training_data import TrainingData

PICTURES = 3
MIB = 1024**2
PICTURE_MAX_BYTES = TRAINING_MAX_BYTES = 20 * MIB
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
YES, NO = "yes", "no"
NUMERIC = (Feature.NUMBER, Feature.INTEGER)

# What people may be asked for, by what the model takes: numbers can be dressed as choices or as yes and no.
KINDS_FOR = {
    Feature.NUMBER: (Feature.NUMBER, Feature.INTEGER, Feature.BOOLEAN, Feature.CHOICE),
    Feature.INTEGER: (Feature.INTEGER, Feature.NUMBER, Feature.BOOLEAN, Feature.CHOICE),
    Feature.BOOLEAN: (Feature.BOOLEAN, Feature.CHOICE),
    Feature.CHOICE: (Feature.CHOICE, Feature.TEXT),
    Feature.TEXT: (Feature.TEXT, Feature.CHOICE),
}


class FigureInput(UnfoldAdminTextInputWidget):
    """A number as it would be typed: 30 rather than 30.0."""

    def __init__(self) -> None:
        super().__init__(attrs={"inputmode": "decimal", "autocomplete": "off"})

    def format_value(self, value: Any) -> str | None:
        return f"{value:.15g}" if isinstance(value, float) else super().format_value(value)


class NewVersionForm(forms.Form):
    """A model file and what goes with it. Files are looked at only as far as is safe here; the check does the rest."""

    file = forms.FileField(
        label="Model file",
        help_text="A fitted scikit-learn estimator or pipeline, saved with pickle.dump or joblib.dump.",
        error_messages={"empty": "The file is empty. Save the fitted model again and upload that file."},
        widget=forms.FileInput(attrs={"accept": ".pkl,.pickle,.joblib"}),
    )
    notes = forms.CharField(
        required=False,
        help_text="What changed, where the data comes from, how good it is.",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
    )
    training = forms.FileField(
        label="Training data (CSV)",
        required=False,
        help_text="Its columns give ranges, choices and examples. It is read once and not kept.",
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["file"].widget.attrs["data-max-bytes"] = settings.PORTICO_MODEL_MAX_BYTES
        for number in range(1, PICTURES + 1):
            self.fields[f"picture_{number}"] = forms.FileField(
                label=f"Picture {number} (PNG)",
                required=False,
                widget=forms.FileInput(attrs={"accept": ".png,image/png"}),
            )
            self.fields[f"picture_{number}_title"] = forms.CharField(
                label=f"Title of picture {number}", required=False, max_length=120, widget=UnfoldAdminTextInputWidget
            )
            self.fields[f"picture_{number}_alt"] = forms.CharField(
                label=f"What picture {number} shows",
                required=False,
                max_length=1000,
                widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
            )

    @property
    def main_fields(self) -> list[forms.BoundField]:
        return [field for field in self if not field.name.startswith("picture_") and field.name != "training"]

    @property
    def picture_fields(self) -> list[list[forms.BoundField]]:
        return [[self[f"picture_{n}{part}"] for part in ("", "_title", "_alt")] for n in range(1, PICTURES + 1)]

    @property
    def has_extra_errors(self) -> bool:
        """Is there an error in the part that is folded away?"""
        return any(name.startswith("picture_") or name == "training" for name in self.errors)

    def clean_file(self) -> UploadedFile:
        file = self.cleaned_data["file"]
        if file.size > settings.PORTICO_MODEL_MAX_BYTES:
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

    def clean(self) -> dict[str, Any]:
        for number in range(1, PICTURES + 1):
            self._check_picture(f"picture_{number}")
        return self.cleaned_data

    def pictures(self) -> list[tuple[bytes, str, str]]:
        """(content, title, words) of each picture that came along. Only after is_valid()."""
        given = [f"picture_{number}" for number in range(1, PICTURES + 1) if self.cleaned_data[f"picture_{number}"]]
        return [
            (
                self.cleaned_data[name].read(),
                self.cleaned_data[f"{name}_title"] or _title_from(self.cleaned_data[name].name),
                self.cleaned_data[f"{name}_alt"],
            )
            for name in given
        ]

    def _check_picture(self, name: str) -> None:
        file, alt = self.cleaned_data.get(name), self.cleaned_data.get(f"{name}_alt")
        if not file:
            if alt or self.cleaned_data.get(f"{name}_title"):
                self.add_error(name, "The picture itself is missing. Choose its file.")
            return
        if file.size > PICTURE_MAX_BYTES:
            self.add_error(name, f"The picture is larger than {PICTURE_MAX_BYTES // MIB} MB.")
        elif file.read(len(PNG_MAGIC)) != PNG_MAGIC:
            self.add_error(name, "This is not a PNG picture.")
        file.seek(0)
        if not alt:
            self.add_error(f"{name}_alt", "Say in words what it shows, for people who cannot see it.")


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
        cleaned = super().clean()
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


class VersionForm(forms.ModelForm):
    """What is said about a version as a whole."""

    class_labels = PairsField(
        label="Words for the classes",
        rows=4,
        help_text="One class a line: class = words. The class itself where there are none.",
    )

    class Meta:
        model = ModelVersion
        fields = ["notes", "class_labels"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.is_classifier and "class_labels" in self.fields:
            self.initial["class_labels"] = [list(pair) for pair in self.instance.class_rows]
            self.fields["class_labels"].widget.attrs["rows"] = max(3, len(self.instance.class_rows))
        else:
            self.fields.pop("class_labels", None)

    def clean_class_labels(self) -> dict[str, str]:
        labels = dict(self.cleaned_data["class_labels"])
        known = [str(label) for label in self.instance.output.classes]
        for label in labels:
            if label not in known:
                raise ValidationError(f"The model has no class “{label}”. Its classes are {', '.join(known)}.")
        return {label: words for label, words in labels.items() if words != label}


class FeatureForm(forms.ModelForm):
    choices = PairsField(help_text="One a line: value = words.")

    class Meta:
        model = Feature
        fields = [
            "position",
            "label",
            "unit",
            "kind",
            "minimum",
            "maximum",
            "step",
            "default",
            "is_required",
            "help",
            "choices",
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        allowed = KINDS_FOR[self.taken["kind"]]
        self.fields["kind"].choices = [pair for pair in Feature.KINDS if pair[0] in allowed]  # type: ignore[attr-defined]
        self.fields["kind"].widget = forms.Select(choices=self.fields["kind"].choices)  # type: ignore[attr-defined]
        self.fields["choices"].widget.attrs["rows"] = min(8, max(3, len(self.instance.choices or [])))
        for name in ("minimum", "maximum", "step", "position"):
            self.fields[name].widget = FigureInput()

    @property
    def taken(self) -> dict[str, Any]:
        """What the check found out about this feature."""
        described = self.instance.version.described_features if self.instance.version_id else {}
        return described.get(self.instance.name, {"kind": self.instance.kind})

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        kind = cleaned.get("kind")
        if kind not in NUMERIC:
            cleaned["minimum"] = cleaned["maximum"] = cleaned["step"] = None
        if kind != Feature.CHOICE:
            cleaned["choices"] = []
        self._check_range(cleaned)
        if kind == Feature.CHOICE and "choices" in cleaned:
            self._check_choices(cleaned["choices"])
        if cleaned.get("default"):
            self._check_default(cleaned)
        if not cleaned.get("is_required") and not self.instance.accepts_missing:
            self.add_error("is_required", "The model cannot do without this value, so it stays required.")
        return cleaned

    def _check_range(self, cleaned: dict[str, Any]) -> None:
        lowest, highest, step = (cleaned.get(name) for name in ("minimum", "maximum", "step"))
        if lowest is not None and highest is not None and lowest >= highest:
            self.add_error("maximum", "The highest value must be above the lowest.")
        if step is not None and step <= 0:
            self.add_error("step", "The step must be above zero.")

    def _check_choices(self, choices: list[list[str]]) -> None:
        if not choices:
            self.add_error("choices", "A choice needs at least one line.")
        known = [str(value) for value in self.taken.get("choices") or []]
        for value, _ in choices:
            if known and value not in known:
                self.add_error("choices", f"The model does not know “{value}”. It knows {', '.join(known)}.")
            elif not known and self.taken["kind"] in NUMERIC and _number(value) is None:
                self.add_error("choices", f"The model takes numbers here, and “{value}” is none.")

    def _check_default(self, cleaned: dict[str, Any]) -> None:
        kind, default = cleaned.get("kind"), cleaned["default"].strip()
        if kind in NUMERIC:
            self._check_number(cleaned, default)
        elif kind == Feature.BOOLEAN:
            cleaned["default"] = {"true": YES, "1": YES, "false": NO, "0": NO}.get(default.lower(), default.lower())
            if cleaned["default"] not in (YES, NO):
                self.add_error("default", "Write yes or no.")
        elif kind == Feature.CHOICE and default not in [value for value, _ in cleaned.get("choices") or []]:
            self.add_error("default", "The default must be one of the choices.")

    def _check_number(self, cleaned: dict[str, Any], default: str) -> None:
        number, lowest, highest = _number(default), cleaned.get("minimum"), cleaned.get("maximum")
        if number is None:
            self.add_error("default", f"“{default}” is not a number.")
        elif cleaned["kind"] == Feature.INTEGER and not number.is_integer():
            self.add_error("default", "A whole number is needed.")
        elif (lowest is not None and number < lowest) or (highest is not None and number > highest):
            self.add_error("default", "The default lies outside the range.")


class BandForm(forms.ModelForm):
    class Meta:
        model = Band
        fields = ["upper", "label", "tone"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["tone"].widget = forms.Select(choices=Band.TONES)
        self.fields["upper"].widget = FigureInput()

    def _get_validation_exclusions(self) -> set[str]:
        """Ends may trade places: BandFormSet compares them with one another, not with the rows as they are."""
        return {*super()._get_validation_exclusions(), "upper"}  # type: ignore[misc]


class BandFormSet(BaseInlineFormSet):
    """Bands that cover every value: ends all different, one of them open."""

    def clean(self) -> None:
        if any(self.errors):
            return
        kept = self._kept()
        ends = [form.cleaned_data["upper"] for form in kept]
        if kept and ends.count(None) != 1:
            raise ValidationError(
                "Exactly one band is open at its upper end: leave “up to” empty there, and only there."
            )
        if len(set(ends)) < len(ends):
            raise ValidationError("Two bands end at the same value.")
        if self.instance.is_classifier:
            for form in kept:
                if form.cleaned_data["upper"] is not None and not 0 < form.cleaned_data["upper"] < 1:
                    form.add_error("upper", "A probability lies between 0 and 1.")

    def save(self, commit: bool = True) -> list[Band]:
        """Replace all bands: ends are unique, and changing them one by one could collide on the way."""
        self.new_objects: list[Band] = []
        self.changed_objects: list[tuple[Band, list[str]]] = []
        self.deleted_objects: list[Band] = []
        if self.has_changed():
            self.instance.bands.all().delete()
            rows = [{name: form.cleaned_data[name] for name in ("upper", "label", "tone")} for form in self._kept()]
            self.new_objects = [Band.objects.create(version=self.instance, **row) for row in rows]
        return self.new_objects

    def _kept(self) -> list[forms.ModelForm]:
        return [form for form in self.forms if form.cleaned_data.get("label") and not form.cleaned_data.get("DELETE")]


class ExampleForm(forms.ModelForm):
    row = PairsField(
        label="Values",
        words_may_lack=False,
        rows=5,
        help_text="One value a line: feature = value. What is left out is missing.",
    )

    class Meta:
        model = Example
        fields = ["name", "row"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        row = self.initial.get("row") if self.instance.pk else None
        self.initial["row"] = [[name, "" if value is None else str(value)] for name, value in (row or {}).items()]
        self.fields["row"].widget.attrs["rows"] = min(12, max(4, len(row or {})))

    def clean_row(self) -> dict[str, Any]:
        described = self.instance.version.described_features
        row: dict[str, Any] = dict.fromkeys(described)
        for name, value in self.cleaned_data["row"]:
            if name not in described:
                raise ValidationError(f"The model has no feature “{name}”.")
            row[name] = _typed(described[name], value)
        return row


def _typed(described: dict[str, Any], value: str) -> Any:
    if not value:
        return None
    number = _number(value)
    if described["kind"] in NUMERIC and number is None:
        raise ValidationError(f"{described['name']}: “{value}” is not a number.")
    if described["kind"] not in NUMERIC or number is None:
        return value
    return int(number) if described["kind"] == Feature.INTEGER and number.is_integer() else number


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _title_from(file_name: str) -> str:
    return file_name.rsplit(".", 1)[0].replace("_", " ").replace("-", " ").strip().capitalize() or "Picture"
