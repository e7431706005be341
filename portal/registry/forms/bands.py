"""The wording of the result."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.models import BaseInlineFormSet

from portal.registry.forms.figures import FigureInput
from portal.registry.models import Band


class BandForm(forms.ModelForm):
    class Meta:
        model = Band
        fields = ["upper", "label", "tone"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["tone"].widget = forms.Select(choices=Band.TONES)
        self.fields["upper"].widget = FigureInput()

    def validate_constraints(self) -> None:
        """Ends may trade places: BandFormSet compares them with one another, not with the rows as they are."""


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
