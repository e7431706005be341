"""Real rows that people may try."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from portal.registry.forms.figures import to_figure
from portal.registry.lines import PairsField
from portal.registry.models import Example, Feature


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
    number = to_figure(value)
    if described["kind"] in Feature.NUMERIC and number is None:
        raise ValidationError(f"{described['name']}: “{value}” is not a number.")
    if described["kind"] not in Feature.NUMERIC or number is None:
        return value
    return int(number) if described["kind"] == Feature.INTEGER and number.is_integer() else number
