"""What was asked and answered. Rows are kept for good; a version that has any cannot be deleted."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from portal.accounts.models import User
from portal.predictions import states
from portal.registry.models import Band, Model, ModelVersion

UPLOAD_PATIENCE = timedelta(hours=1)
PORTAL, PAGE, PROGRAM = "portal", "page", "program"
# Rows of the portal's own have null, as those of before: with a default, SQLite would write the whole table anew.
SOURCE_WORDS: dict[str | None, str] = {None: "Portal", PAGE: "Published page", PROGRAM: "Program"}
SOURCES = [(source, words) for source, words in SOURCE_WORDS.items() if source]
PACKED_OR_TABLE = ("csv", "tsv", "txt", "json", "jsonl", "ndjson", "parquet", "xlsx", "gz", "zst", "zip")


def folded(text: str) -> str:
    """A text as searches compare it: without the difference of capitals, in every script."""
    return text.casefold()


class OwnedQuerySet(models.QuerySet):
    """Rows that belong to somebody."""

    def visible_to(self, user: User) -> OwnedQuerySet:
        """A user's own rows; all of them for those who may see all history."""
        return self if user.sees_all_history else self.filter(user=user)


class PredictionQuerySet(OwnedQuerySet):
    """Observations that were asked about."""

    def different(self, column: str, *, user: User | None, most: int) -> list[str]:
        """The different texts of a column other than the empty one, of one user or of all, at most so many.

        DISTINCT would go through every row. This asks an index for the next larger text, as often as there are any.
        """
        table, name = (connection.ops.quote_name(part) for part in (self.model._meta.db_table, column))
        whose, arguments = (" AND user_id = %s", [user.pk]) if user else ("", [])
        query = (
            f"WITH RECURSIVE found(word) AS (SELECT MIN({name}) FROM {table} WHERE {name} > ''{whose} "  # noqa: S608 -- names of ours
            f"UNION ALL SELECT (SELECT MIN({name}) FROM {table} WHERE {name} > found.word{whose}) FROM found "
            "WHERE found.word IS NOT NULL) SELECT word FROM found WHERE word IS NOT NULL LIMIT %s"
        )
        with connection.cursor() as cursor:
            cursor.execute(query, [*arguments, *arguments, most])
            return [word for (word,) in cursor.fetchall()]


class Prediction(models.Model):
    """One observation, and what the model said. Saved before the call, so that a lost answer leaves a trace."""

    is_batch = False

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="predictions", db_index=False)
    version = models.ForeignKey(ModelVersion, models.PROTECT, related_name="predictions", db_index=False)
    model = models.ForeignKey(
        Model,
        models.PROTECT,
        related_name="+",
        db_index=False,
        editable=False,
        help_text="The version's, for the index.",
    )
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
    words = models.TextField(editable=False, help_text="What a search looks at.")
    request_id = models.CharField(  # noqa: DJ001 -- with a default, SQLite would write the whole table anew
        max_length=64, null=True, editable=False, help_text="Of the request that asked, as the log has it."
    )
    source = models.CharField(  # noqa: DJ001 -- as above
        max_length=10, null=True, editable=False, choices=SOURCES, help_text="Where it was asked; null: in the portal."
    )
    call_id = models.CharField(  # noqa: DJ001 -- as above
        max_length=64, null=True, editable=False, help_text="Of the API call that is kept here, once."
    )
    is_without_values = models.BooleanField(null=True, editable=False, help_text="Only the answer was to be kept.")
    created_at = models.DateTimeField(default=timezone.now)

    objects = PredictionQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        # The history's order, for all and for each of its filters; and what the filter offers.
        indexes = [
            models.Index(fields=["created_at", "id"], name="prediction_in_order"),
            models.Index(fields=["user", "created_at", "id"], name="prediction_of_user"),
            models.Index(fields=["model", "created_at", "id"], name="prediction_of_model"),
            models.Index(fields=["version", "created_at", "id"], name="prediction_of_version"),
            models.Index(fields=["outcome_words", "created_at", "id"], name="prediction_of_class"),
            models.Index(fields=["band_label", "created_at", "id"], name="prediction_of_band"),
            models.Index(fields=["state", "created_at", "id"], name="prediction_of_state"),
            models.Index(fields=["user", "outcome_words"], name="classes_of_user"),
            models.Index(fields=["user", "band_label"], name="bands_of_user"),
            # Two, each of its own rows: PostgreSQL does not go through one in order for what is null.
            models.Index(fields=["created_at", "id"], condition=Q(source=None), name="prediction_of_portal"),
            models.Index(
                fields=["source", "created_at", "id"], condition=Q(source__isnull=False), name="prediction_of_source"
            ),
        ]
        # With a condition it is an index in SQLite too, and no reason to write the table anew.
        constraints = [
            models.UniqueConstraint(
                fields=["call_id"], condition=Q(call_id__isnull=False), name="one_prediction_a_call"
            )
        ]
        permissions = [("view_all_history", "Can see everybody's history")]

    def __str__(self) -> str:
        return f"Prediction {self.id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.derive()
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        return reverse("predictions:prediction", args=[self.id])

    def derive(self) -> None:
        """Fill the columns that follow from others: the model, and what a search looks at."""
        self.model_id = self.version.model_id
        values = [str(value) for value in self.inputs.values() if value is not None]
        texts = dict.fromkeys([self.outcome, self.outcome_words, self.band_label, self.error, *values])
        self.words = folded("\n".join(text for text in texts if text))

    @property
    def is_answered(self) -> bool:
        return self.state == states.ANSWERED

    @property
    def source_words(self) -> str:
        return SOURCE_WORDS[self.source]

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


