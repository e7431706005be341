"""What was asked and answered. Rows are kept for good; a version that has any cannot be deleted."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone

from portal.accounts.models import User
from portal.predictions import states
from portal.registry.models import Band, ModelVersion

UPLOAD_PATIENCE = timedelta(hours=1)


class OwnedQuerySet(models.QuerySet):
    """Rows that belong to somebody."""

    def visible_to(self, user: User) -> OwnedQuerySet:
        """A user's own rows; all of them for those who may see all history."""
        return self if user.sees_all_history else self.filter(user=user)


class Prediction(models.Model):
    """One observation, and what the model said. Saved before the call, so that a lost answer leaves a trace."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="predictions")
    version = models.ForeignKey(ModelVersion, models.PROTECT, related_name="predictions")
    inputs = models.JSONField()
    state = models.CharField(max_length=10, choices=states.PREDICTION_CHOICES, default=states.SENDING)
    outcome = models.CharField(max_length=200, blank=True, help_text="The class, or the value with all its digits.")
    outcome_words = models.CharField(max_length=200, blank=True, help_text="The class in words.")
    value = models.FloatField(null=True)
    probabilities = models.JSONField(null=True, help_text="[[class, probability], …] in the model's order.")
    scores = models.JSONField(null=True, help_text="decision_function, where there are no probabilities.")
    band_value = models.FloatField(null=True)
    band_label = models.CharField(max_length=80, blank=True)
    band_tone = models.CharField(max_length=10, choices=Band.TONES, blank=True)
    milliseconds = models.FloatField(null=True)
    is_cold = models.BooleanField(null=True)
    error = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        permissions = [("view_all_history", "Can see everybody's history")]

    def __str__(self) -> str:
        return f"Prediction {self.id}"

    def get_absolute_url(self) -> str:
        return reverse("predictions:prediction", args=[self.id])

    @property
    def is_answered(self) -> bool:
        return self.state == states.ANSWERED

    @property
    def shown_band(self) -> str:
        """The band's wording, where it says more than the class does."""
        return "" if self.band_label == self.outcome_words else self.band_label

    @property
    def input_rows(self) -> list[tuple[Any, Any]]:
        """(feature, value) in the order of the form."""
        return [(feature, self.inputs.get(feature.name)) for feature in self.version.features.all()]

    @property
    def class_bars(self) -> list[dict[str, Any]]:
        """One bar a class: words, probability, whether it is the answer; the likeliest first."""
        pairs = sorted(self.probabilities or [], key=lambda pair: -pair[1])
        return [
            {"word": self.version.class_word(name), "probability": share, "is_answer": str(name) == self.outcome}
            for name, share in pairs
        ]


class Batch(models.Model):
    """One file of observations, scored by the state machine."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="batches")
    version = models.ForeignKey(ModelVersion, models.PROTECT, related_name="batches")
    file_name = models.CharField(max_length=200)
    size_bytes = models.PositiveBigIntegerField()
    state = models.CharField(max_length=10, choices=states.BATCH_CHOICES, default=states.UPLOADING)
    execution_arn = models.CharField(max_length=300, blank=True)
    parts_total = models.PositiveIntegerField(default=0)
    parts_done = models.PositiveIntegerField(default=0)
    rows = models.PositiveBigIntegerField(null=True)
    scored = models.PositiveBigIntegerField(null=True)
    failed = models.PositiveBigIntegerField(null=True)
    summary = models.JSONField(default=dict)
    error = models.CharField(max_length=1000, blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    finished_at = models.DateTimeField(null=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "batches"

    def __str__(self) -> str:
        return self.file_name

    def get_absolute_url(self) -> str:
        return reverse("predictions:batch", args=[self.id])

    @property
    def is_done(self) -> bool:
        return self.state == states.DONE

    @property
    def has_ended(self) -> bool:
        return self.state in (states.DONE, states.FAILED)

    @property
    def upload_is_overdue(self) -> bool:
        return self.state == states.UPLOADING and timezone.now() - self.created_at > UPLOAD_PATIENCE

    @property
    def progress_percent(self) -> int | None:
        """Whole percent of the parts that are done, or None while it is not known how many there are."""
        return round(100 * self.parts_done / self.parts_total) if self.parts_total else None

    @property
    def output_name(self) -> str:
        stem = self.file_name.rsplit(".", 1)[0] or "batch"
        return f"{stem.removesuffix('.csv')}_predictions.csv"
