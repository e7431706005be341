"""The form of a file that is not scored yet: how it is read, which column is which value, what the result is.

Blank always means: as it was found out. Columns are named `c0`, `c1`, … in the order of the features, since a feature's
own name may hold anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from django import forms

from portal.gateways.contract import Look
from portal.predictions.models import Batch
from portal.registry.models import Feature, ModelVersion

ENCODINGS = {"utf-8": "UTF-8", "utf-16": "UTF-16", "cp1252": "Latin-1 (Windows-1252)"}
DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}  # a form strips a tab
DECIMALS = {"point": ".", "comma": ","}
FORMATS = {"csv": "CSV", "jsonl": "JSON Lines", "parquet": "Parquet", "xlsx": "Excel workbook"}
# With more options than this on the page, one shared list of columns takes the selects' place.
MAX_OPTIONS = 4_000


class ReadingForm(forms.Form):
    """What a person may override. With a look at the file it shows what was found out; without one it only reads."""

    encoding = forms.ChoiceField(required=False, choices=[("", ""), *ENCODINGS.items()])
    delimiter = forms.ChoiceField(
        required=False, choices=[("", ""), *((name, name.capitalize()) for name in DELIMITERS)]
    )
    decimal = forms.ChoiceField(
        required=False, label="Decimal mark", choices=[("", ""), *((name, name.capitalize()) for name in DECIMALS)]
    )
    nulls = forms.CharField(
        required=False,
        max_length=400,
        label="Missing values",
        help_text="Cells without a value, commas between.",
    )
    sheet = forms.CharField(required=False, max_length=200, widget=forms.Select)
    result = forms.ChoiceField(required=False, label="Result as", choices=Batch.RESULTS)

    def __init__(
        self,
        version: ModelVersion,
        data: Any = None,
        *,
        look: Look | None = None,
        chosen: Mapping[str, Any] | None = None,
    ) -> None:
        chosen = chosen or {}
        super().__init__(data, initial=_initial(chosen), label_suffix="")
        self.look, self.features = look, list(version.features.all())
        mapped = chosen.get("columns") or {}
        for place, feature in enumerate(self.features):
            field = forms.CharField(required=False, max_length=500, label=str(feature))
            if look:
                _offer(field, feature, look, chosen=mapped.get(feature.name))
            self.fields[f"c{place}"] = field
        if look:
            self._show_what_was_found(look)

    def chosen(self) -> dict[str, Any]:
        """What is to be kept of the form; what makes no sense in it counts as blank. Only with data."""
        self.is_valid()
        given = self.cleaned_data
        nulls = [token.strip() for token in (given.get("nulls") or "").split(",") if token.strip()]
        reading = {
            "encoding": given.get("encoding") or None,
            "delimiter": DELIMITERS.get(given.get("delimiter") or ""),
            "decimal": DECIMALS.get(given.get("decimal") or ""),
            "nulls": nulls or None,
            "sheet": given.get("sheet") or None,
        }
        columns = {feature.name: given.get(f"c{place}") for place, feature in enumerate(self.features)}
        columns = {name: column for name, column in columns.items() if column}
        return {
            "reading": reading if any(reading.values()) else None,
            "columns": columns or None,
            "result": given.get("result") or "csv",
        }

    @property
    def reading_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ("encoding", "delimiter", "decimal", "sheet", "nulls") if name in self.fields]

    @property
    def column_rows(self) -> Iterator[ColumnRow]:
        """A row of the mapping for each feature."""
        look = self.look
        for place, feature in enumerate(self.features):
            column = look.mapping.get(feature.name) if look else None
            near = (look.near.get(feature.name) or []) if look and not column else []
            yield ColumnRow(feature, self[f"c{place}"], column or "", near)

    @property
    def unmatched(self) -> int:
        """How many features have no column."""
        return sum(not row.column for row in self.column_rows)

    @property
    def shares_one_list(self) -> bool:
        return self.look is not None and _is_large(self.features, self.look)

    def _show_what_was_found(self, look: Look) -> None:
        reading = look.reading
        found = {
            "encoding": ENCODINGS.get(reading.get("encoding") or "", reading.get("encoding")),
            "delimiter": _name_of(DELIMITERS, reading.get("delimiter")),
            "decimal": _name_of(DECIMALS, reading.get("decimal")),
        }
        for name, word in found.items():
            if not word:
                del self.fields[name]
                continue
            is_own = bool(self.initial.get(name))
            field = cast(forms.ChoiceField, self.fields[name])
            choices = [(value, text) for value, text in cast(Any, field.choices) if value]
            field.choices = [("", "Find it out" if is_own else f"{word} (found out)"), *choices]
        sheets = reading.get("sheets") or []
        if len(sheets) > 1:
            self.fields["sheet"].widget.choices = [("", f"{reading.get('sheet') or sheets[0]} (found out)")] + [
                (name, name) for name in sheets
            ]
        else:
            del self.fields["sheet"]
        self.fields["nulls"].widget.attrs |= {
            "placeholder": ", ".join(token for token in reading.get("nulls") or [] if token),
            "autocomplete": "off",
        }


@dataclass(frozen=True)
class ColumnRow:
    """A feature, the field that names its column, the column that it has, or columns of similar names."""

    feature: Feature
    field: forms.BoundField
    column: str
    near: list[str]

    @property
    def is_suggested(self) -> bool:
        return not self.column and bool(self.near)


def _initial(chosen: Mapping[str, Any]) -> dict[str, Any]:
    reading = chosen.get("reading") or {}
    return {
        "encoding": reading.get("encoding") or "",
        "delimiter": (_name_of(DELIMITERS, reading.get("delimiter")) or "").lower(),
        "decimal": (_name_of(DECIMALS, reading.get("decimal")) or "").lower(),
        "nulls": ", ".join(reading.get("nulls") or []),
        "sheet": reading.get("sheet") or "",
        "result": chosen.get("result") or "csv",
    }


def _name_of(names: dict[str, str], mark: str | None) -> str:
    return next((name.capitalize() for name, each in names.items() if each == mark), mark or "")


def _offer(field: forms.CharField, feature: Feature, look: Look, *, chosen: str | None) -> None:
    """Let the field name any column of the file; the one it has, or a similar one, is chosen beforehand."""
    column, near = look.mapping.get(feature.name), look.near.get(feature.name) or []
    by_name = column if column and column != chosen else None
    field.initial = chosen if chosen in look.columns else ("" if by_name or not near else near[0])
    if _is_large([feature] * len(look.mapping), look):
        field.widget = forms.TextInput(attrs={"list": "columns", "placeholder": by_name or "", "autocomplete": "off"})
        return
    blank = f"{by_name} (by its name)" if by_name else "No column"
    ordered = [*near, *(name for name in look.columns if name not in near and name != by_name)]
    field.widget = forms.Select(choices=[("", blank), *((name, name) for name in ordered)])


def _is_large(features: list[Feature], look: Look) -> bool:
    return len(features) * len(look.columns) > MAX_OPTIONS
