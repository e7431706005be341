"""Models, their versions, and what people are told about them."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse

from portal.gateways.contract import Output
from portal.registry import states

SLUG = RegexValidator(r"^[a-z0-9]+(-[a-z0-9]+)*\Z", "Small letters, digits and single hyphens only.")


class ModelQuerySet(models.QuerySet["Model"]):
    def live(self) -> ModelQuerySet:
        """Models that answer just now."""
        return self.filter(versions__state=states.LIVE)


class Model(models.Model):
    """A question that can be answered, whichever version answers it."""

    KEEP_DAYS = [(1, "1 day"), (7, "7 days"), (30, "30 days"), (90, "90 days"), (365, "1 year")]
    ALL, OUTPUTS, OFF = "all", "outputs", "off"
    CAPTURES = [(ALL, "Values and answers"), (OUTPUTS, "Answers only, without values"), (OFF, "Nothing")]
    # What people are told of it.
    CAPTURE_WORDS = {
        ALL: "Answers are kept in the history, with the values that were asked about.",
        OUTPUTS: "Answers are kept in the history, without the values that were asked about.",
        OFF: "Nothing is kept: these answers are not in the history.",
    }

    name = models.CharField(max_length=80, help_text="What colleagues see on the first page.")
    slug = models.CharField(
        "short name",
        max_length=60,
        unique=True,
        validators=[SLUG],
        help_text="In addresses and in the bucket; cannot change.",
    )
    summary = models.CharField(max_length=240, blank=True, help_text="One sentence: what it predicts, and for whom.")
    target_label = models.CharField(
        "result", max_length=60, blank=True, help_text="What is predicted, for example Species."
    )
    target_unit = models.CharField("unit of the result", max_length=20, blank=True)
    keep_batches_days = models.PositiveIntegerField(
        "scored files are kept for",
        choices=KEEP_DAYS,
        default=30,
        help_text="Uploads and results, counted from the upload; the history keeps their counts.",
    )
    capture = models.CharField(
        "kept of answers outside the portal",
        max_length=10,
        choices=CAPTURES,
        default=ALL,
        help_text="Of those that the published page and programs get through the API; what is kept is in the history. "
        "Answers in the portal are always kept.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    changing_since = models.DateTimeField(null=True, editable=False, help_text="While its live version changes.")
    changing_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+"
    )
    publish_since = models.DateTimeField(
        null=True, editable=False, help_text="Since when the bucket says something older than the database."
    )

    objects = ModelQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        permissions = [("view_live_model", "Can see the models that are live")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("predictions:predict", args=[self.slug])

    @property
    def live_version(self) -> ModelVersion | None:
        return self.versions.filter(state=states.LIVE).select_related("model").first()

    @property
    def version_before(self) -> ModelVersion | None:
        """The version that a rollback brings back: of those still ready, the one that was made live last."""
        once_live = self.versions.filter(state=states.READY, live_at__isnull=False)
        return once_live.select_related("model").order_by("-live_at").first()

    @property
    def result_label(self) -> str:
        return self.target_label or "Prediction"

    @property
    def capture_words(self) -> str:
        """What is kept of the answers that the published page and programs get."""
        return self.CAPTURE_WORDS[self.capture]


class ModelVersion(models.Model):
    """One file, what was found out about it, and the settings of its page. The file never changes."""

    READING, TRYING = "reading", "trying"
    STAGES = [(READING, "Reading it without loading it"), (TRYING, "Loading it in the sandbox and trying it out")]

    model = models.ForeignKey(Model, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=states.CHOICES, default=states.UPLOADED)
    stage = models.CharField(max_length=10, choices=STAGES, blank=True, editable=False, help_text="How far a check is.")
    checking_since = models.DateTimeField(null=True, editable=False, help_text="While a check runs.")
    live_at = models.DateTimeField(null=True, editable=False, help_text="When it was last made live.")
    upload = models.UUIDField(
        default=uuid.uuid4, unique=True, editable=False, help_text="The file's name in quarantine."
    )
    file_name = models.CharField(max_length=200)
    size_bytes = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64, blank=True)
    notes = models.TextField(blank=True, help_text="What changed, where the data comes from, how good it is.")
    scan = models.JSONField(default=dict, blank=True, editable=False)
    manifest = models.JSONField(default=dict, blank=True, editable=False)
    refusals = models.JSONField(default=list, blank=True, editable=False)
    pending = models.JSONField(
        default=dict,
        blank=True,
        editable=False,
        help_text="What came with the upload for the settings, until they are filled.",
    )
    last_picture = models.PositiveIntegerField(default=0, editable=False, help_text="The last position given out.")
    class_labels = models.JSONField(default=dict, blank=True, help_text="Words for the model's classes.")
    training_answers = models.JSONField(
        default=dict,
        blank=True,
        editable=False,
        help_text="Its answers to a sample of its training data: rows, labels with counts, numbers.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    checked_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["model", "-number"]
        permissions = [("activate_modelversion", "Can make a version live")]
        constraints = [
            models.UniqueConstraint(fields=["model", "number"], name="one_number_a_version"),
            models.UniqueConstraint(fields=["model"], condition=Q(state=states.LIVE), name="one_live_version_a_model"),
        ]

    def __str__(self) -> str:
        return f"{self.model.name}, version {self.number}"

    @property
    def has_passed(self) -> bool:
        """Ready or live: it has a manifest, and settings."""
        return self.state in states.PASSED

    @property
    def is_live(self) -> bool:
        return self.state == states.LIVE

    @property
    def is_rejected(self) -> bool:
        return self.state == states.REJECTED

    @property
    def is_archived(self) -> bool:
        return self.state == states.ARCHIVED

    @property
    def is_being_checked(self) -> bool:
        return self.state == states.CHECKING and self.checking_since is not None

    @property
    def may_be_checked(self) -> bool:
        return (self.state, states.CHECKING) in states.LEGAL and not self.is_being_checked

    @property
    def may_be_archived(self) -> bool:
        return (self.state, states.ARCHIVED) in states.LEGAL

    @property
    def fitted_with(self) -> str:
        """The scikit-learn release that wrote the file, empty where nobody knows."""
        return (self.manifest.get("versions") or {}).get("fitted_with") or self.scan.get("fitted_with") or ""

    @property
    def is_compiled(self) -> bool:
        """Has it tables that answer single rows?"""
        return bool((self.manifest.get("compiled") or {}).get("sha256"))

    @property
    def described_features(self) -> dict[str, dict[str, Any]]:
        """What the check found out about each feature, by name."""
        return {row["name"]: row for row in self.manifest.get("features", [])}

    @property
    def uses_bands(self) -> bool:
        """Has the answer a number that wording can depend on?"""
        return bool(self.manifest) and (self.output.type == "regression" or self.output.has_probabilities)

    @property
    def output(self) -> Output:
        return Output.from_json(self.manifest["output"])

    @property
    def is_classifier(self) -> bool:
        return bool(self.manifest) and self.output.type in ("binary", "multiclass")

    @property
    def class_rows(self) -> list[tuple[str, str]]:
        """Each class as the model writes it, with its words."""
        return [(str(name), self.class_word(name)) for name in self.output.classes] if self.manifest else []

    def class_word(self, label: Any) -> str:
        """The words for a class, or the class itself."""
        return str(self.class_labels.get(str(label)) or label)

    def band_for(self, value: float | None) -> Band | None:
        """The band of wording that a value falls into; upper ends belong to the band below."""
        if value is None:
            return None
        return next((band for band in self.bands.all() if band.upper is None or value <= band.upper), None)


class Feature(models.Model):
    """What people are asked for one of the model's inputs."""

    NUMBER, INTEGER, BOOLEAN, CHOICE, TEXT = "number", "integer", "boolean", "choice", "text"
    NUMERIC = (NUMBER, INTEGER)
    KINDS = [(NUMBER, "Number"), (INTEGER, "Whole number"), (BOOLEAN, "Yes or no"), (CHOICE, "Choice"), (TEXT, "Text")]

    # What a model owner may set, in the order of the form; the rest is the model's own.
    SETTINGS = (
        "position", "label", "unit", "kind", "minimum", "maximum", "step", "default", "is_required", "help", "choices",
    )  # fmt: skip

    version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="features")
    position = models.PositiveIntegerField("order", default=0)
    name = models.CharField(max_length=200, editable=False, help_text="As the model knows it.")
    label = models.CharField(max_length=120, blank=True)
    unit = models.CharField(max_length=20, blank=True)
    kind = models.CharField(max_length=10, choices=KINDS, default=NUMBER)
    minimum = models.FloatField("lowest", null=True, blank=True)
    maximum = models.FloatField("highest", null=True, blank=True)
    step = models.FloatField(null=True, blank=True)
    default = models.CharField(max_length=200, blank=True)
    choices = models.JSONField(default=list, blank=True)
    is_required = models.BooleanField("required", default=True)
    accepts_missing = models.BooleanField(default=False, editable=False)
    help = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [models.UniqueConstraint(fields=["version", "name"], name="one_row_a_feature")]

    def __str__(self) -> str:
        return self.label or self.name

    @property
    def is_numeric(self) -> bool:
        return self.kind in self.NUMERIC

    @property
    def hint(self) -> str:
        """What stands below its field: the range, and what the model owner says of it."""
        span = ""
        if self.is_numeric and self.minimum is not None and self.maximum is not None:
            span = f"{self.minimum:g} to {self.maximum:g}"
        return " · ".join(part for part in (span, self.help) if part)

    @property
    def choice_pairs(self) -> list[tuple[str, str]]:
        """Each choice as the form sends it, with its words."""
        return [(str(value), str(word)) for value, word in self.choices]