class BatchQuerySet(OwnedQuerySet):
    """Files that were scored, or are to be."""

    def expired(self, now: datetime) -> BatchQuerySet:
        """Those whose objects are no longer to be kept, by what their model says, and are there still. Without those
        that the API scored within a call for nobody that it knew: where they lie, others' files may, too.
        """
        past = Q(pk__in=[])
        for days, _ in Model.KEEP_DAYS:
            past |= Q(version__model__keep_batches_days=days, created_at__lte=now - timedelta(days=days))
        for_nobody = Q(source__isnull=False, owner="", given_key="")
        return self.filter(past, purged_at=None).exclude(for_nobody).exclude(state__in=states.UNDER_WAY)


class Batch(models.Model):
    """One file of observations, scored by the state machine."""

    RESULTS = [("csv", "CSV"), ("parquet", "Parquet")]
    is_batch = True

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="batches", db_index=False)
    version = models.ForeignKey(ModelVersion, models.PROTECT, related_name="batches")
    opening = models.UUIDField(
        null=True, editable=False, help_text="The page's own id for it: sent twice, opened once."
    )
    file_name = models.CharField(max_length=200)
    size_bytes = models.PositiveBigIntegerField()  # 0 of files that came by the API: not known
    state = models.CharField(max_length=20, choices=states.BATCH_CHOICES, default=states.UPLOADING)
    chosen = models.JSONField(default=dict, help_text="How its owner says that the file is to be read and written.")
    job = models.JSONField(default=dict, help_text="What was sent at the start; a resume sends the same.")
    attempt = models.PositiveIntegerField(default=0, help_text="How often it was started or resumed.")
    execution_arn = models.CharField(max_length=300, blank=True)
    progress = models.JSONField(default=dict, help_text="What is known of the job, as of the last look.")
    rows = models.PositiveBigIntegerField(null=True)
    scored = models.PositiveBigIntegerField(null=True)
    failed = models.PositiveBigIntegerField(null=True)
    summary = models.JSONField(default=dict)
    error = models.CharField(max_length=1000, blank=True)
    is_refused = models.BooleanField(default=False, help_text="It failed because of the file itself.")
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    source = models.CharField(  # noqa: DJ001 -- as Prediction's
        max_length=10, null=True, editable=False, choices=SOURCES, help_text="Where it was asked; null: in the portal."
    )
    call_id = models.CharField(  # noqa: DJ001 -- as Prediction's
        max_length=64, null=True, editable=False, help_text="Of the API call that is kept here, once."
    )
    owner = models.CharField(
        max_length=36, blank=True, editable=False, help_text="Whose a job of the API is, as the bucket has it."
    )
    given_key = models.CharField(
        max_length=1024,
        blank=True,
        editable=False,
        help_text="Of a file in the own folder of somebody who called the API.",
    )
    result_key = models.CharField(
        max_length=1024, blank=True, editable=False, help_text="Of a file that was scored within one call of the API."
    )
    is_without_values = models.BooleanField(null=True, editable=False, help_text="Only the counts were to be kept.")
    purged_at = models.DateTimeField(null=True, help_text="When its files were deleted.")

    objects = BatchQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "batches"
        indexes = [
            models.Index(fields=["created_at", "id"], name="batch_in_order"),
            models.Index(fields=["user", "created_at", "id"], name="batch_of_user"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["user", "opening"], name="one_batch_an_opening"),
            models.UniqueConstraint(fields=["call_id"], condition=Q(call_id__isnull=False), name="one_batch_a_call"),
        ]

    def __str__(self) -> str:
        return self.file_name or "A file"

    def get_absolute_url(self) -> str:
        return reverse("predictions:batch", args=[self.id])

    @property
    def source_words(self) -> str:
        return SOURCE_WORDS[self.source]

    @property
    def is_of_the_api(self) -> bool:
        """It was started elsewhere, and only there it can be stopped or started again."""
        return self.source is not None

    @property
    def was_within_a_call(self) -> bool:
        """The API scored it at once; nobody counted."""
        return self.is_of_the_api and not self.owner

    @property
    def is_kept_for_days(self) -> bool:
        """Its files are deleted when the days that its model says are over: `BatchQuerySet.expired`."""
        return bool(self.given_key) or not self.was_within_a_call

    @property
    def is_waiting(self) -> bool:
        """Nothing was started yet."""
        return self.state == states.UPLOADING

    @property
    def is_under_way(self) -> bool:
        return self.state in states.UNDER_WAY

    @property
    def is_done(self) -> bool:
        """Every row is accounted for."""
        return self.state in states.FINISHED

    @property
    def is_cancelled(self) -> bool:
        return self.state == states.CANCELLED

    @property
    def has_ended(self) -> bool:
        return self.state in (*states.FINISHED, *states.STOPPED)

    @property
    def is_partial(self) -> bool:
        """It was stopped, and what it had scored was put together."""
        return self.state in states.STOPPED and bool(self.summary.get("partial"))

    @property
    def has_result(self) -> bool:
        return (self.is_done or self.is_partial) and self.purged_at is None

    @property
    def may_be_resumed(self) -> bool:
        """It was started here, stopped, and its file is there still."""
        stopped = self.state in states.STOPPED and self.attempt > 0 and self.purged_at is None
        return stopped and not self.is_of_the_api

    @property
    def may_be_collected(self) -> bool:
        """Some of it was scored before it stopped, and not put together yet."""
        return self.may_be_resumed and not self.is_partial and bool(self.progress.get("parts_done"))

    def make_job(self) -> dict[str, Any]:
        """What the container is told to do with the file: docs/contract.md section 4."""
        version = self.version
        bands = [{"upper": band.upper, "label": band.label} for band in version.bands.all()]
        share = settings.PORTICO_BATCH_GIVE_UP_SHARE
        return {
            "batch": str(self.id),
            "user": str(self.user_id),
            "model": version.model.slug,
            "version": version.number,
            "sha256": version.sha256,
            "file_name": self.file_name,
            "reading": self.chosen.get("reading"),
            "columns": self.chosen.get("columns"),
            "bands": bands if version.uses_bands else [],
            "give_up_share": share if share < 1 else None,
            "result": self.chosen.get("result") or "csv",
        }

    @property
    def upload_is_overdue(self) -> bool:
        return self.is_waiting and timezone.now() - self.created_at > UPLOAD_PATIENCE

    @property
    def progress_percent(self) -> int | None:
        """Whole percent of the bytes that are done, or None while it is not known how many there are."""
        all_bytes, done = self.progress.get("size_bytes"), self.progress.get("bytes_done") or 0
        return min(100, int(100 * done / all_bytes)) if all_bytes and self.progress.get("parts") else None

    @property
    def kept_until(self) -> datetime:
        return self.created_at + timedelta(days=self.version.model.keep_batches_days)

    @property
    def result_format(self) -> str:
        """`csv` or `parquet`."""
        return str((self.job or self.chosen).get("result") or "csv")

    @property
    def result_file(self) -> str:
        """The result's name in the bucket."""
        return str((self.summary.get("result") or {}).get("file") or "output.csv")

    @property
    def output_name(self) -> str:
        """What the downloaded result is called: which file, which model, which version."""
        stem = self.file_name or "file"
        while (parts := stem.rpartition("."))[0] and parts[2].lower() in PACKED_OR_TABLE:
            stem = parts[0]
        ending = "parquet" if self.result_file.endswith(".parquet") else "csv"
        mark = "_partial" if self.is_partial else ""
        return f"{stem}_{self.version.model.slug}-v{self.version.number}_predictions{mark}.{ending}"


class CapturedObject(models.Model):
    """An object of the bucket that holds calls of the API, and has been read. Forgotten when it is not listed again."""

    key = models.CharField(max_length=100, unique=True)
    written_at = models.DateTimeField(db_index=True, help_text="As its key says.")
    lines = models.PositiveIntegerField()
    unreadable = models.PositiveIntegerField(help_text="Lines that nobody will ever be able to read.")
    kept_back = models.PositiveIntegerField(
        help_text="Lines that a later release, or a database that knows their model, can read."
    )

    class Meta:
        ordering = ["written_at", "key"]

    def __str__(self) -> str:
        return self.key
