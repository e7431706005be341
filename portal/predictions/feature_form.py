"""The form of a predict page, made from the version's Feature rows: one creator a kind.

Fields are named `f0`, `f1`, … in the order of the page, since a feature's own name may hold anything.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.utils.html import format_html
from django.utils.safestring import mark_safe

from portal.gateways.contract import Scalar
from portal.registry.models import Feature, ModelVersion

MAX_TEXT = 2_000
YES, NO = "yes", "no"


class NumberField(forms.CharField):
    """A number typed as text, so that whatever was typed is still there beside its error."""

    def __init__(self, *, is_whole: bool, minimum: float | None, maximum: float | None, **kwargs: Any) -> None:
        super().__init__(max_length=40, **kwargs)
        self.is_whole, self.minimum, self.maximum = is_whole, minimum, maximum

    def clean(self, value: Any) -> Scalar:
        typed = super().clean(value)
        if not typed:
            return None
        number = self._number(typed)
        if self.minimum is not None and number < self.minimum:
            raise forms.ValidationError(f"The lowest value allowed is {self.minimum:g}.")
        if self.maximum is not None and number > self.maximum:
            raise forms.ValidationError(f"The highest value allowed is {self.maximum:g}.")
        return int(number) if self.is_whole else number

    def _number(self, typed: str) -> float:
        plain = typed.replace("\u2212", "-").replace("\u00a0", "").replace(" ", "")
        if plain.count(",") == 1 and "." not in plain:
            plain = plain.replace(",", ".")  # 1,5 as much of Europe writes it
        try:
            number = float(plain)
        except ValueError:
            raise forms.ValidationError(f"“{typed}” is not a number.") from None
        if not math.isfinite(number):
            raise forms.ValidationError("A finite number is needed.")
        if self.is_whole and not number.is_integer():
            raise forms.ValidationError("A whole number is needed.")
        return number


class YesNoField(forms.ChoiceField):
    """Yes, no, or (where it may be missing) neither."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=[(YES, "Yes"), (NO, "No")], widget=forms.RadioSelect, **kwargs)

    def clean(self, value: Any) -> Scalar:
        return {YES: True, NO: False}.get(super().clean(value))


class FeatureForm(forms.Form):
    """A row for one version. `row()` gives the typed values by feature name."""

    def __init__(self, version: ModelVersion, data: Any = None, *, initial: dict[str, str] | None = None) -> None:
        super().__init__(data, initial=initial, label_suffix="")
        self.features = {f"f{i}": feature for i, feature in enumerate(version.features.all())}
        for name, feature in self.features.items():
            self.fields[name] = CREATORS[feature.kind](feature, _common(feature))
        for name in self.errors if self.is_bound else ():
            if name in self.fields:
                self.fields[name].widget.attrs["aria-invalid"] = "true"

    def row(self) -> dict[str, Scalar]:
        """{feature name: value}, None for what was left empty. Only after is_valid()."""
        return {feature.name: _given(self.cleaned_data[name]) for name, feature in self.features.items()}

    def add_feature_errors(self, messages: Mapping[str, str]) -> None:
        """Put what the model said about its features at their fields, anything else on top."""
        by_feature = {feature.name: name for name, feature in self.features.items()}
        for feature_name, message in messages.items():
            name = by_feature.get(feature_name)
            self.add_error(name, message if name else f"{feature_name}: {message}")
            if name:
                self.fields[name].widget.attrs["aria-invalid"] = "true"


def initial_from(version: ModelVersion, row: Mapping[str, Any]) -> dict[str, str]:
    """A row of values as the form would show it."""
    return {f"f{i}": _typed(feature, row.get(feature.name)) for i, feature in enumerate(version.features.all())}


def defaults_of(version: ModelVersion) -> dict[str, str]:
    """The form's initial values."""
    return {f"f{i}": feature.default for i, feature in enumerate(version.features.all())}


def _common(feature: Feature) -> dict[str, Any]:
    unit = format_html(' <span class="unit">{}</span>', feature.unit) if feature.unit else ""
    optional = "" if feature.is_required else mark_safe(' <span class="unit">(optional)</span>')
    return {
        "label": format_html("{}{}{}", feature, unit, optional),
        "help_text": feature.hint,
        "required": feature.is_required,
    }


def _number(feature: Feature, common: dict[str, Any]) -> forms.Field:
    is_whole = feature.kind == Feature.INTEGER
    attrs = {"inputmode": "numeric" if is_whole else "decimal", "autocomplete": "off"}
    if feature.step:
        attrs["data-step"] = f"{feature.step:g}"
    widget = forms.TextInput(attrs=attrs)
    return NumberField(is_whole=is_whole, minimum=feature.minimum, maximum=feature.maximum, widget=widget, **common)


def _boolean(feature: Feature, common: dict[str, Any]) -> forms.Field:
    return YesNoField(**common)


def _choice(feature: Feature, common: dict[str, Any]) -> forms.Field:
    empty = [] if feature.is_required and feature.default else [("", "Choose…" if feature.is_required else "Not known")]
    return forms.ChoiceField(choices=[*empty, *feature.choice_pairs], **common)


def _text(feature: Feature, common: dict[str, Any]) -> forms.Field:
    return forms.CharField(max_length=MAX_TEXT, widget=forms.TextInput(attrs={"autocomplete": "off"}), **common)


CREATORS: dict[str, Callable[[Feature, dict[str, Any]], forms.Field]] = {
    Feature.NUMBER: _number,
    Feature.INTEGER: _number,
    Feature.BOOLEAN: _boolean,
    Feature.CHOICE: _choice,
    Feature.TEXT: _text,
}


def _given(value: Scalar) -> Scalar:
    return None if value == "" else value


def _typed(feature: Feature, value: Any) -> str:
    if value is None:
        return ""
    if feature.kind == Feature.BOOLEAN:
        return YES if value in (True, 1, "1", "true", "True", YES) else NO
    return str(value)