class Band(models.Model):
    """Wording for a range of results, for example "Good result" up to 0.5."""

    TONES = [("good", "Good"), ("neutral", "Neutral"), ("caution", "Caution"), ("bad", "Bad")]

    version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="bands")
    upper = models.FloatField("up to", null=True, blank=True, help_text="Blank: everything above.")
    label = models.CharField("wording", max_length=80)
    tone = models.CharField("colour", max_length=10, choices=TONES, default="neutral")

    class Meta:
        ordering = [models.F("upper").asc(nulls_last=True), "pk"]
        constraints = [
            models.UniqueConstraint(fields=["version", "upper"], name="one_band_an_upper_end"),
            models.UniqueConstraint(
                fields=["version"], condition=Q(upper__isnull=True), name="one_open_band_a_version"
            ),
        ]

    def __str__(self) -> str:
        return self.label


class Example(models.Model):
    """A real row that people may try."""

    version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="examples")
    name = models.CharField(max_length=80)
    row = models.JSONField(default=dict)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name


class Picture(models.Model):
    """A plot of a version's quality, a PNG in the bucket."""

    version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="pictures")
    position = models.PositiveIntegerField()
    title = models.CharField(max_length=120)
    alt = models.TextField(help_text="What it shows, in words and numbers.")

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["version", "position"], name="one_picture_a_position")]

    def __str__(self) -> str:
        return self.title


class Event(models.Model):
    """Who did what to a model, and when. Written by actions, never changed."""

    model = models.ForeignKey(Model, models.CASCADE, related_name="events")
    version = models.ForeignKey(ModelVersion, models.CASCADE, null=True, related_name="events")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    did = models.CharField(max_length=40)
    detail = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.did} {self.version or self.model}"
