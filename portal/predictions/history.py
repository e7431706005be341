"""The history: one list of predictions and batches, newest first. Page and export ask here for the same rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, time
from typing import Any, NamedTuple, cast

from django import forms
from django.db.models import Q
from django.forms.models import ModelChoiceIterator
from django.forms.utils import flatatt
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from portal.accounts.models import User
from portal.predictions import states
from portal.predictions.models import PORTAL, SOURCES, Batch, Prediction
from portal.predictions.narrowing import Batches, Predictions, fetch_shown
from portal.predictions.paging import page_before
from portal.registry.models import Model, ModelVersion

PREDICTION, BATCH = "prediction", "batch"
KINDS = [("", "Predictions and batches"), (PREDICTION, "Predictions"), (BATCH, "Batches")]
STATES = [
    (f"state:{states.ANSWERED}", "Answered"),
    (f"state:{states.DONE}", "Batch done"),
    (f"state:{states.DONE_WITH_ERRORS}", "Batch done with errors"),
    (f"state:{states.RUNNING}", "Batch under way"),
    (f"state:{states.UPLOADING}", "Batch not started"),
    (f"state:{states.CANCELLED}", "Batch cancelled"),
    (f"state:{states.REFUSED}", "Refused"),
    (f"state:{states.FAILED}", "Failed"),
]
MAX_OUTCOMES = 40
MANY = 1_000  # rows are counted so far; beyond, nobody needs the number and the database would have to go through all
CHUNK_ROWS = 1_000
SELECTED = SafeString(" selected")


class PlainSelect(forms.Select):
    """Its options are written in one go: with Django's two templates for each of some hundred people, they take longer
    than all else on the page."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        widget = self.get_context(name, value, attrs)["widget"]
        options = (
            (option["value"], SELECTED if option["selected"] else "", option["label"])
            for _, group, _ in widget["optgroups"]
            for option in group
        )
        written = format_html_join("", '<option value="{}"{}>{}</option>', options)
        return format_html("<select{}>{}</select>", flatatt({"name": name, **widget["attrs"]}), written)


class PeopleIterator(ModelChoiceIterator):
    """People as a select offers them, without making a user of each row: of some hundred people that is a third of a
    page's time."""

    def __iter__(self) -> Iterator[tuple[str, str]]:
        yield "", str(self.field.empty_label)
        for username, first, last in self.queryset.values_list("username", "first_name", "last_name"):
            yield username, f"{first} {last}".strip() or username


class PersonField(forms.ModelChoiceField):
    iterator = PeopleIterator


