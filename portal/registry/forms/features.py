"""What people are asked for one of the model's inputs."""

from __future__ import annotations

from typing import Any, cast

from django import forms

from portal.registry.forms.figures import FigureInput, to_figure
from portal.registry.lines import PairsField
from portal.registry.models import Feature

YES, NO = "yes", "no"

# What people may be asked for, by what the model takes: numbers can be dressed as choices or as yes and no.
KINDS_FOR = {
    Feature.NUMBER: (Feature.NUMBER, Feature.INTEGER, Feature.BOOLEAN, Feature.CHOICE),
    Feature.INTEGER: (Feature.INTEGER, Feature.NUMBER, Feature.BOOLEAN, Feature.CHOICE),
    Feature.BOOLEAN: (Feature.BOOLEAN, Feature.CHOICE),
    Feature.CHOICE: (Feature.CHOICE, Feature.TEXT),
    Feature.TEXT: (Feature.TEXT, Feature.CHOICE),
}


class FeatureForm(forms.ModelForm):
    choices = PairsField(help_text="One a line: value = words.")

    class Meta:
        model = Feature
        fields = Feature.SETTINGS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        allowed = KINDS_FOR[self.taken["kind"]]
        kind = cast(forms.ChoiceField, self.fields["kind"])
        kind.widget = forms.Select()
        kind.choices = [pair for pair in Feature.KINDS if pair[0] in allowed]
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
        if kind not in Feature.NUMERIC:
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
            elif not known and self.taken["kind"] in Feature.NUMERIC and to_figure(value) is None:
                self.add_error("choices", f"The model takes numbers here, and “{value}” is none.")

    def _check_default(self, cleaned: dict[str, Any]) -> None:
        kind, default = cleaned.get("kind"), cleaned["default"].strip()
        if kind in Feature.NUMERIC:
            self._check_number(cleaned, default)
        elif kind == Feature.BOOLEAN:
            cleaned["default"] = {"true": YES, "1": YES, "false": NO, "0": NO}.get(default.lower(), default.lower())
            if cleaned["default"] not in (YES, NO):
                self.add_error("default", "Write yes or no.")
        elif kind == Feature.CHOICE and default not in [value for value, _ in cleaned.get("choices") or []]:
            self.add_error("default", "The default must be one of the choices.")

    def _check_number(self, cleaned: dict[str, Any], default: str) -> None:
        number, lowest, highest = to_figure(default), cleaned.get("minimum"), cleaned.get("maximum")
        if number is None:
            self.add_error("default", f"“{default}” is not a number.")
        elif cleaned["kind"] == Feature.INTEGER and not number.is_integer():
            self.add_error("default", "A whole number is needed.")
        elif (lowest is not None and number < lowest) or (highest is not None and number > highest):
            self.add_error("default", "The default lies outside the range.")
