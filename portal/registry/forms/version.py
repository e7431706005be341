"""What is said about a version as a whole."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from portal.registry.lines import PairsField
from portal.registry.models import ModelVersion

NOTES_ROWS = 5


class VersionForm(forms.ModelForm):
    """Notes, and words for the classes where there are any."""

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
        self.fields["notes"].widget.attrs["rows"] = NOTES_ROWS
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