class HistoryFilter(forms.Form):
    """What to show. Everything is optional; nonsense in the address is an error at its field, and narrows nothing."""

    model = forms.ModelChoiceField(
        Model.objects.all(), required=False, to_field_name="slug", empty_label="All models", widget=PlainSelect
    )
    version = forms.IntegerField(required=False, min_value=1, widget=forms.NumberInput(attrs={"placeholder": "All"}))
    user = PersonField(
        User.objects.all(), required=False, to_field_name="username", empty_label="Everybody", widget=PlainSelect
    )
    kind = forms.ChoiceField(choices=KINDS, required=False, widget=PlainSelect)
    source = forms.ChoiceField(
        choices=[("", "All sources"), (PORTAL, "Portal"), *SOURCES], required=False, widget=PlainSelect
    )
    outcome = forms.ChoiceField(required=False, widget=PlainSelect)  # its choices are the viewer's own outcomes
    since = forms.DateField(
        required=False, label="From", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    until = forms.DateField(
        required=False, label="To", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    text = forms.CharField(
        required=False,
        max_length=100,
        label="Contains",
        widget=forms.TextInput(attrs={"placeholder": "value, file, message"}),
    )

    def __init__(self, data: Any, *, viewer: User) -> None:
        super().__init__(data, label_suffix="")
        self.viewer = viewer
        if not viewer.sees_all_history:
            del self.fields["user"]
        outcome = cast(forms.ChoiceField, self.fields["outcome"])
        outcome.choices = [("", "All outcomes"), *STATES, *_outcomes(viewer)]

    def sources(self) -> list[Predictions | Batches]:
        """What matches, by table; of several versions with one number, each for itself."""
        self.is_valid()
        chosen = self.cleaned_data
        kind = chosen.get("kind")
        predictions = self._predictions(chosen) if kind != BATCH else []
        batches = self._batches(chosen) if kind != PREDICTION else None
        return [*predictions, *([batches] if batches else [])]

    def _predictions(self, chosen: dict[str, Any]) -> list[Predictions]:
        facets = _outcome_facet(chosen.get("outcome") or "")
        if facets is None:
            return []
        facets |= _source_facet(chosen.get("source") or "")
        if user := self._only_user(chosen):
            facets["user_id"] = user.pk
        model, number = chosen.get("model"), chosen.get("version")
        narrowest: list[dict[str, Any]] = [{"model_id": model.pk} if model else {}]
        if number:
            versions = ModelVersion.objects.filter(number=number, **({"model": model} if model else {}))
            narrowest = [{"version_id": key} for key in versions.order_by().values_list("pk", flat=True)]
        dates, text = _dates(chosen), chosen.get("text") or ""
        return [Predictions({**facets, **own}, dates=dates, text=text) for own in narrowest]

    def _batches(self, chosen: dict[str, Any]) -> Batches | None:
        outcome = _batch_outcome(chosen.get("outcome") or "")
        if outcome is None:
            return None
        condition = outcome & _dates(chosen) & Q(**_source_facet(chosen.get("source") or ""))
        if user := self._only_user(chosen):
            condition &= Q(user=user)
        if chosen.get("model"):
            condition &= Q(version__model=chosen["model"])
        if chosen.get("version"):
            condition &= Q(version__number=chosen["version"])
        if text := chosen.get("text"):
            condition &= Q(file_name__icontains=text) | Q(error__icontains=text)
        return Batches(condition)

    def _only_user(self, chosen: dict[str, Any]) -> User | None:
        """Whose rows alone are shown; None for everybody's."""
        return chosen.get("user") if self.viewer.sees_all_history else self.viewer


class Count(NamedTuple):
    """How many rows match, MANY of them counted at most."""

    rows: int
    is_many: bool = False


def count(sources: Sequence[Predictions | Batches]) -> Count | None:
    """How many rows match, or None where only a long search could say."""
    counts = [source.count(MANY) for source in sources]
    if None in counts:
        return None
    rows = sum(number for number in counts if number)
    return Count(min(MANY, rows), is_many=rows >= MANY)


def stream(sources: Sequence[Predictions | Batches]) -> Iterator[Prediction | Batch]:
    """All rows, newest first, some hundreds at a time. Rows that are written meanwhile are not among them."""
    place = None
    while True:
        page = page_before(sources, place, size=CHUNK_ROWS)
        fetch_shown(page.rows, with_features=False)
        yield from page.rows
        place = page.older
        if place is None:
            return


def _dates(chosen: dict[str, Any]) -> Q:
    condition = Q()
    if chosen.get("since"):
        condition &= Q(created_at__gte=timezone.make_aware(datetime.combine(chosen["since"], time.min)))
    if chosen.get("until"):
        condition &= Q(created_at__lte=timezone.make_aware(datetime.combine(chosen["until"], time.max)))
    return condition


def _source_facet(source: str) -> dict[str, Any]:
    if source == PORTAL:
        return {"source__isnull": True}
    return {"source": source} if source else {}


def _outcome_facet(outcome: str) -> dict[str, Any] | None:
    """The column and its value; None where no prediction can have this outcome."""
    what, _, value = outcome.partition(":")
    if what == "state":
        if value == states.FAILED:
            # A row left "sending" by a crash had no answer either.
            return {"state__in": [states.FAILED, states.SENDING]}
        return {"state": value} if value in dict(states.PREDICTION_CHOICES) else None
    if what == "band":
        return {"band_label": value}
    return {"outcome_words": value} if what == "class" else {}


def _batch_outcome(outcome: str) -> Q | None:
    """The condition; None where no batch can have this outcome."""
    what, _, value = outcome.partition(":")
    if what == "state":
        return Q(state__in=states.UNDER_WAY) if value == states.RUNNING else Q(state=value)
    return None if what in ("band", "class") else Q()


def _outcomes(viewer: User) -> list[tuple[str, str]]:
    user = None if viewer.sees_all_history else viewer
    words = Prediction.objects.different("outcome_words", user=user, most=MAX_OUTCOMES)
    bands = Prediction.objects.different("band_label", user=user, most=MAX_OUTCOMES)
    return [*((f"class:{word}", word) for word in sorted(words)), *((f"band:{word}", word) for word in sorted(bands))]
