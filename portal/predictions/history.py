"""The history: one list of predictions and batches, newest first. Page and export ask here for the same rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time
from typing import Any, cast

from django import forms
from django.db.models import CharField, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast
from django.utils import timezone

from portal.accounts.models import User
from portal.predictions import states
from portal.predictions.models import Batch, Prediction
from portal.registry.models import Model

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
CHUNK_ROWS = 500


class HistoryFilter(forms.Form):
    """What to show. Everything is optional; nonsense in the address is an error at its field, and narrows nothing."""

    model = forms.ModelChoiceField(Model.objects.all(), required=False, to_field_name="slug", empty_label="All models")
    version = forms.IntegerField(required=False, min_value=1, widget=forms.NumberInput(attrs={"placeholder": "All"}))
    user = forms.ModelChoiceField(User.objects.all(), required=False, to_field_name="username", empty_label="Everybody")
    kind = forms.ChoiceField(choices=KINDS, required=False)
    outcome = forms.ChoiceField(required=False)  # its choices are the viewer's own outcomes
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

    def rows(self) -> QuerySet:
        """(kind, id, created_at) of every row that matches, newest first."""
        self.is_valid()
        chosen = self.cleaned_data
        predictions: QuerySet = Prediction.objects.visible_to(self.viewer)
        batches: QuerySet = Batch.objects.visible_to(self.viewer)
        condition = _shared_condition(chosen)
        predictions = predictions.filter(condition & _prediction_outcome(chosen.get("outcome") or ""))
        batches = batches.filter(condition & _batch_outcome(chosen.get("outcome") or ""))
        if text := chosen.get("text"):
            predictions, batches = (
                _with_text(predictions, text),
                batches.filter(Q(file_name__icontains=text) | Q(error__icontains=text)),
            )
        kind = chosen.get("kind")
        predictions = predictions.none() if kind == BATCH else predictions
        batches = batches.none() if kind == PREDICTION else batches
        return _named(predictions, PREDICTION).union(_named(batches, BATCH), all=True).order_by("-created_at", "id")


def fetch(keys: list[tuple[str, Any, datetime]]) -> list[Prediction | Batch]:
    """The rows behind the keys, in their order, with what a list shows of them."""
    predictions = Prediction.objects.select_related("version__model", "user").prefetch_related("version__features")
    batches = Batch.objects.select_related("version__model", "user")
    found: dict[str, dict[Any, Any]] = {
        PREDICTION: predictions.in_bulk([key for kind, key, _ in keys if kind == PREDICTION]),
        BATCH: batches.in_bulk([key for kind, key, _ in keys if kind == BATCH]),
    }
    return [found[kind][key] for kind, key, _ in keys if key in found[kind]]


def stream(rows: QuerySet) -> Iterator[Prediction | Batch]:
    """All rows, some hundreds at a time."""
    keys = list(rows)
    for start in range(0, len(keys), CHUNK_ROWS):
        yield from fetch(keys[start : start + CHUNK_ROWS])


def _named(rows: QuerySet, kind: str) -> QuerySet:
    return rows.order_by().annotate(kind=Value(kind, CharField())).values_list("kind", "id", "created_at")


def _shared_condition(chosen: dict[str, Any]) -> Q:
    condition = Q()
    if chosen.get("model"):
        condition &= Q(version__model=chosen["model"])
    if chosen.get("version"):
        condition &= Q(version__number=chosen["version"])
    if chosen.get("user"):
        condition &= Q(user=chosen["user"])
    if chosen.get("since"):
        condition &= Q(created_at__gte=timezone.make_aware(datetime.combine(chosen["since"], time.min)))
    if chosen.get("until"):
        condition &= Q(created_at__lte=timezone.make_aware(datetime.combine(chosen["until"], time.max)))
    return condition


def _prediction_outcome(outcome: str) -> Q:
    what, _, value = outcome.partition(":")
    if what == "state":
        # A row left "sending" by a crash had no answer either.
        return Q(state__in=(states.FAILED, states.SENDING)) if value == states.FAILED else Q(state=value)
    if what == "band":
        return Q(band_label=value)
    return Q(outcome_words=value) if what == "class" else Q()


def _batch_outcome(outcome: str) -> Q:
    what, _, value = outcome.partition(":")
    if what == "state":
        return Q(state__in=states.UNDER_WAY) if value == states.RUNNING else Q(state=value)
    return Q(pk__in=[]) if what in ("band", "class") else Q()


def _with_text(predictions: QuerySet, text: str) -> QuerySet:
    found = Q(inputs_text__icontains=text) | Q(error__icontains=text)
    for field in ("outcome", "outcome_words", "band_label"):
        found |= Q(**{f"{field}__icontains": text})
    return predictions.annotate(inputs_text=Cast("inputs", TextField())).filter(found)


def _outcomes(viewer: User) -> list[tuple[str, str]]:
    own = Prediction.objects.visible_to(viewer).order_by()
    words = own.exclude(outcome_words="").values_list("outcome_words", flat=True).distinct()[:MAX_OUTCOMES]
    bands = own.exclude(band_label="").values_list("band_label", flat=True).distinct()[:MAX_OUTCOMES]
    return [*((f"class:{word}", word) for word in sorted(words)), *((f"band:{word}", word) for word in sorted(bands))]
